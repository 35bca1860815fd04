#pragma once
// GET /api/voices, /api/voices/{voice_id} and /api/voices/{voice_id}/preview, with their aliases
// under /api/v1.

#include "dialects/native/preview.hpp"
#include "http/router.hpp"
#include "identity/access.hpp"
#include "speech/speech_service.hpp"

namespace vf::native {

// Everything given must outlive the router.
void AddVoiceRoutes(http::Router& router, speech::SpeechService& speech, Previews& previews,
                    const identity::Access& access);

}  // namespace vf::native
