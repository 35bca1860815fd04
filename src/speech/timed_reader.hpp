#pragma once
// Reads a speech as audio together with the timing that belongs to it: for replies that carry both
// (Server-Sent Events, JSON lines, sockets). The speech's only reader; on the loop.

#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/task.hpp"
#include "speech/speech.hpp"

namespace vf::speech {

// A stretch of audio and what became known with it.
struct TimedChunk {
    std::string audio;         // encoded; may be empty (an encoder holds back, or only timing came)
    double start_seconds = 0;  // the stretch of the whole audio that `audio` holds, as fed to the
    double end_seconds = 0;    // encoder; stretches follow one another without gaps
    // What begins in this stretch. Entries that came late are in the chunk after.
    std::vector<TimelineItem> words, phonemes, visemes, marks, characters, normalised_characters;
    bool is_last = false;
};

class TimedReader {
public:
    explicit TimedReader(std::shared_ptr<Speech> speech);
    // The next chunk; no value at the end. Errors: the speech's own.
    Task<Result<std::optional<TimedChunk>>> Next();

private:
    std::shared_ptr<Speech> speech_;
    std::size_t words_ = 0, phonemes_ = 0, visemes_ = 0, marks_ = 0, characters_ = 0,
                normalised_ = 0;
    std::uint64_t bytes_ = 0;
    double seconds_ = 0;
    bool is_over_ = false;
};

}  // namespace vf::speech
