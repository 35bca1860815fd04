#pragma once
// Deepgram's errors: {"err_code", "err_msg", "request_id"} over HTTP; on the sockets
// {"type": "Error", "code", "description"}.

#include <string>

#include "base/error.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

namespace vf::deepgram {

// An http::ErrorFormat. Sets Retry-After.
http::Response ErrorResponse(const Error& error, const http::Request& request);

// What an error is called on a socket: "DATA-0000", "NET-0001", …, else its code in capitals.
std::string SocketErrorCode(const Error& error);

}  // namespace vf::deepgram
