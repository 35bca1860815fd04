#pragma once
// The body of POST /v1/generate, as JSON or as a form, read into a SpeechRequest.

#include "base/result.hpp"
#include "http/request.hpp"
#include "speech/speech.hpp"

namespace vf::native {

// Closed: an unknown or repeated member is an error; every wrong member is named.
Result<speech::SpeechRequest> ReadGenerateBody(const http::Request& request);

}  // namespace vf::native
