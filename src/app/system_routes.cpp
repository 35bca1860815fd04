#include "app/system_routes.hpp"

#include "app/instance_store.hpp"
#include "base/json.hpp"
#include "base/metrics.hpp"
#include "base/unavailable.hpp"
#include "engines/voice.hpp"
#include "http/problem.hpp"

namespace vf::app {
namespace {

http::Response Ready(const SystemRoutes& routes) {
    const char* engines = routes.engines.ready()             ? "ready"
                          : routes.readiness.engines_started ? "unavailable"
                                                             : "starting";
    const char* database = "starting";
    if (routes.readiness.database_started) {
        const pg::Database* open = routes.ground.database();
        database = open && open->available() ? "ready" : "unavailable";
    }
    // Refusing new work, or in need of an operator's look; speech goes on in the second case.
    const char* journal = "starting";
    if (usage::Journal* open = routes.ground.journal()) {
        const Result<void> accepting = open->Accepting();
        journal = !accepting && accepting.error().code() == "journal_full" ? "full"
                  : !accepting                                             ? "failed"
                  : open->damaged_segments() > 0                           ? "damaged"
                                                                           : "ready";
    }
    const char* status = "ready";
    if (routes.readiness.draining) {
        status = "draining";
    } else if (!routes.readiness.database_started || !routes.readiness.engines_started) {
        status = "starting";
    } else if (!routes.is_ready()) {
        status = "unavailable";
    }
    return http::JsonResponse(routes.is_ready() ? 200 : 503, json::object{{"status", status},
                                                                          {"engines", engines},
                                                                          {"database", database},
                                                                          {"journal", journal}});
}

Task<http::Response> Server(http::Request& request, const SystemRoutes& routes) {
    pg::Database* database = routes.ground.database();
    if (!database) {
        const Error error = DatabaseNotUp();
        co_return http::ProblemResponse(error, request);
    }
    InstanceStore store(database->System("who this installation is"));
    const Instance instance = co_await store.FindOrMake();
    json::array engines;
    for (const engines::EngineStats& engine : routes.engines.stats()) {
        engines.push_back(json::object{{"name", engine.engine},
                                       {"version", engine.version},
                                       {"licence", engine.licence},
                                       {"workers", engine.workers},
                                       {"busy", engine.workers - engine.idle},
                                       {"restarts", engine.restarts}});
    }
    co_return http::JsonResponse(200,
                                 json::object{{"version", VOICEFLOW_VERSION},
                                              {"instance_id", instance.id.Wire()},
                                              {"created_at", instance.created_at},
                                              {"schema_version", instance.schema_version},
                                              {"voices", routes.engines.catalogue().All().size()},
                                              {"engines", std::move(engines)}});
}

http::Response Text(std::string body, const char* media_type) {
    http::Response response;
    response.headers.Set("Content-Type", media_type);
    response.body = std::move(body);
    return response;
}

http::Response Page(const SystemRoutes& routes, const http::Request& request,
                    std::string_view file) {
    Result<http::Response> response = routes.page.Serve(request, file);
    if (!response) return http::ProblemResponse(response.error(), request);
    return *std::move(response);
}

}  // namespace

bool SystemRoutes::is_ready() const {
    return engines.ready() && readiness.engines_started && readiness.database_started &&
           !readiness.draining;
}

void SystemRoutes::Add(http::Router& router, SystemRoutes& routes) {
    const http::RouteOptions open;
    http::RouteOptions operators;  // what they show is of all teams
    operators.guard = routes.access.Guard(Scope::kAdminRead);
    http::RouteOptions json_only;
    json_only.guard = routes.access.Guard();
    json_only.produces = {"application/json"};

    const auto quick = [&](const char* path, auto handler, const http::RouteOptions& options) {
        router.Add(http::Method::kGet, path, http::QuickHandler(std::move(handler)), options);
    };
    quick(
        "/health", [](http::Request&) { return Text(R"({"status":"ok"})", "application/json"); },
        open);
    quick("/ready", [&routes](http::Request&) { return Ready(routes); }, open);
    quick(
        "/metrics",
        [](http::Request&) {
            return Text(metrics::Render(), "text/plain; version=0.0.4; charset=utf-8");
        },
        operators);
    quick(
        "/openapi.json",
        [&routes](http::Request&) {
            http::Response response = Text("", "application/json");
            response.body = routes.openapi;
            return response;
        },
        open);
    quick("/", [&routes](http::Request& request) { return Page(routes, request, ""); }, open);
    quick(
        "/assets/{file}",
        [&routes](http::Request& request) {
            return Page(routes, request, request.PathParam("file"));
        },
        open);
    router.AddAll(
        http::Method::kGet, {"/api/server", "/api/v1/server"},
        [&routes](http::Request& request) { return Server(request, routes); }, json_only);
}

}  // namespace vf::app
