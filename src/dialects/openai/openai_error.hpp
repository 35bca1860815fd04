#pragma once
// OpenAI's error envelope: {"error": {message, type, param, code}}, all four always there.

#include "base/error.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

namespace vf::openai {

// An http::ErrorFormat. Sets Retry-After.
http::Response ErrorResponse(const Error& error, const http::Request& request);

}  // namespace vf::openai
