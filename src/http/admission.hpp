#pragma once
// What is decided about a request when its header is there and its body is not: whether it is known
// here, allowed, and of a form that its route takes. No socket in here.

#include <cstdint>
#include <optional>

#include "http/reader.hpp"
#include "http/request.hpp"
#include "http/response.hpp"
#include "http/router.hpp"

namespace vf::http {

struct Admission {
    Route* route = nullptr;          // null for 404, 405 and automatic OPTIONS
    std::optional<Response> answer;  // the request ends here
    std::uint64_t max_body = 0;
    bool is_guard_late = false;  // to be asked again, by its `late`, after the body
    bool expects_continue = false;
};

// Fills `request` from `head` (which it empties) and decides. `request.peer` and the caller's
// address are set before.
Admission Admit(RequestHead& head, Request& request, Router& router, std::uint64_t max_body);

// Fills `request` from what was read of a malformed one, so that its error can be formatted.
void DescribeBadRequest(RequestHead& head, Request& request);

// The answer to an exception that left a handler: an UnavailableException's error, else 500 with
// nothing but the request id. Logs the latter. Call inside a catch block.
Error ErrorOfException(const Request& request);

// A well-formed X-Request-Id is taken over: 1 to 128 of [A-Za-z0-9._-].
bool IsRequestId(std::string_view text);

}  // namespace vf::http
