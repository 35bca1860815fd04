#pragma once
// GET /api/events and its alias: server-sent events, or one page of JSON when that is asked for.

#include "events/events.hpp"
#include "http/router.hpp"

namespace vf::events {

// `read` lets in who may see a team's events (Scope::kAdminRead). `events` must outlive the router.
void AddRoutes(http::Router& router, Events& events, const http::Guard& read);

}  // namespace vf::events
