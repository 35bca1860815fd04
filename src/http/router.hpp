#pragma once
// Which handler answers which path. Filled at start, then only read; one loop, not thread-safe.
//
// Patterns: "/v1/voices/{voice_id}"; typed: "{id:int}" (digits that fit 63 bits), "{id:uuid}" (36
// characters with dashes or 32 digits), "{rest:path}" (last; one or more segments). A literal
// segment wins over int, int over uuid, uuid over any, any over path; the winner answers for the
// path, with 405 for what it lacks. Empty segments of a request
// ("//", a trailing slash) are ignored; "." and ".." are refused before.
// GET routes answer HEAD; OPTIONS answers by itself with Allow.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/task.hpp"
#include "http/problem.hpp"
#include "http/request.hpp"
#include "http/response.hpp"
#include "http/websocket.hpp"

namespace vf::http {

using Handler = std::function<Task<Response>(Request&)>;
// Never waits and takes well under a millisecond: no coroutine is made for it.
using QuickHandler = std::function<Response(Request&)>;
// Who may come in: fills request.caller, or says why not; its error is the answer, in the route's
// format. `early` runs before the body is read. When it has no value it could not tell without
// waiting (a key nobody asked for lately), and `late` decides after the body was read.
struct Guard {
    std::function<std::optional<Result<void>>(Request&)> early;
    std::function<Task<Result<void>>(Request&)> late;
};

struct RouteOptions {
    std::uint64_t max_body = 0;         // bytes; 0: the server's http.max_body
    std::vector<std::string> consumes;  // media types a body may have, else 415; empty: any
    std::vector<std::string> produces;  // Accept must allow one of them, else 406; empty: no check
    ErrorFormat errors = ProblemResponse;
    Guard guard;
    // Of a socket: what Sec-WebSocket-Protocol may ask for, lower case; the first one that the
    // client names is agreed on. None of them: the socket is opened without one.
    std::vector<std::string> subprotocols;
};

struct RouteInfo {
    Method method;
    std::string pattern;
    bool is_socket = false;
};

// Counts and times of one route; see metrics.hpp.
class RouteMetrics;

struct Route {
    Method method;
    std::string pattern;
    Handler handler;
    QuickHandler quick;
    SocketHandler socket;
    RouteOptions options;
    std::shared_ptr<RouteMetrics> metrics;  // set by the server when it first answers
};

class Router {
public:
    Router();
    ~Router();
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;

    // Throws std::logic_error for a malformed pattern, or when method and pattern are taken.
    void Add(Method method, std::string pattern, Handler handler, RouteOptions options = {});
    void Add(Method method, std::string pattern, QuickHandler handler, RouteOptions options = {});
    // The same handler under several patterns: aliases.
    void AddAll(Method method, const std::vector<std::string>& patterns, const Handler& handler,
                const RouteOptions& options = {});

    // A WebSocket: a GET that is upgraded. The guard and what it answers, and an error before the
    // upgrade (426 for a plain GET), are as for any route.
    void AddSocket(std::string pattern, SocketHandler handler, RouteOptions options = {});

    // Every route is found below "/<segment>" as well, and so is its error format, where nothing is
    // registered there: for clients that need an address of their own.
    void Mount(std::string segment);

    // The format of 404, 405 and malformed requests for paths at or below `prefix` ("/v1/audio").
    // The longest prefix wins; elsewhere it is ProblemResponse.
    void ErrorsUnder(std::string prefix, ErrorFormat format);
    ErrorFormat ErrorsFor(std::string_view path) const;

    std::vector<RouteInfo> Routes() const;

    // For the connection: the route of a request and the methods that its path has. `segments` are
    // decoded. HEAD finds GET.
    struct Match {
        Route* route = nullptr;
        unsigned allowed = 0;  // bit per Method; 0: no such path
        std::vector<std::pair<std::string_view, std::string>> params;
    };
    Match Find(Method method, const std::vector<std::string>& segments);

private:
    struct Node;
    Route& Insert(Method method, std::string pattern, RouteOptions options);
    const std::pair<std::string, ErrorFormat>* FormatOf(std::string_view path) const;
    bool Walk(Node& node, const std::vector<std::string>& segments, std::size_t at, Method method,
              std::vector<std::string>& values, Match& match);

    std::unique_ptr<Node> root_;
    std::vector<std::pair<std::string, ErrorFormat>> formats_;
    std::vector<RouteInfo> routes_;
    std::vector<std::string> mounts_;
};

// "GET, HEAD, OPTIONS" from Match::allowed.
std::string AllowHeader(unsigned allowed);

}  // namespace vf::http
