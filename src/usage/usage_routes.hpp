#pragma once
// GET /api/usage, /api/usage/summary, /api/stats, with aliases under /api/v1.

#include <functional>

#include "http/router.hpp"
#include "pg/database.hpp"

namespace vf::usage {

// `guard` admits who may read usage. `database` may return null while the database is starting:
// 503. Both must outlive the router.
void AddRoutes(http::Router& router, std::function<pg::Database*()> database,
               const http::Guard& guard);

}  // namespace vf::usage
