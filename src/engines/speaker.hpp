#pragma once
// One segment being spoken, whoever speaks it: a worker process of ours (engines.hpp) or somebody
// else's server (vendors/). What stands above asks a Speaker and reads an Utterance. On the loop.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "engines/pronunciation.hpp"
#include "engines/timing.hpp"

namespace vf::engines {

// What some speakers can be told about expression beside speed and pitch, each 0 to 1.
struct Expression {
    double stability = 0.5;
    double similarity_boost = 0.75;
    double style = 0;
    bool use_speaker_boost = true;

    bool operator==(const Expression&) const = default;
};

struct SegmentRequest {
    std::string voice;  // a voice's id
    std::string text;   // UTF-8 without NUL, 1 to kMaxTextBytes bytes, with something to say
    double speed = 1;   // factor, clamped to what the voice does natively
    double pitch = 0;   // semitones, clamped likewise
    bool wants_events = true;
    double pitch_range = 1;  // factor on F0's excursions, clamped likewise
    // Ascending, without overlap, at most kMaxPronunciations; a voice without phoneme_alphabet
    // takes none.
    std::vector<Pronunciation> pronunciations;
    // Same request and seed: the same samples, of engines that can (flite).
    std::optional<std::uint32_t> seed;
    // What follows is for speakers that can use it; workers do not look at it.
    std::string language;       // BCP 47; empty: not known
    std::string previous_text;  // spoken right before and after, for the melody
    std::string next_text;
    std::optional<Expression> expression;  // none: the voice's own
    // Nobody waits any more, while Speak() still does.
    std::shared_ptr<CancelFlag> cancel;
};

struct EngineChunk {
    std::vector<std::int16_t> samples;  // mono at the voice's sample rate; may be empty at the end
    // Events known since the chunk before; their times count from the segment's first sample and
    // may lie ahead of the samples delivered so far.
    std::vector<TimingEvent> events;
};

// One segment being spoken. Destroying it before the end cancels: who speaks is told.
class Utterance {
public:
    virtual ~Utterance() = default;

    virtual int sample_rate() const = 0;

    // The next chunk; no value when the segment is complete. After an error or the end it keeps
    // returning the same. One caller at a time. Errors: those of who speaks.
    virtual Task<Result<std::optional<EngineChunk>>> Next() = 0;
};

// Speaks with one voice. Shared: a speech that is under way keeps it.
class Speaker {
public:
    virtual ~Speaker() = default;

    // Waits until the segment is accepted; its audio comes from Utterance::Next().
    virtual Task<Result<std::unique_ptr<Utterance>>> Speak(SegmentRequest request) = 0;
};

}  // namespace vf::engines
