#pragma once
// What a request shows to say who it is, in the order of precedence: `xi-api-key`, then
// `Authorization: Bearer` (or `Token`, as Deepgram's clients say), then `X-API-Key`. Two that
// disagree are refused.

#include <string_view>

#include "http/request.hpp"

namespace vf::identity {

struct Credential {
    std::string_view value;  // into the request's headers; empty: none was sent
    bool conflict = false;
};

Credential FindCredential(const http::Request& request);

}  // namespace vf::identity
