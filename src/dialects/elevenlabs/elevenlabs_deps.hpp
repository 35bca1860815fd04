#pragma once
// What the ElevenLabs routes stand on. All of it outlives the router.

#include <functional>

#include "dialects/socket_access.hpp"
#include "dictionaries/dictionaries.hpp"
#include "engines/voice.hpp"
#include "history/history.hpp"
#include "http/router.hpp"
#include "idempotency/idempotency.hpp"
#include "identity/access.hpp"
#include "pg/database.hpp"
#include "speech/speech_service.hpp"
#include "voices/voices.hpp"

namespace vf::elevenlabs {

struct Deps {
    speech::SpeechService& speech;
    const identity::Access& access;
    idempotency::Idempotency& idempotency;
    dictionaries::Dictionaries& dictionaries;
    history::History& history;
    voices::VoiceSettings& voice_settings;
    std::function<pg::Database*()> database;  // null until it is up
    std::int64_t max_concurrent = 0;          // speeches of this server
    Executor loop;
    dialects::SocketOptions sockets;
};

// A voice as /v1/voices shows it; the settings are the team's.
json::object VoiceJson(const engines::Voice& voice, json::object settings);

// Adds a route that JSON answers, with ElevenLabs' errors.
struct RouteAdder {
    http::Router& router;
    const Deps& deps;

    void operator()(http::Method method, const char* pattern, Scope scope,
                    Task<http::Response> (*handler)(http::Request&, const Deps&),
                    std::vector<std::string> consumes = {}, std::uint64_t max_body = 0) const;
};

// `deps` must outlive the router.
void AddSpeechRoutes(http::Router& router, const Deps& deps);
void AddVoiceRoutes(http::Router& router, const Deps& deps);
void AddHistoryRoutes(http::Router& router, const Deps& deps);
void AddDictionaryRoutes(http::Router& router, const Deps& deps);
void AddAccountRoutes(http::Router& router, const Deps& deps);
void AddSocketRoutes(http::Router& router, const Deps& deps);

}  // namespace vf::elevenlabs
