#include "usage/usage_routes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/unavailable.hpp"
#include "base/utf8.hpp"
#include "http/negotiate.hpp"
#include "http/problem.hpp"
#include "http/query.hpp"
#include "usage/usage_body.hpp"

namespace vf::usage {
namespace {

constexpr std::chrono::days kDefaultPeriod{30};
constexpr std::size_t kMostNameBytes = 4 * kMaxText;

using FindDatabase = std::function<pg::Database*()>;

Time Now() {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
}

http::Response NotUp(const http::Request& request) {
    const Error error = DatabaseNotUp();
    return http::ProblemResponse(error, request);
}

std::optional<Time> ReadTime(http::QueryReader& query, const char* name) {
    const std::optional<std::string> text = query.Text(name);
    if (!text) return std::nullopt;
    const std::optional<Time> time = ParseTime(*text);
    if (!time) {
        query.Fail(name, "invalid_time",
                   "must be a date such as 2026-11-21 or a time such as 2026-11-21T10:00:00Z.");
    }
    return time;
}

// `absent` when neither end is given; one end alone gives the default length.
Period ReadPeriod(http::QueryReader& query, Period absent) {
    const std::optional<Time> from = ReadTime(query, "from");
    const std::optional<Time> to = ReadTime(query, "to");
    Period period = absent;
    if (from) period = {*from, std::min<Time>(Now(), *from + kLongestPeriod)};
    if (to) period = {from.value_or(*to - kDefaultPeriod), *to};
    if (from && !to && period.to <= *from) period.to = *from + kDefaultPeriod;
    if (period.to <= period.from) {
        query.Fail("to", "out_of_range", "must be after from.");
    } else if (period.to - period.from > kLongestPeriod) {
        query.Fail("from", "out_of_range",
                   fmt::format("must be at most {} days before to.", kLongestPeriod.count()));
    }
    return period;
}

std::optional<bool> ReadFlag(http::QueryReader& query, const char* name) {
    const std::optional<std::string> text = query.Text(name);
    if (!text) return std::nullopt;
    if (*text != "true" && *text != "false") {
        query.Fail(name, "not_allowed", "must be true or false.");
    }
    return *text == "true";
}

std::string GroupingWords() {
    std::string words = "must be one of";
    for (const std::string_view name : kGroupings) words += fmt::format(" {}", name);
    return words + ".";
}

struct UsageQuery {
    Filter filter;
    std::optional<std::string> group_by;
    std::int64_t limit = 0;
    std::optional<OperationId> row_cursor;
    std::optional<std::string> group_cursor;
    bool csv = false;
};

// Names of groups may hold anything, so that their cursor is their bytes in hexadecimal.
std::string GroupCursor(std::string_view name) {
    std::string out = "g";
    for (const char c : name) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return out;
}

std::optional<std::string> ParseGroupCursor(std::string_view text) {
    if (!text.starts_with('g') || text.size() % 2 == 0 || text.size() > 2 * kMostNameBytes) {
        return std::nullopt;
    }
    std::string name;
    for (std::size_t i = 1; i < text.size(); i += 2) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        const std::size_t high = kDigits.find(text[i]);
        const std::size_t low = kDigits.find(text[i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
        name += static_cast<char>(high << 4 | low);
    }
    if (Utf8FindInvalid(name) || name.find('\0') != std::string::npos) return std::nullopt;
    return name;
}

void ReadPage(http::QueryReader& query, UsageQuery& out) {
    out.limit = query.Integer("limit", 100, 1, 1000);
    const std::optional<std::string> cursor = query.Text("cursor");
    if (!cursor) return;
    if (out.group_by) {
        out.group_cursor = ParseGroupCursor(*cursor);
    } else {
        out.row_cursor = OperationId::Parse(*cursor);
    }
    if (!out.group_cursor && !out.row_cursor) {
        query.Fail("cursor", "invalid_cursor", "is not a next_cursor of this list.");
    }
}

Result<UsageQuery> ReadUsageQuery(const http::Request& request) {
    http::QueryReader query(
        request, {"from", "to", "group_by", "live", "key", "voice", "limit", "cursor", "format"});
    UsageQuery out;
    const Time now = Now();
    out.filter.period = ReadPeriod(query, {now - kDefaultPeriod, now + std::chrono::seconds(1)});
    out.filter.live = ReadFlag(query, "live");
    out.filter.key = query.Id<KeyId>("key");
    out.filter.voice = query.Text("voice");
    if (out.filter.voice && out.filter.voice->size() > kMaxText) {
        query.Fail("voice", "out_of_range", "must have at most 200 bytes.");
    }
    if (out.filter.voice && out.filter.voice->find('\0') != std::string::npos) {
        query.Fail("voice", "invalid_character", "must not contain a NUL character.");
    }
    out.group_by = query.Text("group_by");
    if (out.group_by &&
        std::find(kGroupings.begin(), kGroupings.end(), *out.group_by) == kGroupings.end()) {
        query.Fail("group_by", "not_allowed", GroupingWords());
    }
    ReadPage(query, out);
    const std::string format = query.Text("format").value_or("");
    const std::string accept = request.headers.Joined("Accept");
    out.csv =
        format == "csv" || (format.empty() && !http::AcceptsOneOf(accept, {"application/json"}));
    if (!format.empty() && format != "csv" && format != "json") {
        query.Fail("format", "not_allowed", "must be json or csv.");
    }
    std::optional<Error> wrong = query.Wrong();
    if (wrong) return *std::move(wrong);
    return out;
}

http::Response PageResponse(bool csv, std::string csv_body, json::array data,
                            const std::optional<std::string>& next) {
    http::Response response;
    if (csv) {
        response =
            http::Response(200, "text/csv; charset=utf-8; header=present", std::move(csv_body));
        response.headers.Set("Content-Disposition", "attachment; filename=\"usage.csv\"");
        if (next) response.headers.Set("X-Next-Cursor", *next);
    } else {
        json::value cursor;
        if (next) cursor = *next;
        response = http::JsonResponse(
            200, json::object{{"data", std::move(data)}, {"next_cursor", std::move(cursor)}});
    }
    response.headers.Set("Cache-Control", "no-store");
    response.headers.Set("Vary", "Accept");
    return response;
}

Task<http::Response> GetGroups(http::Request& request, UsageService service, UsageQuery query) {
    const TeamId team = request.caller.team;
    const std::string by = *query.group_by;
    const GroupPage page = co_await service.Groups(team, std::move(query.filter), by,
                                                   std::move(query.group_cursor), query.limit);
    std::optional<std::string> next;
    if (page.next) next = GroupCursor(*page.next);
    json::array data;
    std::string csv;
    if (query.csv) {
        csv = ToCsv(by, page.groups);
    } else {
        for (const Group& group : page.groups) {
            json::object item{{by, group.name}};
            for (auto& [name, value] : ToJson(group.sums)) item.emplace(name, value);
            data.push_back(std::move(item));
        }
    }
    co_return PageResponse(query.csv, std::move(csv), std::move(data), next);
}

Task<http::Response> GetUsage(http::Request& request, const FindDatabase& find) {
    pg::Database* database = find();
    if (!database) co_return NotUp(request);
    Result<UsageQuery> query = ReadUsageQuery(request);
    if (!query) co_return http::ProblemResponse(query.error(), request);
    UsageService service(*database);
    if (query->group_by) {
        co_return co_await GetGroups(request, service, *std::move(query));
    }
    const TeamId team = request.caller.team;
    const RowPage page =
        co_await service.Rows(team, query->filter, query->row_cursor, query->limit);
    std::optional<std::string> next;
    if (page.next) next = page.next->Wire();
    json::array data;
    std::string csv;
    if (query->csv) {
        csv = ToCsv(page.rows);
    } else {
        for (const UsageRow& row : page.rows) data.push_back(ToJson(row));
    }
    co_return PageResponse(query->csv, std::move(csv), std::move(data), next);
}

json::object SummaryJson(const Summary& summary) {
    return {{"period", ToJson(summary.period)},
            {"live", ToJson(summary.live)},
            {"test", ToJson(summary.test)}};
}

Task<http::Response> GetSummary(http::Request& request, const FindDatabase& find) {
    pg::Database* database = find();
    if (!database) co_return NotUp(request);
    http::QueryReader query(request, {"from", "to"});
    const Period period = ReadPeriod(query, MonthOfTime(Now()));
    const std::optional<Error> wrong = query.Wrong();
    if (wrong) co_return http::ProblemResponse(*wrong, request);
    UsageService service(*database);
    const TeamId team = request.caller.team;
    const Period before = PeriodBefore(period);
    const Summary present = co_await service.Summarise(team, period);
    const Summary previous = co_await service.Summarise(team, before);
    json::object body = SummaryJson(present);
    body.emplace("currency", request.caller.plan ? request.caller.plan->currency : "USD");
    body.emplace("previous", SummaryJson(previous));
    http::Response response = http::JsonResponse(200, std::move(body));
    response.headers.Set("Cache-Control", "no-store");
    co_return response;
}

Task<http::Response> GetStats(http::Request& request, const FindDatabase& find) {
    pg::Database* database = find();
    if (!database) co_return NotUp(request);
    http::QueryReader query(request, {"live"});
    const std::optional<bool> live = ReadFlag(query, "live");
    const std::optional<Error> wrong = query.Wrong();
    if (wrong) co_return http::ProblemResponse(*wrong, request);
    UsageService service(*database);
    const TeamId team = request.caller.team;
    const Time now = Now();
    const Stats stats = co_await service.Statistics(team, live, now);
    http::Response response = http::JsonResponse(200, ToJson(stats));
    response.headers.Set("Cache-Control", "no-store");
    co_return response;
}

}  // namespace

void AddRoutes(http::Router& router, std::function<pg::Database*()> database,
               const http::Guard& guard) {
    http::RouteOptions options;
    options.guard = guard;
    options.produces = {"application/json"};
    http::RouteOptions lists = options;
    lists.produces = {"application/json", "text/csv"};
    const auto find = std::make_shared<const FindDatabase>(std::move(database));
    const auto add = [&](const std::string& path, auto handler, const http::RouteOptions& how) {
        router.AddAll(
            http::Method::kGet, {"/api/" + path, "/api/v1/" + path},
            [find, handler](http::Request& request) { return handler(request, *find); }, how);
    };
    add("usage", &GetUsage, lists);
    add("usage/summary", &GetSummary, options);
    add("stats", &GetStats, options);
}

}  // namespace vf::usage
