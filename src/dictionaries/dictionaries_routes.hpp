#pragma once
// /api/dictionaries: pronunciation dictionaries, their versions, PLS in and out, and which of them
// a team's requests use by themselves.

#include "dictionaries/dictionaries.hpp"
#include "http/router.hpp"
#include "identity/access.hpp"

namespace vf::dictionaries {

// Everything given must outlive the router. Reads need voices:read, changes voices:write.
void AddRoutes(http::Router& router, Dictionaries& dictionaries, const identity::Access& access);

}  // namespace vf::dictionaries
