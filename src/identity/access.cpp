#include "identity/access.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace vf::identity {
namespace {

constexpr std::array kForwardingHeaders = {"Forwarded",
                                           "X-Forwarded-For",
                                           "X-Forwarded-Host",
                                           "X-Forwarded-Proto",
                                           "X-Real-IP",
                                           "X-Forwarded-Port",
                                           "Via",
                                           "True-Client-IP",
                                           "CF-Connecting-IP"};

bool AllDigits(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return std::isdigit(static_cast<unsigned char>(c)); });
}

// "127.x.y.z" with nothing but numbers: not a name such as 127.0.0.1.example.org.
bool IsLoopbackV4(std::string_view host) {
    if (!host.starts_with("127.")) return false;
    int parts = 0;
    while (true) {
        const std::size_t dot = host.find('.');
        const std::string_view part = host.substr(0, dot);
        if (part.empty() || part.size() > 3 || !AllDigits(part)) return false;
        ++parts;
        if (dot == std::string_view::npos) return parts == 4;
        host.remove_prefix(dot + 1);
    }
}

// `authority` is a host with an optional port, as in Host and in an Origin.
bool IsLoopbackAuthority(std::string_view authority) {
    std::string_view host = authority;
    std::string_view port;
    if (host.starts_with('[')) {
        const std::size_t end = host.find(']');
        if (end == std::string_view::npos) return false;
        port = host.substr(end + 1);
        host = host.substr(0, end + 1);
    } else if (const std::size_t colon = host.find(':'); colon != std::string_view::npos) {
        port = host.substr(colon);
        host = host.substr(0, colon);
    }
    if (!port.empty() && (port.front() != ':' || !AllDigits(port.substr(1)))) return false;
    return host == "[::1]" || http::EqualsIgnoringCase(host, "localhost") || IsLoopbackV4(host);
}

bool IsLoopbackOrigin(std::string_view origin) {
    const std::size_t scheme = origin.find("://");
    if (scheme == std::string_view::npos) return false;  // "null" and the like
    return IsLoopbackAuthority(origin.substr(scheme + 3));
}

bool IsFromThisMachine(const http::Request& request) {
    if (!request.peer.is_loopback || !IsLoopbackAuthority(request.headers.Get("Host")))
        return false;
    for (const char* header : kForwardingHeaders) {
        if (request.headers.Has(header)) return false;
    }
    if (request.headers.Has("Origin") && !IsLoopbackOrigin(request.headers.Get("Origin"))) {
        return false;
    }
    // Browsers say so even where they send no Origin (a form, an image).
    return request.headers.Get("Sec-Fetch-Site") != "cross-site";
}

// The credential that is sent, in the order of precedence; two that differ are refused.
struct Credential {
    std::string_view value;
    bool conflict = false;
};

Credential FindCredential(const http::Request& request) {
    std::string_view bearer = request.headers.Get("Authorization");
    const std::size_t space = bearer.find(' ');
    if (space != std::string_view::npos &&
        http::EqualsIgnoringCase(bearer.substr(0, space), "bearer")) {
        bearer.remove_prefix(space + 1);
    }
    Credential found;
    for (const std::string_view value :
         {request.headers.Get("xi-api-key"), bearer, request.headers.Get("X-API-Key")}) {
        if (value.empty()) continue;
        if (found.value.empty()) {
            found.value = value;
        } else if (found.value != value) {
            found.conflict = true;
        }
    }
    return found;
}

}  // namespace

void DeclareSettings(SettingsSchema& schema, AccessOptions& options) {
    schema.Choice("auth.demo", options.demo, {"auto", "always", "never"},
                  {"\"always\"",
                   "Whether callers on this machine may speak without a key: until the first "
                   "account or key exists (auto), always, or never."});
}

http::Guard Access::Guard() const {
    return {[this](http::Request& request) { return Admit(request); }, nullptr};
}

Result<void> Access::Admit(http::Request& request) const {
    request.caller.address = request.peer.address;
    const Credential credential = FindCredential(request);
    if (credential.conflict) {
        return Error(ErrorKind::kUnauthenticated, "conflicting_credentials",
                     "Two different credentials were sent. Send one: Authorization, xi-api-key or "
                     "X-API-Key.");
    }
    if (credential.value.starts_with("vf_")) {
        return Error(ErrorKind::kUnauthenticated, "invalid_api_key",
                     "This API key is not known to this server.");
    }
    if (options_.demo != "never" && IsFromThisMachine(request)) {
        request.caller.kind = Caller::Kind::kDemo;
        request.caller.team = kDemoTeam;
        request.caller.billing = BillingAccountId{kDemoTeam.uuid};
        request.caller.scopes = Scopes::All();
        request.caller.plan = demo_plan_;
        request.caller.request_id = request.id;
        return {};
    }
    return Error(ErrorKind::kUnauthenticated, "missing_api_key",
                 "This server has no keys yet and answers only programs on its own machine, at "
                 "http://127.0.0.1 or http://localhost, without a proxy in between.");
}

}  // namespace vf::identity
