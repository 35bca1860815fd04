#include "identity/demo_mode.hpp"

#include <algorithm>
#include <array>
#include <cctype>

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

}  // namespace

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

}  // namespace vf::identity
