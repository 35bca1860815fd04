#pragma once
// /api/blobs: a team's stored objects, and the signed links that serve their content.

#include "blob/blob.hpp"
#include "http/router.hpp"
#include "identity/access.hpp"

namespace vf::blob {

// `blobs` must outlive the router. Content is served by signed links only: one door.
void AddRoutes(http::Router& router, Blobs& blobs, const identity::Access& access);

}  // namespace vf::blob
