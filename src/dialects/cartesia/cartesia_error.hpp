#pragma once
// Cartesia's errors: {"error_code", "title", "message", "request_id", "doc_url"?} over HTTP; with
// type, done, status_code and context_id beside them as an event of a stream or a socket.

#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/json.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

namespace vf::cartesia {

// An http::ErrorFormat. Sets Retry-After.
http::Response ErrorResponse(const Error& error, const http::Request& request);

// The last message of a context, or of the whole stream when it has none.
json::object ErrorEvent(const Error& error, const std::string& request_id,
                        const std::optional<std::string>& context);

}  // namespace vf::cartesia
