#include "dialects/socket_access.hpp"

#include "identity/credential.hpp"

namespace vf::dialects {
namespace {

constexpr std::chrono::seconds kBelieved{1};

Error Conflict() {
    return {ErrorKind::kUnauthenticated, "conflicting_credentials",
            "Two different credentials were sent. Send one: in a header, in the query or in the "
            "first message."};
}

bool IsOurs(std::string_view key) {
    return key.starts_with("vf_");
}

// Makes a key of the query one that the guard sees.
Result<void> TakeQueryKey(http::Request& request) {
    const std::optional<std::string> value = request.QueryParam("authorization");
    if (!value || value->empty()) return {};
    const std::string_view key = WithoutBearer(*value);
    const std::string_view sent = request.headers.Get("X-API-Key");
    if (!sent.empty() && sent != key) return Conflict();
    request.headers.Set("X-API-Key", key);
    return {};
}

}  // namespace

void DeclareSettings(SettingsSchema& schema, SocketOptions& options) {
    using std::chrono::milliseconds;
    using std::chrono::minutes;
    schema.Integer("sockets.max_contexts", options.max_contexts, 1, 1000,
                   {"10", "Most contexts of one WebSocket that are open or still spoken."});
    schema.Duration("sockets.idle_timeout", options.idle_timeout, milliseconds(100), minutes(60),
                    {"60s", "Time a /v1/stream socket is kept without a message or speech."});
    schema.Duration("sockets.admission_time", options.admission_time, milliseconds(100),
                    minutes(10), {"10s", "Time for the message that carries the API key."});
}

std::string_view WithoutBearer(std::string_view value) {
    const std::size_t space = value.find(' ');
    if (space != std::string_view::npos &&
        http::EqualsIgnoringCase(value.substr(0, space), "bearer")) {
        value = value.substr(space + 1);
    }
    return http::Trim(value);
}

http::Guard SocketGuard(const identity::Access& access, Scope scope) {
    http::Guard guard = access.Guard(scope);
    guard.early = [inner = guard.early](http::Request& request) -> std::optional<Result<void>> {
        const Result<void> taken = TakeQueryKey(request);
        if (!taken) return taken;
        std::optional<Result<void>> decided = inner(request);
        const bool has_none = identity::FindCredential(request).value.empty();
        if (decided && !*decided && has_none &&
            decided->error().kind() == ErrorKind::kUnauthenticated) {
            return Result<void>();  // the first message may have one
        }
        return decided;
    };
    return guard;
}

SocketCaller::SocketCaller(const identity::Access& access, Scope scope,
                           std::shared_ptr<http::WebSocket> socket)
    : access_(access), scope_(scope), socket_(std::move(socket)), guard_(access.Guard(scope)),
      checked_(std::chrono::steady_clock::now()) {}

Task<Result<void>> SocketCaller::Admit(std::string key) {
    http::Request& request = socket_->request();
    key = std::string(WithoutBearer(key));
    // As with headers: a demo caller may send what its client calls a key.
    const bool is_demo = request.caller.kind == Caller::Kind::kDemo;
    if (key.empty() || (is_demo && !IsOurs(key))) {
        if (known()) co_return Result<void>();
        co_return Error(ErrorKind::kUnauthenticated, "missing_api_key",
                        "Send an API key: in the header Authorization or xi-api-key, or in the "
                        "first message.");
    }
    const identity::Credential sent = identity::FindCredential(request);
    if (!sent.value.empty() && known() && !is_demo) {
        if (sent.value != key) co_return Conflict();
        co_return Result<void>();
    }
    Caller from = request.caller;
    Result<Caller> admitted = co_await access_.AdmitKey(key, scope_, std::move(from));
    if (!admitted) co_return admitted.error();
    request.caller = *std::move(admitted);
    key_ = std::move(key);
    checked_ = std::chrono::steady_clock::now();
    co_return Result<void>();
}

Task<Result<void>> SocketCaller::StillAdmitted() {
    const auto now = std::chrono::steady_clock::now();
    if (now - checked_ < kBelieved) co_return Result<void>();
    checked_ = now;
    http::Request& request = socket_->request();
    if (!key_.empty()) {
        std::string key = key_;
        Caller from = request.caller;
        Result<Caller> admitted =
            co_await access_.AdmitKey(std::move(key), scope_, std::move(from));
        if (!admitted) co_return admitted.error();
        request.caller = *std::move(admitted);
        co_return Result<void>();
    }
    std::optional<Result<void>> decided = guard_.early(request);
    if (decided) co_return *decided;
    Task<Result<void>> late = guard_.late(request);
    co_return co_await std::move(late);
}

http::CloseCode SocketCloseCode(const Error& error) {
    switch (error.kind()) {
        case ErrorKind::kUnavailable:
        case ErrorKind::kDeadline: return http::CloseCode::kTryAgain;
        case ErrorKind::kInternal: return http::CloseCode::kInternal;
        case ErrorKind::kUnsupportedMediaType: return http::CloseCode::kUnsupported;
        default: return http::CloseCode::kPolicy;
    }
}

}  // namespace vf::dialects
