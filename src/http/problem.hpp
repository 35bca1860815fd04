#pragma once
// Errors as RFC 9457 application/problem+json, the product's own dialect:
// {"type":"/errors/<code>","title":…,"status":…,"detail":…,"code":…,"request_id":…,
//  "errors":[{"pointer":"/speed" | "parameter":"limit","code":…,"message":…}]}
// `errors` is there only when single fields are wrong.

#include "base/error.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

namespace vf::http {

// Makes one dialect's error body from an Error.
using ErrorFormat = Response (*)(const Error&, const Request&);

Response ProblemResponse(const Error& error, const Request& request);

// For every ErrorFormat: sets Retry-After from error.retry_after().
void SetRetryAfter(Response& response, const Error& error);

}  // namespace vf::http
