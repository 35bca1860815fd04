#pragma once
// What a handler answers. The connection adds Date, Content-Length or Transfer-Encoding,
// Connection, X-Request-Id and X-Content-Type-Options; fields of these names set by a handler are
// replaced.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/byte_pipe.hpp"
#include "base/json.hpp"
#include "http/headers.hpp"

namespace vf::http {

// A body that is still being made. Sent in chunks (HTTP/1.0: until the connection closes) unless
// `length` is known. A pipe that fails, or that ends short of `length`, ends the connection without
// the last chunk, so that no client takes the body for complete. When the client is gone or stops
// reading, the pipe is abandoned.
struct StreamBody {
    std::shared_ptr<BytePipe> pipe;
    std::optional<std::uint64_t> length;
};

// A shared body is sent as it is, without a copy and never compressed on the way.
using Body = std::variant<std::string, std::shared_ptr<const std::string>, StreamBody>;

class Response {
public:
    Response() = default;
    explicit Response(int status_code) : status(status_code) {}
    Response(int status_code, std::string_view content_type, Body content);

    int status = 200;
    Headers headers;
    Body body;
    // Called once on the loop when the exchange is over: true when all of the body was handed to
    // the kernel, false when the client went away or the body broke off. Not for quick handlers.
    std::function<void(bool is_whole)> on_done;
};

Response JsonResponse(int status, const json::value& value);
Response TextResponse(int status, std::string text);  // text/plain; charset=utf-8
Response StreamResponse(std::string_view content_type, std::shared_ptr<BytePipe> pipe,
                        std::optional<std::uint64_t> length = std::nullopt);

// The standard phrase; "Unknown" when there is none.
std::string_view ReasonPhrase(int status);

}  // namespace vf::http
