#pragma once
// The corridor from text to audio bytes. A dialect fills a SpeechRequest and gets a Speech: a pipe
// of encoded audio that fills while the engines speak. A dialect knows nothing of engines; an
// engine knows nothing of HTTP.

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audio/format.hpp"
#include "audio/quality.hpp"
#include "base/byte_pipe.hpp"
#include "base/caller.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "engines/speaker.hpp"
#include "engines/team_voices.hpp"
#include "speech/timeline.hpp"
#include "text/lexicon.hpp"
#include "text/normalise.hpp"

namespace vf::speech {

class Meter;

// SpeechRequest::language of a text whose sentences are each detected.
inline constexpr std::string_view kAutoLanguage = "auto";

enum class Markup : std::uint8_t {
    kPlain,  // nothing in the text is markup
    kSsml,
};

// A dictionary as a request names it, already looked up.
using Dictionaries = std::vector<std::shared_ptr<const text::Lexicon>>;

// What is changed about the voice's sound, each moving one measured quantity (docs/voices.md).
struct Shaping {
    double pitch_range = 1;  // 0.25 to 2: factor of the standard deviation of F0 in semitones
    double brightness = 0;   // -12 to 12 dB above 3 kHz: the spectral centroid
    double presence = 0;     // -12 to 12 dB at 2 to 4 kHz: that band's share of the energy
    double dynamics = 1;     // 0.5 to 2: factor of the spread of syllable levels in dB

    bool operator==(const Shaping&) const = default;
};

// One speaker's part of a text that several speak.
struct SpeechTurn {
    std::size_t end = 0;  // byte of the text behind the part; ascending, the last one is its size
    std::string voice;    // an id of the catalogue
};

struct SpeechRequest {
    std::string text;  // valid UTF-8
    // Who speaks which part of `text`, each a paragraph of its own; empty: `voice` speaks all of
    // it. Of plain text only. At most kMaxTurns.
    std::vector<SpeechTurn> turns;
    static constexpr std::size_t kMaxTurns = 100;
    Markup markup = Markup::kPlain;
    // An id of the catalogue or of the team's own; empty: chosen by language, else the default.
    std::string voice;
    std::string language;  // BCP 47; empty: the voice's own; "auto": each sentence's, detected
    audio::Format format = audio::Format::kWav;
    int sample_rate = 0;  // 0: the format's default
    int bit_rate = 0;     // bit/s; 0: as the settings of section "audio" say
    double speed = 1.0;   // 0.25 to 4
    double pitch = 0.0;   // semitones, -12 to 12
    double volume = 0.0;  // dB, -20 to 10
    Shaping shaping;
    text::NormaliseOptions normalise;
    Dictionaries dictionaries;  // of the request, or the team's default ones
    // Finds the dictionaries that SSML's <lexicon> names; null: there are none.
    std::function<std::shared_ptr<const text::Lexicon>(std::string_view name)> find_dictionary;
    // What stands before and after the text in a longer one that is spoken in parts: the edges are
    // joined as the inside of one text would be.
    std::string previous_text;
    std::string next_text;
    std::optional<std::uint32_t> seed;
    // What `shaping` was made from, for voices that take it as it is.
    std::optional<engines::Expression> expression;
    bool wants_timing = true;           // false: the timeline stays empty
    bool wants_quality = false;         // Speech::quality is measured
    std::vector<std::string> warnings;  // what the dialect did not understand
    bool is_metered = true;  // false: nobody is charged, no limit of a plan holds (previews)
    bool whole = false;      // the caller collects everything and sends it with its length
    std::size_t max_characters = 5000;
    Caller caller;
    std::optional<OperationId> operation;  // to be accounted under; none: a new one
    std::string route;                     // the pattern, for usage
    std::string model;                     // as the caller named it, for usage; empty: none
    std::string_view text_field = "text";  // what the dialect calls it, for error messages
    engines::TeamVoicesPtr own_voices;     // of the caller's team; set by the service
};

// What is known about a speech before and while it is rendered.
struct Speech {
    Speech();
    ~Speech();  // a speech whose end nobody told of has failed
    Speech(const Speech&) = delete;
    Speech& operator=(const Speech&) = delete;

    void SpeakWith(const engines::Voice& own);
    // Another voice takes the place of one that could not begin.
    void SpeakInstead(const engines::Voice& other, const Error& why);

    // The reply is over: all of it was handed to the kernel, or not.
    void Delivered(bool is_whole);

    OperationId operation;
    // Who speaks: what was chosen, or who had to speak instead.
    std::string voice;  // its id
    std::string engine;
    std::string deployment;  // engines::Voice::deployment
    // What was paid elsewhere so far, in millionths of a minor unit of `vendor_currency`.
    std::int64_t vendor_micro = 0;
    std::string vendor_currency;
    audio::Format format = audio::Format::kWav;
    int sample_rate = 0;
    std::size_t characters = 0;  // code points of the text as sent
    std::shared_ptr<BytePipe> pipe;
    Timeline timeline;
    std::vector<std::string> warnings;  // what was not understood; for a header
    audio::Quality quality;             // where it was asked for; complete once the pipe is
    std::uint64_t samples = 0;          // encoded so far, at `sample_rate`
    // How far the audio was when so many bytes had been encoded; grows with every write.
    struct Progress {
        std::uint64_t bytes;
        std::uint64_t samples;
    };
    std::deque<Progress> progress;
    // Complete once the pipe is.
    std::string exact_header;  // to be put over the start of a body that is sent whole
    double seconds() const {
        return sample_rate > 0 ? static_cast<double>(samples) / sample_rate : 0;
    }
    // Grow while it is rendered.
    std::uint64_t bytes = 0;  // encoded
    std::chrono::steady_clock::duration engine_time{};
    std::unique_ptr<Meter> meter;  // null: not metered
};

}  // namespace vf::speech
