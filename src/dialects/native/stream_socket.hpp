#pragma once
// WS /v1/stream: speech over a WebSocket, the text bit by bit and the audio as it is made. The
// messages stand in docs/streaming.md.

#include <functional>

#include "dialects/socket_access.hpp"
#include "http/router.hpp"
#include "speech/speech_service.hpp"

namespace vf::native {

// All of it must outlive the router.
struct StreamSocketDeps {
    Executor loop;
    speech::SpeechService& speech;
    const identity::Access& access;
    dialects::SocketOptions options;
    // Sets what is looked up for a speech: the team's dictionaries. Null: nothing is.
    std::function<Task<Result<void>>(speech::SpeechRequest* request)> prepare;
};

void AddStreamSocket(http::Router& router, const StreamSocketDeps& deps);

}  // namespace vf::native
