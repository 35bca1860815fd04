#pragma once
// The body of POST /v1/generate and /v1/generate/stream, as JSON or as a form.

#include <vector>

#include "base/result.hpp"
#include "dictionaries/dictionaries.hpp"
#include "http/request.hpp"
#include "speech/speech.hpp"

namespace vf::native {

struct GenerateRequest {
    speech::SpeechRequest speech;
    std::vector<dictionaries::Locator> dictionaries;  // empty: the team's own
};

// Closed: an unknown or repeated member is an error; every wrong member is named.
Result<GenerateRequest> ReadGenerateBody(const http::Request& request);

}  // namespace vf::native
