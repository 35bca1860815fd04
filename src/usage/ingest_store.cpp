#include "usage/ingest_store.hpp"

#include <fmt/format.h>

#include <boost/endian/conversion.hpp>
#include <map>
#include <string>
#include <unordered_map>

namespace vf::usage {
namespace {

constexpr std::chrono::seconds kTimeout{25};

constexpr pg::Statement kEnsurePartition{"usage_partition", "SELECT vf_usage_partition($1::date)"};

// The arrays are always of another length: a plan made for all of them would not know that there
// are thousands, and join them row by row.
constexpr pg::Statement kPlanEachTime{
    "usage_plan_each_time", "SELECT set_config('plan_cache_mode', 'force_custom_plan', true)"};

// Crosses teams: a batch holds the rows of all that used this node.
constexpr pg::Statement kInsertRows{
    "usage_insert_rows",
    "WITH added AS (INSERT INTO usage_rows (id, team_id, key_id, billing_account_id, node_id, "
    "started_at, characters, audio_ms, engine_ms, bytes, charge_milli, status, live, cached, "
    "streamed, kind, delivery, route, voice, model, engine, region, deployment, vendor_milli, "
    "vendor_currency) "
    "SELECT r.id, s.team_id, s.key_id, s.billing_account_id, s.node_id, r.started_at, "
    "r.characters, r.audio_ms, r.engine_ms, r.bytes, r.charge_milli, s.status, s.live, s.cached, "
    "s.streamed, s.kind, s.delivery, s.route, s.voice, s.model, s.engine, s.region, s.deployment, "
    "r.vendor_milli, s.vendor_currency "
    "FROM unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::bigint[], $5::bigint[], "
    "$6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[]) AS r (id, shared, started_at, "
    "characters, audio_ms, engine_ms, bytes, charge_milli, vendor_milli) "
    "JOIN unnest($10::uuid[], $11::uuid[], $12::uuid[], $13::uuid[], $14::int[], $15::boolean[], "
    "$16::boolean[], $17::boolean[], $18::text[], $19::text[], $20::text[], $21::text[], "
    "$22::text[], $23::text[], $24::text[], $25::text[], $26::text[]) WITH ORDINALITY AS s "
    "(team_id, key_id, billing_account_id, node_id, status, live, cached, streamed, kind, "
    "delivery, "
    "route, voice, model, engine, region, deployment, vendor_currency, shared) ON s.shared = "
    "r.shared "
    "ON CONFLICT (id) DO NOTHING "
    "RETURNING billing_account_id, team_id, key_id, live, node_id, characters, audio_ms, "
    "charge_milli, status) "
    "SELECT billing_account_id, team_id, key_id, live, node_id, "
    "(count(*) FILTER (WHERE status < 400))::bigint, "
    "sum(characters)::bigint, sum(audio_ms)::bigint, sum(charge_milli)::bigint, "
    "count(*)::bigint FROM added GROUP BY 1, 2, 3, 4, 5"};

// PostgreSQL's binary form of a one-dimensional array (array_recv): dimensions, null flag, element
// type, length, lower bound, then each element with its length. Big-endian.
class BinaryArray {
public:
    enum class Of : std::uint32_t {
        kBool = 16,
        kBigint = 20,
        kInt = 23,
        kText = 25,
        kTimestamptz = 1184,
        kUuid = 2950,
    };

    explicit BinaryArray(Of type) {
        Put<std::int32_t>(1);
        Put<std::int32_t>(0);
        Put(static_cast<std::int32_t>(type));
        Put<std::int32_t>(0);
        Put<std::int32_t>(1);
    }
    void Add(bool value) {
        Put<std::int32_t>(1);
        bytes_ += value ? '\1' : '\0';
        ++count_;
    }
    template <class Int>
        requires(std::is_integral_v<Int> && !std::is_same_v<Int, bool>)
    void Add(Int value) {
        Put<std::int32_t>(sizeof value);
        Put(value);
        ++count_;
    }
    void Add(const Uuid& value) {
        Put<std::int32_t>(16);
        bytes_.append(reinterpret_cast<const char*>(value.bytes.data()), 16);
        ++count_;
    }
    void Add(std::string_view value) {
        Put(static_cast<std::int32_t>(value.size()));
        bytes_ += value;
        ++count_;
    }
    void AddNull() {
        Put<std::int32_t>(-1);
        bytes_[7] = 1;
        ++count_;
    }
    void Into(pg::Params& params) {
        const std::int32_t count = boost::endian::native_to_big(count_);
        std::memcpy(bytes_.data() + 12, &count, sizeof count);
        params.Bytes(bytes_);
    }

private:
    template <class Int>
    void Put(Int value) {
        const Int big = boost::endian::native_to_big(value);
        bytes_.append(reinterpret_cast<const char*>(&big), sizeof big);
    }

    std::string bytes_;
    std::int32_t count_ = 0;
};

using Of = BinaryArray::Of;

// The arrays of one statement.
class Columns {
public:
    void Add(const UsageRow& row) {
        constexpr std::int64_t kEpoch = 946'684'800'000;  // PostgreSQL counts from 2000-01-01
        id_.Add(row.operation.uuid);
        shared_.Add(Shared(row));
        started_at_.Add((row.started_at.time_since_epoch().count() - kEpoch) * 1000);
        characters_.Add(row.characters);
        audio_ms_.Add(row.audio_ms);
        engine_ms_.Add(row.engine_ms);
        bytes_.Add(row.bytes);
        charge_milli_.Add(row.charge_milli);
        vendor_milli_.Add(row.vendor_milli);
        ++rows_;
    }

    IngestPart Finish(Month month) {
        IngestPart part{month, rows_, {}};
        for (BinaryArray* column :
             {&id_,         &shared_,         &started_at_,   &characters_, &audio_ms_, &engine_ms_,
              &bytes_,      &charge_milli_,   &vendor_milli_, &team_,       &key_,      &billing_,
              &node_,       &status_,         &live_,         &cached_,     &streamed_, &kind_,
              &delivery_,   &route_,          &voice_,        &model_,      &engine_,   &region_,
              &deployment_, &vendor_currency_}) {
            column->Into(part.params);
        }
        return part;
    }

private:
    // The place, from 1, of what this row shares with others.
    std::int32_t Shared(const UsageRow& row) {
        key_bytes_.clear();
        const auto add = [this](const Uuid& id) {
            key_bytes_.append(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
        };
        add(row.team.uuid);
        add(row.key ? row.key->uuid : Uuid());
        add(row.billing.uuid);
        add(row.node.uuid);
        key_bytes_ +=
            fmt::format("{} {}{}{}{} {} {}", row.status, row.key.has_value(), row.live, row.cached,
                        row.streamed, static_cast<int>(row.kind), static_cast<int>(row.delivery));
        for (const std::string* text : {&row.route, &row.voice, &row.model, &row.engine,
                                        &row.region, &row.deployment, &row.vendor_currency}) {
            key_bytes_ += '\0';
            key_bytes_ += *text;
        }
        const auto [found, is_new] =
            places_.try_emplace(key_bytes_, static_cast<std::int32_t>(places_.size() + 1));
        if (is_new) AddShared(row);
        return found->second;
    }

    void AddShared(const UsageRow& row) {
        team_.Add(row.team.uuid);
        if (row.key) {
            key_.Add(row.key->uuid);
        } else {
            key_.AddNull();
        }
        billing_.Add(row.billing.uuid);
        node_.Add(row.node.uuid);
        status_.Add(row.status);
        live_.Add(row.live);
        cached_.Add(row.cached);
        streamed_.Add(row.streamed);
        kind_.Add(KindName(row.kind));
        delivery_.Add(DeliveryName(row.delivery));
        route_.Add(std::string_view(row.route));
        voice_.Add(std::string_view(row.voice));
        model_.Add(std::string_view(row.model));
        engine_.Add(std::string_view(row.engine));
        region_.Add(std::string_view(row.region));
        deployment_.Add(std::string_view(row.deployment));
        vendor_currency_.Add(std::string_view(row.vendor_currency));
    }

    std::size_t rows_ = 0;
    std::string key_bytes_;  // scratch
    std::unordered_map<std::string, std::int32_t> places_;
    BinaryArray id_{Of::kUuid}, shared_{Of::kInt}, started_at_{Of::kTimestamptz};
    BinaryArray characters_{Of::kBigint}, audio_ms_{Of::kBigint}, engine_ms_{Of::kBigint};
    BinaryArray bytes_{Of::kBigint}, charge_milli_{Of::kBigint}, vendor_milli_{Of::kBigint};
    BinaryArray team_{Of::kUuid}, key_{Of::kUuid}, billing_{Of::kUuid}, node_{Of::kUuid};
    BinaryArray status_{Of::kInt}, live_{Of::kBool}, cached_{Of::kBool}, streamed_{Of::kBool};
    BinaryArray kind_{Of::kText}, delivery_{Of::kText}, route_{Of::kText}, voice_{Of::kText};
    BinaryArray model_{Of::kText}, engine_{Of::kText}, region_{Of::kText}, deployment_{Of::kText};
    BinaryArray vendor_currency_{Of::kText};
};

template <class Id>
Id IdOf(std::string_view text) {
    const std::optional<Uuid> uuid = Uuid::Parse(text);
    if (!uuid) throw pg::QueryError("22018", "", "not a uuid");
    return Id{*uuid};
}

}  // namespace

Month MonthOf(std::chrono::sys_time<std::chrono::milliseconds> time) {
    const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(time));
    return date.year() / date.month();
}

Month MonthOf(const OperationId& operation) {
    const std::chrono::milliseconds since(operation.uuid.UnixMillis());
    return MonthOf(std::chrono::sys_time<std::chrono::milliseconds>(since));
}

std::vector<IngestPart> EncodeRows(const std::vector<UsageRow>& rows) {
    std::map<Month, Columns> months;
    for (const UsageRow& row : rows) months[MonthOf(row.operation)].Add(row);
    std::vector<IngestPart> parts;
    for (auto& [month, columns] : months) parts.push_back(columns.Finish(month));
    return parts;
}

Task<void> EnsurePartition(pg::SystemDb database, Month month) {
    pg::Params params;
    params.Text(fmt::format("{:04}-{:02}-01", static_cast<int>(month.year()),
                            static_cast<unsigned>(month.month())));
    co_await database.Query(kEnsurePartition, std::move(params));
}

Task<Inserted> InsertRows(pg::SystemTransaction& transaction, const IngestPart& part) {
    co_await transaction.Query(kPlanEachTime);
    pg::Params params = part.params;
    const pg::Rows rows = co_await transaction.Query(kInsertRows, std::move(params), kTimeout);
    Inserted inserted;
    for (const pg::Row row : rows) {
        IngestTotals& sum = inserted.totals.emplace_back();
        sum.billing = IdOf<BillingAccountId>(row.Text(0));
        sum.team = IdOf<TeamId>(row.Text(1));
        if (!row.IsNull(2)) sum.key = IdOf<KeyId>(row.Text(2));
        sum.live = row.Bool(3);
        sum.node = IdOf<NodeId>(row.Text(4));
        sum.month = part.month;
        sum.requests = row.Int(5);
        sum.characters = row.Int(6);
        sum.audio_ms = row.Int(7);
        sum.charge_milli = row.Int(8);
        inserted.rows += static_cast<std::uint64_t>(row.Int(9));
    }
    co_return inserted;
}

}  // namespace vf::usage
