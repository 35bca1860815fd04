#pragma once
// What machines and newcomers ask first: /health, /ready, /metrics, /openapi.json, /api/server, and
// the page at / with its assets.

#include <memory>
#include <string>

#include "app/ground.hpp"
#include "engines/engines.hpp"
#include "http/router.hpp"
#include "http/static_files.hpp"
#include "identity/access.hpp"

namespace vf::app {

// How far the start has come; written by ServerApp, read by /ready. On the loop.
struct Readiness {
    bool engines_started = false;
    bool database_started = false;  // reachable once, and migrated
    bool draining = false;
};

struct SystemRoutes {
    Readiness& readiness;
    engines::Engines& engines;
    const Ground& ground;
    const identity::Access& access;
    std::shared_ptr<const std::string> openapi;
    http::StaticFiles& page;

    // The members must outlive the router.
    static void Add(http::Router& router, SystemRoutes& routes);

    bool is_ready() const;
};

}  // namespace vf::app
