#pragma once
// WS /tts/websocket: contexts beside each other, each one speech whose text may come in parts.
//
// A message that is wrong is answered with an error event: of its context, which ends by it, or of
// none; the socket and its other contexts go on. Only what concerns the socket as a whole closes
// it: credentials (1008), binary messages (1003), silence (1008).
//
// A context's voice and sound are those of its first message. It ends by a message without
// `continue`, by `cancel` (nothing is said any more, not even `done`), or when nothing came for it
// for sockets.vendor_idle_timeout. Shared by the handler, which reads messages, and a coroutine for
// each context that sends what is spoken; on the loop.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bell.hpp"
#include "dialects/cartesia/cartesia_events.hpp"
#include "dialects/cartesia/cartesia_routes.hpp"
#include "dialects/socket_speech.hpp"

namespace vf::cartesia {

using Clock = std::chrono::steady_clock;

// One speech.
struct SocketContext {
    SocketContext(std::string name, Generation first);

    std::string id;
    Generation generation;  // of its first message
    Events events;
    std::unique_ptr<speech::LiveSpeech> live;
    std::uint64_t sent = 0;
    dialects::FlushMarks flushes;
    bool is_cancelled = false;
    Clock::time_point heard;
    std::optional<Clock::time_point> due;  // when what is no whole sentence is spoken all the same
};

class SocketSession {
public:
    SocketSession(const Deps& deps, std::shared_ptr<http::WebSocket> socket);

    // The whole life of the socket.
    static Task<void> Run(std::shared_ptr<SocketSession> self);

private:
    using ContextPtr = std::shared_ptr<SocketContext>;
    class Sink;

    static Task<void> ReadAll(std::shared_ptr<SocketSession> self);
    static Task<void> OnMessage(std::shared_ptr<SocketSession> self, http::SocketEvent event);
    static Task<void> OnTimeout(std::shared_ptr<SocketSession> self);
    static Task<void> OnGeneration(std::shared_ptr<SocketSession> self, ClientMessage message);
    static Task<Result<ContextPtr>> Open(std::shared_ptr<SocketSession> self, std::string id,
                                         Generation generation);
    static Task<void> SendAll(std::shared_ptr<SocketSession> self, ContextPtr context);
    static Task<void> SendFlushed(std::shared_ptr<SocketSession> self, ContextPtr context);
    static Task<void> SendEnd(std::shared_ptr<SocketSession> self, ContextPtr context,
                              dialects::SpeechEnd end);
    static Task<void> Tell(std::shared_ptr<SocketSession> self, Error error,
                           std::optional<std::string> context);

    void Append(const ContextPtr& context, std::string text);
    static void Flush(const std::shared_ptr<SocketSession>& self, const ContextPtr& context);
    void Cancel(const std::string& id);
    void Drain();
    void CloseIfDrained();
    bool is_speaking(const std::string& id) const;
    Clock::duration ReadLimit() const;

    const Deps& deps_;
    std::shared_ptr<http::WebSocket> socket_;
    dialects::SocketCaller caller_;
    bool is_draining_ = false;
    std::map<std::string, ContextPtr, std::less<>> open_;  // that take text
    std::vector<ContextPtr> speaking_;                     // whose coroutine runs
    Bell one_ended_;
    Clock::time_point heard_;
};

}  // namespace vf::cartesia
