#pragma once
// The native door: POST /v1/generate and /v1/generate/stream with their aliases.

#include "blob/blob.hpp"
#include "dictionaries/dictionaries.hpp"
#include "http/router.hpp"
#include "idempotency/idempotency.hpp"
#include "identity/access.hpp"
#include "speech/speech_service.hpp"

namespace vf::native {

// Everything given must outlive the router.
void AddRoutes(http::Router& router, speech::SpeechService& speech, const identity::Access& access,
               idempotency::Idempotency& idempotency, dictionaries::Dictionaries& dictionaries,
               blob::Blobs& blobs);

}  // namespace vf::native
