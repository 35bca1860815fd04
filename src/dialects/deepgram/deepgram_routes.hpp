#pragma once
// Deepgram's door: POST /v1/speak, WS /v1/speak and WS /v2/speak. Also below /deepgram.

#include "dialects/socket_access.hpp"
#include "dictionaries/dictionaries.hpp"
#include "engines/voice.hpp"
#include "http/router.hpp"
#include "idempotency/idempotency.hpp"
#include "identity/access.hpp"
#include "speech/speech_service.hpp"

namespace vf::deepgram {

// All of it outlives the router.
struct Deps {
    Executor loop;
    speech::SpeechService& speech;
    const engines::Catalogue& catalogue;  // what everybody has
    const identity::Access& access;
    idempotency::Idempotency& idempotency;
    dictionaries::Dictionaries& dictionaries;
    dialects::SocketOptions sockets;
};

// `deps` must outlive the router.
void AddRoutes(http::Router& router, const Deps& deps);

// A part of AddRoutes.
void AddSocketRoutes(http::Router& router, const Deps& deps);

}  // namespace vf::deepgram
