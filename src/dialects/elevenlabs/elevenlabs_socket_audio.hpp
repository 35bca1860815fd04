#pragma once
// A speech as ElevenLabs' sockets send it: JSON messages with base64 audio and, for the characters
// that begin in this audio, whole milliseconds from its start.
//
// Clients add up the messages' spans to know where they are, so that a message always holds its
// characters together with all of its audio: the last character's duration reaches to the end of
// the audio, no duration reaches beyond it, and audio in which no character begins waits (for up to
// half a second of it) for the audio that follows.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "speech/timed_reader.hpp"

namespace vf::elevenlabs {

class SocketAudio {
public:
    // `context` stands in every message; no value: in none.
    explicit SocketAudio(std::optional<std::string> context) : context_(std::move(context)) {}

    // The message that is complete with this chunk, if any.
    std::optional<std::string> Add(speech::TimedChunk chunk);
    // What waited for more.
    std::optional<std::string> Rest();
    // The last message.
    std::string Final() const;

private:
    std::string Message();

    std::optional<std::string> context_;
    std::string audio_;
    double start_seconds_ = 0;
    double end_seconds_ = 0;
    std::vector<speech::TimelineItem> characters_;
    std::vector<speech::TimelineItem> normalised_;
};

// {"message", "error", "code", "param"?, "contextId"?}. `code` is the close code that belongs to
// it.
std::string ErrorMessage(const Error& error, std::string_view name, int code,
                         const std::optional<std::string>& context);

}  // namespace vf::elevenlabs
