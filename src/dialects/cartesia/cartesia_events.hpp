#pragma once
// The messages of Cartesia's streams: {"type": "chunk" | "timestamps" | "phoneme_timestamps" |
// "flush_done" | "done"}. Times are seconds on the clock of the whole context.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "dialects/cartesia/generation.hpp"
#include "speech/timed_reader.hpp"

namespace vf::cartesia {

// Makes the messages of one speech, in order.
class Events {
public:
    // `has_flushes`: chunks say which flush they belong to.
    Events(const Generation& generation, std::optional<std::string> context, bool has_flushes);

    // Of one chunk: none to three. `text` is all that was said so far.
    std::vector<std::string> OfChunk(const speech::TimedChunk& chunk, std::string_view text);
    std::string FlushDone();
    std::string Done() const;

private:
    json::object Begin(const char* type, int status) const;
    std::string Chunk(std::string_view audio);

    std::optional<std::string> context_;
    bool has_flushes_;
    bool wants_words_;
    bool wants_phonemes_;
    bool is_normalised_;
    int flush_id_ = 1;  // of what comes next
    std::chrono::steady_clock::time_point step_ = std::chrono::steady_clock::now();
};

// A word with the punctuation that clings to it: "brown," of "the brown, quick".
std::string WrittenWord(const speech::TimelineItem& word, std::string_view text);

}  // namespace vf::cartesia
