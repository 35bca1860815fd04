#pragma once
// ElevenLabs' sockets: /v1/text-to-speech/{voice_id}/stream-input, one speech a socket, and
// …/multi-stream-input, many contexts beside each other.
//
// A message that is wrong, and whatever a single speech meets, is answered with an error message
// and closes the socket; with contexts, what belongs to one context ends that context only. Error
// messages carry the close code: 1008 for what the client did, 1003 for binary messages, 1013 when
// the server is busy, 1011 when it is at fault.
//
// How a context ends: by {"text": ""} (stream-input), by close_context after a flush, or when
// nothing came for it for `inactivity_timeout`: what is there is spoken to its end. By
// close_context with text that was not flushed: the speech stops at once, as a listener who
// interrupts wants it.
//
// A session is one socket: its contexts, and a coroutine for each that sends what is spoken. Shared
// by the handler, which reads messages, and those coroutines; on the loop.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bell.hpp"
#include "dialects/elevenlabs/elevenlabs_socket_frame.hpp"
#include "dialects/elevenlabs/elevenlabs_socket_start.hpp"

namespace vf::elevenlabs {

// One speech.
struct SocketContext {
    std::optional<std::string> id;  // none in stream-input
    std::unique_ptr<speech::LiveSpeech> live;
    SocketStart start;
    speech::SpeechRequest request;
    bool has_unflushed = false;  // text that no flush was asked for
    bool is_stopped = false;     // by close_context: its end is told all the same
    std::chrono::steady_clock::time_point heard;
};

class SocketSession : public std::enable_shared_from_this<SocketSession> {
public:
    SocketSession(const Deps& deps, std::shared_ptr<http::WebSocket> socket, bool is_multi);

    // The whole life of the socket.
    static Task<void> Run(std::shared_ptr<SocketSession> self);

private:
    using ContextPtr = std::shared_ptr<SocketContext>;
    class Sink;

    static Task<void> ReadAll(std::shared_ptr<SocketSession> self);
    static Task<void> OnMessage(std::shared_ptr<SocketSession> self, http::SocketEvent event);
    static Task<void> OnTimeout(std::shared_ptr<SocketSession> self);
    static Task<void> OnSingle(std::shared_ptr<SocketSession> self, ClientFrame frame);
    static Task<void> OnMulti(std::shared_ptr<SocketSession> self, ClientFrame frame);
    static Task<Result<ContextPtr>> Open(std::shared_ptr<SocketSession> self,
                                         std::optional<std::string> id, ClientFrame frame);
    static Task<void> SendAll(std::shared_ptr<SocketSession> self, ContextPtr context);
    static Task<void> SendEnd(std::shared_ptr<SocketSession> self, ContextPtr context,
                              std::optional<Error> failure);

    // Tells the client and ends the socket; or, with a context, tells it of that one only.
    static Task<void> Fail(std::shared_ptr<SocketSession> self, Error error, http::CloseCode code);
    static Task<void> Tell(std::shared_ptr<SocketSession> self, Error error, std::string context);

    Result<void> Append(SocketContext& context, const ClientFrame& frame);
    void Finish(http::CloseCode code);  // what was begun is spoken, then the socket is closed
    void CloseIfDone();
    std::chrono::steady_clock::duration ReadLimit() const;
    speech::SpeechRequest RequestOf(const SocketQuery& query) const;

    const Deps& deps_;
    std::shared_ptr<http::WebSocket> socket_;
    const bool is_multi_;
    dialects::SocketCaller caller_;
    SocketQuery query_;
    bool is_admitted_ = false;
    std::optional<http::CloseCode> closing_;               // when nothing is spoken any more
    std::map<std::string, ContextPtr, std::less<>> open_;  // of multi-stream-input, by id
    ContextPtr single_;
    std::vector<ContextPtr> speaking_;  // whose coroutine runs
    Bell one_ended_;
    std::chrono::steady_clock::time_point heard_;
};

}  // namespace vf::elevenlabs
