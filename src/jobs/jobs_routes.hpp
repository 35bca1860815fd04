#pragma once
// /api/jobs and its alias: a team's background jobs, listed, followed, cancelled, tried again.

#include "http/router.hpp"
#include "jobs/jobs.hpp"

namespace vf::jobs {

// `read` and `write` let in who may (Scope::kSpeechRead, Scope::kSpeechWrite). `jobs` must outlive
// the router.
void AddRoutes(http::Router& router, Jobs& jobs, const http::Guard& read, const http::Guard& write);

}  // namespace vf::jobs
