#pragma once
// What a request comes to before anything is spoken: the voice, the audio form, and the segments.

#include <vector>

#include "base/result.hpp"
#include "engines/voice.hpp"
#include "speech/options.hpp"
#include "speech/speech.hpp"
#include "text/split.hpp"

namespace vf::speech {

struct SpeechPlan {
    engines::Voice voice;
    audio::Format format = audio::Format::kWav;
    int sample_rate = 0;
    std::size_t characters = 0;
    // What the engine does itself, within the voice's own range, and what is left for the
    // stretcher.
    double engine_speed = 1;
    double engine_pitch = 0;
    double stretch_speed = 1;
    double stretch_pitch = 0;
    double gain_db = 0;  // the voice's levelling gain plus the volume asked for
    bool whole = false;
    audio::EncoderQuality quality;
    std::vector<text::Segment> segments;  // at least one
    // Characters of the text as sent up to the end of each segment; all of them for the last.
    std::vector<std::size_t> characters_through;
};

// Checks the request against the catalogue and the limits. Errors are kInvalid with the field:
// text_empty, text_too_long, text_not_speakable, invalid_utf8, voice_not_found,
// language_not_supported, sample_rate_not_supported, out_of_range.
Result<SpeechPlan> MakePlan(const SpeechRequest& request, const engines::Catalogue& catalogue,
                            const SpeechOptions& options);

}  // namespace vf::speech
