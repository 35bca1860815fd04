#pragma once
// OpenAI's door: POST /v1/audio/speech, and the two lists that self-hosted front ends ask for, GET
// /v1/audio/voices and /v1/audio/models. (/v1/models is shared with ElevenLabs': dialects/models.)

#include "dictionaries/dictionaries.hpp"
#include "engines/voice.hpp"
#include "http/router.hpp"
#include "idempotency/idempotency.hpp"
#include "identity/access.hpp"
#include "speech/speech_service.hpp"

namespace vf::openai {

// Everything given must outlive the router.
void AddRoutes(http::Router& router, speech::SpeechService& speech,
               const engines::Catalogue& catalogue, const identity::Access& access,
               idempotency::Idempotency& idempotency, dictionaries::Dictionaries& dictionaries);

}  // namespace vf::openai
