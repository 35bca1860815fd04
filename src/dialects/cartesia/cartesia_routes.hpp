#pragma once
// Cartesia's door: POST /tts/bytes, POST /tts/sse, WS /tts/websocket, GET /voices, GET
// /voices/{id}, and POST /voices/clone, which says that voices cannot be cloned. Also below
// /cartesia.

#include "dialects/socket_access.hpp"
#include "dictionaries/dictionaries.hpp"
#include "engines/voice.hpp"
#include "http/router.hpp"
#include "idempotency/idempotency.hpp"
#include "identity/access.hpp"
#include "speech/speech_service.hpp"

namespace vf::cartesia {

// All of it outlives the router.
struct Deps {
    Executor loop;
    speech::SpeechService& speech;
    const engines::Catalogue& catalogue;
    const identity::Access& access;
    idempotency::Idempotency& idempotency;
    dictionaries::Dictionaries& dictionaries;
    dialects::SocketOptions sockets;
};

// `deps` must outlive the router.
void AddRoutes(http::Router& router, const Deps& deps);

// Parts of AddRoutes.
void AddSpeechRoutes(http::Router& router, const Deps& deps);
void AddVoiceRoutes(http::Router& router, const Deps& deps);
void AddSocketRoute(http::Router& router, const Deps& deps);

}  // namespace vf::cartesia
