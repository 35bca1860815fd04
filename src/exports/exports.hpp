#pragma once
// What a team may take with it: its own events of a period, collected by a background job
// ("team_export") whose result is NDJSON, one event a line, as GET /api/events would show it.

#include "events/events.hpp"
#include "http/router.hpp"
#include "jobs/jobs.hpp"

namespace vf::exports {

inline constexpr const char* kExportKind = "team_export";

// Before jobs.Start. `events` must outlive `jobs`. An export larger than `max_bytes` fails with
// "export_too_large": a shorter period helps.
void AddHandler(jobs::Jobs& jobs, events::Events& events, std::uint64_t max_bytes);

// POST /api/exports and its alias: {"from": "2026-01-01T00:00:00Z", "to": …}; 202 with the job.
void AddRoutes(http::Router& router, jobs::Jobs& jobs, const http::Guard& write);

}  // namespace vf::exports
