#pragma once
// What the dialects' sockets have in common when they send a live speech: reading it to its end,
// and saying "flushed" behind the right byte. On the loop.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "http/websocket.hpp"
#include "speech/timed_reader.hpp"

namespace vf::dialects {

// Where the chunks of one speech go.
class ChunkSink {
public:
    virtual ~ChunkSink() = default;
    // In order, one at a time; false: nothing more is wanted.
    virtual Task<bool> Take(speech::TimedChunk chunk) = 0;
};

// How a speech ended. Neither whole nor with a failure: nobody wanted the rest.
struct SpeechEnd {
    bool is_whole = false;
    std::optional<Error> failure;
};

// Hands everything to `sink`. What goes wrong on the way is written to the log under `request_id`
// and is the failure; nothing is thrown.
Task<SpeechEnd> ForwardSpeech(std::shared_ptr<speech::Speech> speech,
                              std::shared_ptr<ChunkSink> sink, std::string request_id);

// Flushes that were asked for, each done when so many bytes of its speech have been sent.
class FlushMarks {
public:
    void Add(std::uint64_t bytes) { marks_.push_back(bytes); }
    // Takes the next one if it is done.
    bool TakeDone(std::uint64_t sent);

private:
    std::deque<std::uint64_t> marks_;
};

}  // namespace vf::dialects
