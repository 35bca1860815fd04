#pragma once
// What the dialects' WebSockets have in common: who may open one, and their limits.
//
// A browser cannot set headers on a WebSocket and vendors' clients put their key into the first
// message, so that a socket without any credential is opened, and admitted by what its first
// message carries. One with a wrong credential is refused with an HTTP error.

#include <chrono>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/settings.hpp"
#include "base/task.hpp"
#include "http/websocket.hpp"
#include "identity/access.hpp"

namespace vf::dialects {

struct SocketOptions {
    std::int64_t max_contexts = 10;                    // that are spoken or open, of one socket
    std::chrono::milliseconds idle_timeout{60'000};    // of a native socket without a message
    std::chrono::milliseconds admission_time{10'000};  // for the message with the key
};

// Section "sockets".
void DeclareSettings(SettingsSchema& schema, SocketOptions& options);

// The guard of a socket's route: credentials in headers or in the query parameter `authorization`
// (with or without "Bearer "); none at all leaves the caller anonymous.
http::Guard SocketGuard(const identity::Access& access, Scope scope);

// The caller of one socket. `access` must outlive it.
class SocketCaller {
public:
    SocketCaller(const identity::Access& access, Scope scope,
                 std::shared_ptr<http::WebSocket> socket);

    // With the key of a message; "" when it has none. Errors: those of Access; kUnauthenticated
    // conflicting_credentials when the headers had another one.
    Task<Result<void>> Admit(std::string key);
    // Whether that still holds: asked at most once a second, so that a key that was revoked ends
    // its sockets.
    Task<Result<void>> StillAdmitted();

    bool known() const { return socket_->request().caller.known(); }

private:
    const identity::Access& access_;
    Scope scope_;
    std::shared_ptr<http::WebSocket> socket_;
    http::Guard guard_;
    std::string key_;  // of a message
    std::chrono::steady_clock::time_point checked_;
};

// What a socket that ends with this error is closed with (RFC 6455, 7.4).
http::CloseCode SocketCloseCode(const Error& error);

// "Bearer vf_…" and "vf_…" are the same key.
std::string_view WithoutBearer(std::string_view value);

}  // namespace vf::dialects
