#include "dialects/elevenlabs/character_stats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace vf::elevenlabs {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::milliseconds;

constexpr std::int64_t kMaxNames = 50;
constexpr std::int64_t kMaxDays = 500;  // groups by day within the longest period

Error Wrong(const char* name, std::string words) {
    return {ErrorKind::kInvalid,
            "invalid_parameters",
            fmt::format("The query parameter {} {}", name, words),
            {{name, "invalid_parameters", words}}};
}

Result<usage::Time> ReadTime(const http::Request& request, const char* name) {
    const std::string text = request.QueryParam(name).value_or("");
    std::int64_t millis = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), millis);
    constexpr std::int64_t kLatest = 4'102'444'800'000;  // 2100
    if (text.empty() || ec != std::errc() || end != text.data() + text.size() || millis < 0 ||
        millis > kLatest) {
        return Wrong(name, "must be a time in Unix milliseconds.");
    }
    return usage::Time(milliseconds(millis));
}

Result<void> ReadNames(const http::Request& request, StatsQuery& out) {
    const std::string breakdown = request.QueryParam("breakdown_type").value_or("none");
    if (breakdown == "api_keys") {
        out.breakdown = "key";
    } else if (breakdown == "none" || breakdown == "voice") {
        out.breakdown = breakdown;
    } else {
        return Wrong("breakdown_type", "must be none, voice or api_keys.");
    }
    const std::string metric = request.QueryParam("metric").value_or("credits");
    if (metric == "credits" || metric == "tts_characters") {
        out.metric = "characters";
    } else if (metric == "request_count") {
        out.metric = "requests";
    } else if (metric == "minutes_used") {
        out.metric = "minutes";
    } else {
        return Wrong("metric", "must be credits, tts_characters, request_count or minutes_used.");
    }
    const std::string step = request.QueryParam("aggregation_interval").value_or("day");
    if (step == "day") {
        out.step = StatsQuery::Step::kDay;
    } else if (step == "week") {
        out.step = StatsQuery::Step::kWeek;
    } else if (step == "month") {
        out.step = StatsQuery::Step::kMonth;
    } else if (step == "cumulative") {
        out.step = StatsQuery::Step::kCumulative;
    } else {
        return Wrong("aggregation_interval", "must be day, week, month or cumulative.");
    }
    return {};
}

double ValueOf(const usage::Sums& sums, const std::string& metric) {
    if (metric == "requests") return static_cast<double>(sums.requests);
    if (metric == "minutes") return static_cast<double>(sums.audio_ms) / 60'000;
    return static_cast<double>(sums.characters);
}

std::int64_t MillisOf(std::chrono::sys_days day) {
    return std::chrono::duration_cast<milliseconds>(day.time_since_epoch()).count();
}

std::chrono::sys_days NextStep(std::chrono::sys_days day, StatsQuery::Step step) {
    if (step == StatsQuery::Step::kWeek) return day + days(7);
    if (step == StatsQuery::Step::kMonth) {
        const std::chrono::year_month_day date(day);
        return std::chrono::sys_days((date.year() / date.month() + std::chrono::months(1)) / 1);
    }
    return day + days(1);
}

// The days of one filter, summed into the steps.
Task<json::array> Series(usage::UsageService service, TeamId team, usage::Filter filter,
                         StatsQuery query, std::vector<std::int64_t> steps) {
    const std::string by = "day";
    const auto page = co_await service.Groups(team, std::move(filter), by, std::nullopt, kMaxDays);
    std::vector<double> values(steps.size(), 0);
    for (const usage::Group& group : page.groups) {
        const auto step = StepOf(steps, group.name);
        if (step) values[*step] += ValueOf(group.sums, query.metric);
    }
    json::array out;
    for (const double value : values) out.emplace_back(value);
    co_return out;
}

}  // namespace

Result<StatsQuery> ReadStatsQuery(const http::Request& request) {
    StatsQuery out;
    const Result<usage::Time> from = ReadTime(request, "start_unix");
    if (!from) return from.error();
    const Result<usage::Time> to = ReadTime(request, "end_unix");
    if (!to) return to.error();
    out.period.from = floor<days>(*from);
    out.period.to = std::chrono::ceil<days>(*to);
    if (*to <= *from) return Wrong("end_unix", "must be after start_unix.");
    if (out.period.to - out.period.from > usage::kLongestPeriod) {
        return Wrong("start_unix", fmt::format("must be at most {} days before end_unix.",
                                               usage::kLongestPeriod.count()));
    }
    if (const auto names = ReadNames(request, out); !names) return names.error();
    return out;
}

std::vector<std::int64_t> StepsOf(const StatsQuery& query) {
    std::vector<std::int64_t> steps;
    auto day = floor<days>(query.period.from);
    if (query.step == StatsQuery::Step::kCumulative) return {MillisOf(day)};
    for (; day < query.period.to; day = NextStep(day, query.step)) steps.push_back(MillisOf(day));
    return steps;
}

std::optional<std::size_t> StepOf(const std::vector<std::int64_t>& steps, std::string_view day) {
    const std::optional<usage::Time> time = usage::ParseTime(day);
    if (!time) return std::nullopt;
    const std::int64_t millis = time->time_since_epoch().count();
    const auto next = std::upper_bound(steps.begin(), steps.end(), millis);
    if (next == steps.begin()) return std::nullopt;
    return static_cast<std::size_t>(next - steps.begin() - 1);
}

Task<json::object> CharacterStats(usage::UsageService service, TeamId team, StatsQuery query) {
    const std::vector<std::int64_t> steps = StepsOf(query);
    json::object series;
    usage::Filter filter;
    filter.period = query.period;
    if (query.breakdown == "none") {
        series["All"] = co_await Series(service, team, filter, query, steps);
    } else {
        const std::string by = query.breakdown;
        const auto names = co_await service.Groups(team, filter, by, std::nullopt, kMaxNames);
        for (const usage::Group& group : names.groups) {
            usage::Filter one = filter;
            if (by == "voice") one.voice = group.name;
            if (by == "key") one.key = KeyId::Parse(group.name);
            // Without a key: the demo team's, which has none.
            if (by == "key" && !one.key) continue;
            series[group.name] = co_await Series(service, team, std::move(one), query, steps);
        }
    }
    json::array times;
    for (const std::int64_t step : steps) times.emplace_back(step);
    co_return json::object{{"time", std::move(times)}, {"usage", std::move(series)}};
}

}  // namespace vf::elevenlabs
