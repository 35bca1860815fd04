#pragma once
// GET /v1/usage/character-stats: what a team used over time.

#include <chrono>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "http/request.hpp"
#include "usage/usage_service.hpp"

namespace vf::elevenlabs {

struct StatsQuery {
    enum class Step { kDay, kWeek, kMonth, kCumulative };
    usage::Period period;   // whole days, at most usage::kLongestPeriod
    std::string breakdown;  // "none", "voice" or "key"
    std::string metric;     // "characters", "requests" or "minutes"
    Step step = Step::kDay;
};

// start_unix and end_unix (milliseconds), breakdown_type, aggregation_interval, metric; others are
// not looked at. kInvalid "invalid_parameters".
Result<StatsQuery> ReadStatsQuery(const http::Request& request);

// When each step begins, in Unix milliseconds.
std::vector<std::int64_t> StepsOf(const StatsQuery& query);
// The index of the step that a day ("2026-11-21") belongs to; none: outside.
std::optional<std::size_t> StepOf(const std::vector<std::int64_t>& steps, std::string_view day);

// {"time": […], "usage": {"All" | voice | key: […]}}; the 50 names that come first.
Task<json::object> CharacterStats(usage::UsageService service, TeamId team, StatsQuery query);

}  // namespace vf::elevenlabs
