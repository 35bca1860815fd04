#pragma once
// One request as a handler sees it. Owned by its connection and valid until the handler's task has
// ended; used on the loop only. What must live longer (a spawned producer) copies or moves it out.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/caller.hpp"
#include "base/cancel.hpp"
#include "http/headers.hpp"

namespace vf::http {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions };
inline constexpr std::size_t kMethodCount = 7;

std::string_view MethodName(Method method);  // "GET"
std::optional<Method> ParseMethod(std::string_view name);

// The other end of the connection.
struct Peer {
    std::string address;       // without the port; "unix" for a Unix socket
    bool is_loopback = false;  // 127.0.0.0/8, ::1 (also mapped), Unix socket
    bool is_tls = false;
};

class Request {
public:
    Method method = Method::kGet;
    int minor_version = 1;  // HTTP/1.x
    std::string target;     // as sent, without scheme and authority
    std::string path;       // percent-decoded, valid UTF-8, empty and trailing segments left out
    Headers headers;        // as sent; Host comes from the target when that is absolute
    std::string body;       // whole, within the route's limit
    std::string id;         // X-Request-Id when well-formed, else a new "req_…"
    Peer peer;
    Caller caller;
    // What the work is accounted under when the request was sent before (src/idempotency).
    std::optional<OperationId> operation;
    std::string_view route;  // the route's pattern, for metrics and logs; "none" when unknown
    // Cancelled when the client resets the connection while the handler works. Not for quick
    // handlers, where it is null. Half-closing is not a cancel: such a client still waits.
    std::shared_ptr<CancelFlag> cancel;

    // The decoded value of {name} in the route's pattern; "" when there is none.
    std::string_view PathParam(std::string_view name) const;

    // Query parameters, decoded ("+" is a space); the first one of a name. A malformed escape or
    // invalid UTF-8 has been refused before any handler runs.
    std::optional<std::string> QueryParam(std::string_view name) const;
    std::vector<std::pair<std::string, std::string>> QueryParams() const;

    std::string_view Query() const;  // still encoded, without the question mark

    // Content-Type without parameters, lower case; "" when there is none.
    std::string_view MediaType() const;

    // For the connection.
    std::string media_type;
    std::vector<std::pair<std::string_view, std::string>> path_params;
};

}  // namespace vf::http
