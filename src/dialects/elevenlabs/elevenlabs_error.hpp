#pragma once
// ElevenLabs' errors: {"detail": {type, code, message, status, request_id, param}}, where `status`
// is the older name of `code`; and for members of a body or parameters that are wrong, with 422,
// {"detail": [{"loc", "msg", "type"}]}.

#include "base/error.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

namespace vf::elevenlabs {

// An http::ErrorFormat. Sets Retry-After.
http::Response ErrorResponse(const Error& error, const http::Request& request);

// What an Error is called here.
struct VendorError {
    int status;
    const char* type;
    std::string code;
};
VendorError VendorErrorOf(const Error& error);

}  // namespace vf::elevenlabs
