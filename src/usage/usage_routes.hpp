#pragma once
// GET /api/usage, /api/usage/summary, /api/stats, with aliases under /api/v1.

#include <functional>

#include "http/router.hpp"
#include "identity/access.hpp"
#include "pg/database.hpp"

namespace vf::usage {

// `database` may return null while the database is starting: 503. Both must outlive the router.
void AddRoutes(http::Router& router, std::function<pg::Database*()> database,
               const identity::Access& access);

}  // namespace vf::usage
