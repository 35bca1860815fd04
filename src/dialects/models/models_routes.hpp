#pragma once
// GET /v1/models, which two vendors' clients ask for and expect different answers to: a bare array
// for ElevenLabs' (they send `xi-api-key`, or come in below /elevenlabs), OpenAI's list object for
// all others. Errors likewise.

#include "engines/voice.hpp"
#include "http/router.hpp"
#include "identity/access.hpp"

namespace vf::models {

// Everything given must outlive the router.
void AddRoutes(http::Router& router, const engines::Catalogue& catalogue,
               const identity::Access& access);

}  // namespace vf::models
