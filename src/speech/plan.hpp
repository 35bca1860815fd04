#pragma once
// What a request comes to before anything is spoken: the voice, the audio form, and the segments.

#include <vector>

#include "audio/shaper.hpp"
#include "base/result.hpp"
#include "engines/speaker.hpp"
#include "engines/team_voices.hpp"
#include "speech/options.hpp"
#include "speech/speech.hpp"
#include "text/compose.hpp"

namespace vf::speech {

// A style of the script with the voice that speaks it.
struct StyleVoice {
    engines::Voice voice;
    std::string language;  // that was asked for, BCP 47; empty: nobody said
    // What the engine does itself, within the voice's own range, and what is left for the
    // stretcher.
    double engine_speed = 1;
    double engine_pitch = 0;
    double engine_pitch_range = 1;
    double stretch_speed = 1;
    double stretch_pitch = 0;
    double gain_db = 0;  // the voice's levelling gain plus the volume asked for
};

struct SpeechPlan {
    audio::Format format = audio::Format::kWav;
    int sample_rate = 0;
    int bit_rate = 0;
    std::size_t characters = 0;      // of the text as sent; of the spoken text when it has markup
    std::vector<StyleVoice> styles;  // one for each of the script; the first is the request's own
    audio::ShaperOptions shaping;
    bool whole = false;
    std::optional<std::uint32_t> seed;
    std::optional<engines::Expression> expression;
    bool wants_timing = true;
    bool wants_quality = false;
    audio::EncoderQuality quality;
    text::Composition text;  // at least one segment
    // How the audio meets what others have spoken before and after it (previous_text, next_text).
    bool continues = false;
    std::string previous_text, next_text;                    // for voices with a speaker
    std::optional<std::chrono::milliseconds> goes_on_after;  // the pause that belongs at its end
    std::vector<std::string> warnings;                       // what was not understood
    // Characters of the text as sent up to the end of each segment; all of them for the last.
    std::vector<std::size_t> characters_through;

    const engines::Voice& voice() const { return styles.front().voice; }
};

// Checks the request against the catalogue and the limits. Errors are kInvalid with the field:
// text_empty, text_too_long, text_not_speakable, invalid_utf8, voice_not_found,
// language_not_supported, sample_rate_not_supported, out_of_range, and those of text::ReadSsml.
Result<SpeechPlan> MakePlan(const SpeechRequest& request, const engines::VoiceView& voices,
                            const SpeechOptions& options);

// All of it that can be known without the text (live speeches): no segments.
Result<SpeechPlan> MakePlanWithoutText(const SpeechRequest& request,
                                       const engines::VoiceView& voices,
                                       const SpeechOptions& options);

}  // namespace vf::speech
