#pragma once
// WS /v1/stream: speech over a WebSocket, the text bit by bit and the audio as it is made. The
// messages stand in docs/streaming.md.

#include "dialects/socket_access.hpp"
#include "dictionaries/dictionaries.hpp"
#include "http/router.hpp"
#include "speech/speech_service.hpp"

namespace vf::native {

// All of it must outlive the router.
struct StreamSocketDeps {
    Executor loop;
    speech::SpeechService& speech;
    const identity::Access& access;
    dialects::SocketOptions options;
    dictionaries::Dictionaries& dictionaries;
};

void AddStreamSocket(http::Router& router, const StreamSocketDeps& deps);

}  // namespace vf::native
