#pragma once
// What a team has used, read from usage_rows. On the loop; values only.
//
// A period is [from, to), by the time stamps of the operations' ids, UTC. Rows arrive within about
// a second of the end of their operation.

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/task.hpp"
#include "pg/database.hpp"
#include "usage/usage.hpp"

namespace vf::usage {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;

inline constexpr std::chrono::days kLongestPeriod{400};
inline constexpr std::array<std::string_view, 11> kGroupings{
    "day",   "month",  "key",        "voice",    "model", "engine",
    "route", "region", "deployment", "delivery", "status"};

struct Period {
    Time from;
    Time to;
    bool operator==(const Period&) const = default;
};

struct Filter {
    Period period;
    std::optional<bool> live;
    std::optional<KeyId> key;
    std::optional<std::string> voice;
};

// Sums of rows. A row is an error when its status is 400 or above or its reply failed.
struct Sums {
    std::int64_t requests = 0;
    std::int64_t errors = 0;
    std::int64_t characters = 0;
    std::int64_t audio_ms = 0;
    std::int64_t engine_ms = 0;
    std::int64_t bytes = 0;
    std::int64_t charge_milli = 0;
    // Paid to vendors by the team itself, thousandths of a minor unit by currency.
    std::map<std::string, std::int64_t> vendor_milli;
};

struct RowPage {
    std::vector<UsageRow> rows;  // newest first
    std::optional<OperationId> next;
};

struct Group {
    std::string name;  // "2026-11-21", "2026-11", a key's id as on the wire, a voice, …; may be ""
    Sums sums;
};
struct GroupPage {
    std::vector<Group> groups;  // by name, in the order of its bytes
    std::optional<std::string> next;
};

struct Summary {
    Period period;
    Sums live;
    Sums test;
};

struct Stats {
    struct Count {
        std::int64_t today = 0;  // since midnight, UTC
        std::int64_t last_7_days = 0;
        std::int64_t last_30_days = 0;
    };
    struct Top {
        std::string voice;
        std::int64_t requests = 0;
    };
    Count requests;
    Count errors;
    // Of the newest 10,000 uncached successes within 30 days; none without any.
    std::optional<std::int64_t> engine_ms_p50;
    std::optional<std::int64_t> engine_ms_p95;
    std::vector<Top> top_voices;  // of 30 days, at most 10, most used first
};

class UsageService {
public:
    explicit UsageService(pg::Database& database) : database_(database) {}

    // All throw QueryError or DatabaseUnavailable.
    Task<RowPage> Rows(TeamId team, Filter filter, std::optional<OperationId> after,
                       std::int64_t limit);
    // `by` is one of kGroupings.
    Task<GroupPage> Groups(TeamId team, Filter filter, std::string by,
                           std::optional<std::string> after, std::int64_t limit);
    Task<Summary> Summarise(TeamId team, Period period);
    Task<Stats> Statistics(TeamId team, std::optional<bool> live, Time now);

private:
    pg::Database& database_;
};

Period MonthOfTime(Time time);       // the calendar month around it
Period PeriodBefore(Period period);  // the month before a calendar month, else as long

// "2026-11-21" (midnight UTC) or "2026-11-21T10:00:00[.123]Z".
std::optional<Time> ParseTime(std::string_view text);

}  // namespace vf::usage
