#pragma once
// One socket of /v1/stream: its contexts, and a coroutine for each that sends what is spoken.
// Shared by the handler, which reads messages, and those coroutines; on the loop.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bell.hpp"
#include "base/json.hpp"
#include "dialects/native/stream_socket.hpp"
#include "dialects/native/stream_socket_message.hpp"
#include "dialects/native/timing_json.hpp"
#include "dialects/socket_speech.hpp"

namespace vf::native {

struct StreamContext {
    std::string id;
    std::unique_ptr<speech::LiveSpeech> live;
    CharacterIndex index;  // of the text so far
    bool wants_timing = true;
    bool is_cancelled = false;
    std::uint64_t sent = 0;  // bytes of audio
    dialects::FlushMarks flushes;
};

class StreamSession {
public:
    StreamSession(const StreamSocketDeps& deps, std::shared_ptr<http::WebSocket> socket);

    // The whole life of the socket.
    static Task<void> Run(std::shared_ptr<StreamSession> self);

private:
    using ContextPtr = std::shared_ptr<StreamContext>;
    class Sink;

    static Task<void> ReadAll(std::shared_ptr<StreamSession> self);
    static Task<void> OnMessage(std::shared_ptr<StreamSession> self, http::SocketEvent event);
    static Task<void> OnTimeout(std::shared_ptr<StreamSession> self);
    static Task<void> OnStart(std::shared_ptr<StreamSession> self, StreamMessage message);
    static Task<void> OnContext(std::shared_ptr<StreamSession> self, StreamMessage message);
    static Task<Result<ContextPtr>> Open(std::shared_ptr<StreamSession> self,
                                         StreamMessage* message);
    static Task<void> SendAll(std::shared_ptr<StreamSession> self, ContextPtr context);
    static Task<bool> SendChunk(std::shared_ptr<StreamSession> self, ContextPtr context,
                                speech::TimedChunk chunk);
    static Task<void> SendFlushed(std::shared_ptr<StreamSession> self, ContextPtr context);
    static Task<void> SendEnd(std::shared_ptr<StreamSession> self, ContextPtr context,
                              std::optional<Error> failure);

    // Without a context the socket is closed.
    static Task<void> Fail(std::shared_ptr<StreamSession> self, Error error,
                           std::optional<std::string> context);
    static void Flush(const std::shared_ptr<StreamSession>& self, const ContextPtr& context);
    void CloseIfDone();

    const StreamSocketDeps& deps_;
    std::shared_ptr<http::WebSocket> socket_;
    dialects::SocketCaller caller_;
    bool is_admitted_ = false;
    bool is_draining_ = false;
    std::map<std::string, ContextPtr, std::less<>> open_;  // that take text
    std::vector<ContextPtr> speaking_;                     // whose coroutine runs
    Bell one_ended_;
};

}  // namespace vf::native
