#include "usage/usage_store.hpp"

#include <algorithm>

#include "base/json.hpp"

namespace vf::usage::store {
namespace {

// Sums over a long period read many rows.
constexpr std::chrono::seconds kTimeout{20};

// $1 team, $2 and $3 the period, $4 live, $5 key, $6 voice; then the page.
constexpr pg::Statement kRows{
    "usage_rows",
    "SELECT id, key_id, billing_account_id, node_id, "
    "(extract(epoch FROM started_at) * 1000)::bigint, characters, audio_ms, engine_ms, bytes, "
    "charge_milli, status, live, cached, streamed, delivery, route, voice, model, engine, region, "
    "deployment, vendor_milli, vendor_currency FROM usage_rows "
    "WHERE team_id = $1 AND id >= $2 AND id < $3 AND ($4::boolean IS NULL OR live = $4) "
    "AND ($5::uuid IS NULL OR key_id = $5) AND ($6::text IS NULL OR voice = $6) "
    "AND ($7::uuid IS NULL OR id < $7) ORDER BY id DESC LIMIT $8"};

// Sums of rows by what stands before them and the vendor's currency; then over the currencies.
#define VF_SUMS                                                                                   \
    "count(*) AS requests, "                                                                      \
    "count(*) FILTER (WHERE status >= 400 OR delivery = 'failed') AS errors, "                    \
    "sum(characters) AS characters, sum(audio_ms) AS audio_ms, sum(engine_ms) AS engine_ms, "     \
    "sum(bytes) AS bytes, sum(charge_milli) AS charge_milli, sum(vendor_milli) AS vendor_milli, " \
    "vendor_currency "
#define VF_SUMS_OF_SUMS                                                                    \
    "sum(requests)::bigint, sum(errors)::bigint, sum(characters)::bigint, "                \
    "sum(audio_ms)::bigint, sum(engine_ms)::bigint, sum(bytes)::bigint, "                  \
    "sum(charge_milli)::bigint, coalesce(jsonb_object_agg(vendor_currency, vendor_milli) " \
    "FILTER (WHERE vendor_currency <> ''), '{}')::text "

constexpr pg::Statement kGroups{
    "usage_groups",
    "SELECT name, " VF_SUMS_OF_SUMS "FROM (SELECT name, " VF_SUMS
    "FROM (SELECT usage_rows.*, CASE $7::text "
    "WHEN 'day' THEN to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') "
    "WHEN 'month' THEN to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM') "
    "WHEN 'key' THEN coalesce('key_' || replace(key_id::text, '-', ''), '') "
    "WHEN 'voice' THEN voice WHEN 'model' THEN model WHEN 'engine' THEN engine "
    "WHEN 'route' THEN route WHEN 'region' THEN region WHEN 'deployment' THEN deployment "
    "WHEN 'delivery' THEN delivery WHEN 'status' THEN status::text END COLLATE \"C\" AS name "
    "FROM usage_rows "
    "WHERE team_id = $1 AND id >= $2 AND id < $3 AND ($4::boolean IS NULL OR live = $4) "
    "AND ($5::uuid IS NULL OR key_id = $5) AND ($6::text IS NULL OR voice = $6)) AS named "
    "WHERE $8::text IS NULL OR name > $8 COLLATE \"C\" GROUP BY name, vendor_currency) AS summed "
    "GROUP BY name ORDER BY name LIMIT $9"};

constexpr pg::Statement kSum{"usage_sum",
                             "SELECT live, " VF_SUMS_OF_SUMS "FROM (SELECT live, " VF_SUMS
                             "FROM usage_rows WHERE team_id = $1 AND id >= $2 AND id < $3 "
                             "GROUP BY live, vendor_currency) AS summed GROUP BY live"};
#undef VF_SUMS
#undef VF_SUMS_OF_SUMS

// $2 30 days ago, $3 7 days ago, $4 midnight, $5 live.
constexpr pg::Statement kCounts{
    "usage_counts",
    "SELECT count(*) FILTER (WHERE id >= $4), count(*) FILTER (WHERE id >= $3), count(*), "
    "count(*) FILTER (WHERE id >= $4 AND is_error), count(*) FILTER (WHERE id >= $3 AND is_error), "
    "count(*) FILTER (WHERE is_error) "
    "FROM (SELECT id, status >= 400 OR delivery = 'failed' AS is_error FROM usage_rows "
    "WHERE team_id = $1 AND id >= $2 AND ($5::boolean IS NULL OR live = $5)) AS counted"};

constexpr pg::Statement kPercentiles{
    "usage_percentiles",
    "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY engine_ms), "
    "percentile_disc(0.95) WITHIN GROUP (ORDER BY engine_ms) "
    "FROM (SELECT engine_ms FROM usage_rows WHERE team_id = $1 AND id >= $2 "
    "AND ($3::boolean IS NULL OR live = $3) AND NOT cached AND status < 400 "
    "AND delivery <> 'failed' ORDER BY id DESC LIMIT 10000) AS newest"};

constexpr pg::Statement kTopVoices{
    "usage_top_voices",
    "SELECT voice, count(*)::bigint FROM usage_rows WHERE team_id = $1 AND id >= $2 "
    "AND ($3::boolean IS NULL OR live = $3) AND voice <> '' "
    "GROUP BY voice ORDER BY 2 DESC, 1 LIMIT 10"};

// The smallest id of a time.
std::string FirstId(Time time) {
    const auto millis =
        static_cast<std::uint64_t>(std::max<std::int64_t>(time.time_since_epoch().count(), 0));
    Uuid id;
    for (std::size_t i = 0; i < 6; ++i) {
        id.bytes[i] = static_cast<std::uint8_t>(millis >> (40 - 8 * i));
    }
    return id.Dashed();
}

void AddBool(pg::Params& params, std::optional<bool> value) {
    if (value) {
        params.Bool(*value);
    } else {
        params.Null();
    }
}

pg::Params FilterParams(TeamId team, const Filter& filter) {
    pg::Params params;
    params.Text(team.uuid.Dashed());
    params.Text(FirstId(filter.period.from)).Text(FirstId(filter.period.to));
    AddBool(params, filter.live);
    if (filter.key) {
        params.Text(filter.key->uuid.Dashed());
    } else {
        params.Null();
    }
    params.TextOrNull(filter.voice);
    return params;
}

Uuid ReadUuid(const pg::Row& row, int column) {
    const std::optional<Uuid> uuid = Uuid::Parse(row.Text(column));
    if (!uuid) throw pg::QueryError("22018", "", "not a uuid");
    return *uuid;
}

Sums ReadSums(const pg::Row& row, int from) {
    Sums sums;
    for (std::int64_t* value : {&sums.requests, &sums.errors, &sums.characters, &sums.audio_ms,
                                &sums.engine_ms, &sums.bytes, &sums.charge_milli}) {
        *value = row.Int(from++);
    }
    const std::string_view costs = row.Text(from);
    if (costs == "{}") return sums;
    const Result<json::Parsed> parsed = json::Parse(costs);
    if (!parsed) throw pg::QueryError("22023", "", "not JSON");
    for (const auto& [currency, milli] : parsed->root.as_object()) {
        sums.vendor_milli[std::string(currency)] = milli.to_number<std::int64_t>();
    }
    return sums;
}

UsageRow ReadRow(const pg::Row& got, TeamId team) {
    UsageRow row;
    row.operation = OperationId{ReadUuid(got, 0)};
    row.team = team;
    if (!got.IsNull(1)) row.key = KeyId{ReadUuid(got, 1)};
    row.billing = BillingAccountId{ReadUuid(got, 2)};
    row.node = NodeId{ReadUuid(got, 3)};
    row.started_at = Time(std::chrono::milliseconds(got.Int(4)));
    int column = 5;
    for (std::int64_t* value :
         {&row.characters, &row.audio_ms, &row.engine_ms, &row.bytes, &row.charge_milli}) {
        *value = got.Int(column++);
    }
    row.status = static_cast<int>(got.Int(10));
    row.live = got.Bool(11);
    row.cached = got.Bool(12);
    row.streamed = got.Bool(13);
    row.delivery = ParseDelivery(got.Text(14)).value_or(Delivery::kUnknown);
    column = 15;
    for (std::string* text :
         {&row.route, &row.voice, &row.model, &row.engine, &row.region, &row.deployment}) {
        *text = got.Text(column++);
    }
    row.vendor_milli = got.Int(column++);
    row.vendor_currency = got.Text(column);
    return row;
}

}  // namespace

Task<std::vector<UsageRow>> Rows(pg::TeamDb db, Filter filter, std::optional<OperationId> before,
                                 std::int64_t limit) {
    pg::Params params = FilterParams(db.team(), filter);
    if (before) {
        params.Text(before->uuid.Dashed());
    } else {
        params.Null();
    }
    params.Int(limit);
    const pg::Rows found = co_await db.Query(kRows, std::move(params), kTimeout);
    std::vector<UsageRow> rows;
    for (const pg::Row row : found) rows.push_back(ReadRow(row, db.team()));
    co_return rows;
}

Task<std::vector<Group>> Groups(pg::TeamDb db, Filter filter, std::string by,
                                std::optional<std::string> after, std::int64_t limit) {
    pg::Params params = FilterParams(db.team(), filter);
    params.Text(by).TextOrNull(after).Int(limit);
    const pg::Rows found = co_await db.Query(kGroups, std::move(params), kTimeout);
    std::vector<Group> groups;
    for (const pg::Row row : found) {
        groups.push_back({std::string(row.Text(0)), ReadSums(row, 1)});
    }
    co_return groups;
}

Task<Summary> Sum(pg::TeamDb db, Period period) {
    pg::Params params;
    params.Text(db.team().uuid.Dashed()).Text(FirstId(period.from)).Text(FirstId(period.to));
    const pg::Rows found = co_await db.Query(kSum, std::move(params), kTimeout);
    Summary summary{period, {}, {}};
    for (const pg::Row row : found) (row.Bool(0) ? summary.live : summary.test) = ReadSums(row, 1);
    co_return summary;
}

Task<Stats> Statistics(pg::TeamDb db, std::optional<bool> live, Time now) {
    const Time month_ago = now - std::chrono::days(30);
    const std::string team = db.team().uuid.Dashed();
    pg::Params counts;
    counts.Text(team).Text(FirstId(month_ago)).Text(FirstId(now - std::chrono::days(7)));
    counts.Text(FirstId(std::chrono::floor<std::chrono::days>(now)));
    AddBool(counts, live);
    pg::Params recent;
    recent.Text(team).Text(FirstId(month_ago));
    AddBool(recent, live);
    std::vector<pg::Call> calls;
    calls.emplace_back(kCounts, std::move(counts));
    calls.emplace_back(kPercentiles, recent);
    calls.emplace_back(kTopVoices, recent);
    const std::vector<pg::Rows> found = co_await db.QueryTogether(std::move(calls), kTimeout);
    Stats stats;
    const pg::Row count = found[0][0];
    int column = 0;
    for (Stats::Count* of : {&stats.requests, &stats.errors}) {
        for (std::int64_t* value : {&of->today, &of->last_7_days, &of->last_30_days}) {
            *value = count.Int(column++);
        }
    }
    stats.engine_ms_p50 = found[1][0].MaybeInt(0);
    stats.engine_ms_p95 = found[1][0].MaybeInt(1);
    for (const pg::Row row : found[2]) {
        stats.top_voices.push_back({std::string(row.Text(0)), row.Int(1)});
    }
    co_return stats;
}

}  // namespace vf::usage::store
