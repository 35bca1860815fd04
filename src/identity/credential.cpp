#include "identity/credential.hpp"

namespace vf::identity {

Credential FindCredential(const http::Request& request) {
    std::string_view bearer = request.headers.Get("Authorization");
    const std::size_t space = bearer.find(' ');
    const std::string_view scheme = bearer.substr(0, space);
    if (space != std::string_view::npos &&
        (http::EqualsIgnoringCase(scheme, "bearer") || http::EqualsIgnoringCase(scheme, "token"))) {
        bearer = http::Trim(bearer.substr(space + 1));
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

}  // namespace vf::identity
