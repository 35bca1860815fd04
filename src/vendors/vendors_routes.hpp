#pragma once
// /api/vendors: a team's own accounts at vendors of speech.

#include "http/router.hpp"
#include "identity/access.hpp"
#include "vendors/vendors.hpp"

namespace vf::vendors {

// Everything given must outlive the router. Reads need voices:read. Changes and tests need
// admin:write, since a connection holds a secret and spends the team's money elsewhere.
void AddRoutes(http::Router& router, Vendors& vendors, const identity::Access& access);

}  // namespace vf::vendors
