#include "vendors/vendors_store.hpp"

#include "base/json.hpp"

namespace vf::vendors::store {
namespace {

constexpr pg::Statement kCount{"vendors_count",
                               "SELECT count(*) FROM vendor_connections WHERE team_id = $1"};

constexpr pg::Statement kOtherCurrency{
    "vendors_other_currency",
    "SELECT currency FROM vendor_connections WHERE team_id = $1 AND id <> $2 "
    "AND currency <> $3 LIMIT 1"};

constexpr pg::Statement kInsert{
    "vendors_insert",
    "INSERT INTO vendor_connections (team_id, id, name, base_url, sealed_key, key_hint, model, "
    "voices, price_per_million, currency, fallback, vendor, created_by) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10, $11, $12, $13)"};

constexpr pg::Statement kUpdate{
    "vendors_update",
    "UPDATE vendor_connections SET name = $3, base_url = $4, sealed_key = $5, key_hint = $6, "
    "model = $7, voices = $8::jsonb, price_per_million = $9, currency = $10, fallback = $11, "
    "last_error_code = NULL, last_error_message = NULL, last_error_at = NULL, updated_at = now() "
    "WHERE team_id = $1 AND id = $2"};

#define VF_CONNECTION_COLUMNS                                                        \
    "SELECT id, vendor, name, base_url, sealed_key, key_hint, model, voices::text, " \
    "price_per_million, currency, fallback, last_error_code, last_error_message, "   \
    "(extract(epoch FROM last_error_at) * 1000)::bigint, created_by, "               \
    "(extract(epoch FROM created_at) * 1000)::bigint, "                              \
    "(extract(epoch FROM updated_at) * 1000)::bigint FROM vendor_connections "

constexpr pg::Statement kLock{"vendors_lock",
                              VF_CONNECTION_COLUMNS "WHERE team_id = $1 AND id = $2 FOR UPDATE"};
constexpr pg::Statement kFind{"vendors_find",
                              VF_CONNECTION_COLUMNS "WHERE team_id = $1 AND id = $2"};
constexpr pg::Statement kList{"vendors_list", VF_CONNECTION_COLUMNS
                              "WHERE team_id = $1 AND ($2::uuid IS NULL OR id < $2) "
                              "ORDER BY id DESC LIMIT $3"};
constexpr pg::Statement kAll{"vendors_all",
                             VF_CONNECTION_COLUMNS "WHERE team_id = $1 ORDER BY id LIMIT $2"};
#undef VF_CONNECTION_COLUMNS

constexpr pg::Statement kDelete{"vendors_delete",
                                "DELETE FROM vendor_connections WHERE team_id = $1 AND id = $2"};

constexpr pg::Statement kSetError{
    "vendors_set_error",
    "UPDATE vendor_connections SET last_error_code = nullif($3, ''), "
    "last_error_message = nullif($4, ''), "
    "last_error_at = CASE WHEN $3 <> '' THEN now() END WHERE team_id = $1 AND id = $2"};

std::string PrintVoices(const std::vector<VendorVoice>& voices) {
    json::array out;
    for (const VendorVoice& voice : voices) {
        json::array languages;
        for (const std::string& tag : voice.languages) languages.emplace_back(tag);
        out.push_back(json::object{{"id", voice.id},
                                   {"name", voice.name},
                                   {"languages", std::move(languages)},
                                   {"gender", voice.gender}});
    }
    return json::Print(out);
}

// As written by PrintVoices; boost::system::system_error otherwise.
std::vector<VendorVoice> ParseVoices(std::string_view text) {
    std::vector<VendorVoice> voices;
    const Result<json::Parsed> parsed = json::Parse(text);
    if (!parsed) throw pg::QueryError("22023", "", "vendor_connections.voices is not JSON");
    for (const json::value& one : parsed->root.as_array()) {
        VendorVoice voice;
        voice.id = one.at("id").as_string();
        voice.name = one.at("name").as_string();
        voice.gender = one.at("gender").as_string();
        for (const json::value& tag : one.at("languages").as_array()) {
            voice.languages.emplace_back(tag.as_string());
        }
        voices.push_back(std::move(voice));
    }
    return voices;
}

Clock::time_point TimeOf(std::int64_t millis) {
    return Clock::time_point(std::chrono::milliseconds(millis));
}

Stored StoredOf(const pg::Row& row) {
    const std::optional<Uuid> uuid = Uuid::Parse(row.Text(0));
    const std::optional<Vendor> vendor = ParseVendor(row.Text(1));
    if (!uuid || !vendor) throw pg::QueryError("22018", "", "no connection can be like this");
    Stored out;
    Connection& connection = out.connection;
    connection.id = ConnectionId{*uuid};
    connection.vendor = *vendor;
    connection.name = row.Text(2);
    connection.base_url = row.Text(3);
    out.sealed_key = row.Bytes(4);
    connection.key_hint = row.Text(5);
    connection.model = row.Text(6);
    connection.voices = ParseVoices(row.Text(7));
    if (!row.IsNull(8)) connection.price = Price{row.Int(8), std::string(row.Text(9))};
    if (!row.IsNull(10)) connection.fallback = static_cast<int>(row.Int(10));
    if (!row.IsNull(11)) {
        connection.last_error = Connection::LastError{
            std::string(row.Text(11)), row.MaybeText(12).value_or(""), TimeOf(row.Int(13))};
    }
    connection.created_by = row.Text(14);
    connection.created_at = TimeOf(row.Int(15));
    connection.updated_at = TimeOf(row.Int(16));
    return out;
}

pg::Params Of(TeamId team) {
    pg::Params params;
    params.Text(team.uuid.Dashed());
    return params;
}

pg::Params Of(TeamId team, ConnectionId id) {
    pg::Params params = Of(team);
    params.Text(id.uuid.Dashed());
    return params;
}

// $1 to $11.
pg::Params ValuesOf(TeamId team, const Stored& row) {
    const Connection& connection = row.connection;
    pg::Params params = Of(team, connection.id);
    params.Text(connection.name).Text(connection.base_url).Bytes(row.sealed_key);
    params.Text(connection.key_hint).Text(connection.model).Text(PrintVoices(connection.voices));
    if (connection.price) {
        params.Int(connection.price->per_million).Text(connection.price->currency);
    } else {
        params.Null().Null();
    }
    if (connection.fallback) {
        params.Int(*connection.fallback);
    } else {
        params.Null();
    }
    return params;
}

}  // namespace

Task<std::int64_t> Count(pg::TeamTransaction& transaction) {
    pg::Params params = Of(transaction.team());
    const pg::Rows rows = co_await transaction.Query(kCount, std::move(params));
    co_return rows[0].Int(0);
}

Task<std::optional<std::string>> OtherCurrency(pg::TeamTransaction& transaction,
                                               std::string currency, ConnectionId but) {
    pg::Params params = Of(transaction.team(), but);
    params.Text(currency);
    const pg::Rows rows = co_await transaction.Query(kOtherCurrency, std::move(params));
    if (rows.empty()) co_return std::nullopt;
    co_return std::string(rows[0].Text(0));
}

Task<void> Insert(pg::TeamTransaction& transaction, Stored row) {
    pg::Params params = ValuesOf(transaction.team(), row);
    params.Text(VendorName(row.connection.vendor)).Text(row.connection.created_by);
    co_await transaction.Query(kInsert, std::move(params));
}

Task<std::optional<Stored>> Lock(pg::TeamTransaction& transaction, ConnectionId id) {
    pg::Params params = Of(transaction.team(), id);
    const pg::Rows rows = co_await transaction.Query(kLock, std::move(params));
    if (rows.empty()) co_return std::nullopt;
    co_return StoredOf(rows[0]);
}

Task<void> Update(pg::TeamTransaction& transaction, Stored row) {
    pg::Params params = ValuesOf(transaction.team(), row);
    co_await transaction.Query(kUpdate, std::move(params));
}

Task<void> Delete(pg::TeamTransaction& transaction, ConnectionId id) {
    pg::Params params = Of(transaction.team(), id);
    co_await transaction.Query(kDelete, std::move(params));
}

Task<std::optional<Stored>> Find(pg::TeamDb db, ConnectionId id) {
    pg::Params params = Of(db.team(), id);
    const pg::Rows rows = co_await db.Query(kFind, std::move(params));
    if (rows.empty()) co_return std::nullopt;
    co_return StoredOf(rows[0]);
}

Task<std::vector<Connection>> List(pg::TeamDb db, std::optional<ConnectionId> after,
                                   std::int64_t limit) {
    pg::Params params = Of(db.team());
    if (after) {
        params.Text(after->uuid.Dashed());
    } else {
        params.Null();
    }
    params.Int(limit);
    const pg::Rows rows = co_await db.Query(kList, std::move(params));
    std::vector<Connection> out;
    for (const pg::Row row : rows) out.push_back(StoredOf(row).connection);
    co_return out;
}

Task<std::vector<Stored>> All(pg::TeamDb db, std::int64_t limit) {
    pg::Params params = Of(db.team());
    params.Int(limit);
    const pg::Rows rows = co_await db.Query(kAll, std::move(params));
    std::vector<Stored> out;
    for (const pg::Row row : rows) out.push_back(StoredOf(row));
    co_return out;
}

Task<void> SetError(pg::TeamDb db, ConnectionId id, std::string code, std::string message) {
    pg::Params params = Of(db.team(), id);
    params.Text(code).Text(message);
    co_await db.Query(kSetError, std::move(params));
}

}  // namespace vf::vendors::store
