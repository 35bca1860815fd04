#include "history/history_store.hpp"

namespace vf::history::store {
namespace {

constexpr pg::Statement kInsert{
    "history_insert",
    "INSERT INTO history_items (id, team_id, request_id, voice, voice_name, model, sealed, "
    "characters, output_format, content_type, extension, blob_id, live, created_at, expires_at) "
    "VALUES ($2, $1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, "
    "'epoch'::timestamptz + $14::bigint * interval '1 ms', "
    "'epoch'::timestamptz + $15::bigint * interval '1 ms')"};

#define VF_HISTORY_COLUMNS                                                                      \
    "SELECT id, request_id, voice, voice_name, model, characters, output_format, "              \
    "content_type, extension, blob_id, live, (extract(epoch FROM created_at) * 1000)::bigint, " \
    "sealed FROM history_items WHERE team_id = $1 "

constexpr pg::Statement kFind{
    "history_find", VF_HISTORY_COLUMNS
    "AND id = $2 AND expires_at > 'epoch'::timestamptz + $3::bigint * interval '1 ms'"};

// $2 now, $3 after, $4 voice, $5 model, $6 from, $7 to, $8 limit.
constexpr pg::Statement kListNewest{
    "history_list_newest", VF_HISTORY_COLUMNS
    "AND expires_at > 'epoch'::timestamptz + $2::bigint * interval '1 ms' "
    "AND ($3::uuid IS NULL OR id < $3) AND ($4::text IS NULL OR voice = $4) "
    "AND ($5::text IS NULL OR model = $5) "
    "AND ($6::bigint IS NULL OR created_at >= 'epoch'::timestamptz + $6 * interval '1 ms') "
    "AND ($7::bigint IS NULL OR created_at < 'epoch'::timestamptz + $7 * interval '1 ms') "
    "ORDER BY id DESC LIMIT $8"};
constexpr pg::Statement kListOldest{
    "history_list_oldest", VF_HISTORY_COLUMNS
    "AND expires_at > 'epoch'::timestamptz + $2::bigint * interval '1 ms' "
    "AND ($3::uuid IS NULL OR id > $3) AND ($4::text IS NULL OR voice = $4) "
    "AND ($5::text IS NULL OR model = $5) "
    "AND ($6::bigint IS NULL OR created_at >= 'epoch'::timestamptz + $6 * interval '1 ms') "
    "AND ($7::bigint IS NULL OR created_at < 'epoch'::timestamptz + $7 * interval '1 ms') "
    "ORDER BY id LIMIT $8"};
#undef VF_HISTORY_COLUMNS

constexpr pg::Statement kDelete{
    "history_delete",
    "DELETE FROM history_items WHERE team_id = $1 AND id = $2 "
    "AND expires_at > 'epoch'::timestamptz + $3::bigint * interval '1 ms' RETURNING blob_id"};

constexpr pg::Statement kByRequest{
    "history_by_request",
    "SELECT sealed FROM history_items WHERE team_id = $1 AND request_id = $2 "
    "AND created_at >= 'epoch'::timestamptz + $3::bigint * interval '1 ms' "
    "ORDER BY created_at DESC LIMIT 1"};

// Of all teams: their stored objects expire by themselves.
constexpr pg::Statement kDeleteExpired{
    "history_delete_expired",
    "DELETE FROM history_items WHERE id IN (SELECT id FROM history_items WHERE expires_at <= "
    "'epoch'::timestamptz + $1::bigint * interval '1 ms' LIMIT $2)"};

std::int64_t Millis(Clock::time_point time) {
    return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

Uuid UuidOf(const pg::Row& row, int column) {
    const std::optional<Uuid> uuid = Uuid::Parse(row.Text(column));
    if (!uuid) throw pg::QueryError("22018", "", "a uuid column holds no uuid");
    return *uuid;
}

ItemRow RowOf(const pg::Row& row) {
    ItemRow out;
    Item& item = out.item;
    item.id = HistoryId{UuidOf(row, 0)};
    item.request_id = row.Text(1);
    item.voice = row.Text(2);
    item.voice_name = row.Text(3);
    item.model = row.Text(4);
    item.characters = row.Int(5);
    item.output_format = row.Text(6);
    item.content_type = row.Text(7);
    item.extension = row.Text(8);
    if (!row.IsNull(9)) item.audio = BlobId{UuidOf(row, 9)};
    item.live = row.Bool(10);
    item.created_at = Clock::time_point(std::chrono::milliseconds(row.Int(11)));
    out.sealed = row.Bytes(12);
    return out;
}

pg::Params Of(TeamId team) {
    pg::Params params;
    params.Text(team.uuid.Dashed());
    return params;
}

void TimeOrNull(pg::Params& params, const std::optional<Clock::time_point>& time) {
    if (time) {
        params.Int(Millis(*time));
    } else {
        params.Null();
    }
}

}  // namespace

Task<void> Insert(pg::TeamDb db, Item item, std::string sealed, Clock::time_point expires_at) {
    pg::Params params = Of(db.team());
    params.Text(item.id.uuid.Dashed()).Text(item.request_id).Text(item.voice);
    params.Text(item.voice_name).Text(item.model).Bytes(sealed).Int(item.characters);
    params.Text(item.output_format).Text(item.content_type).Text(item.extension);
    if (item.audio) {
        params.Text(item.audio->uuid.Dashed());
    } else {
        params.Null();
    }
    params.Bool(item.live).Int(Millis(item.created_at)).Int(Millis(expires_at));
    co_await db.Query(kInsert, std::move(params));
}

Task<std::optional<ItemRow>> Find(pg::TeamDb db, HistoryId id, Clock::time_point now) {
    pg::Params params = Of(db.team());
    params.Text(id.uuid.Dashed()).Int(Millis(now));
    const pg::Rows rows = co_await db.Query(kFind, std::move(params));
    if (rows.empty()) co_return std::nullopt;
    co_return RowOf(rows[0]);
}

Task<std::vector<ItemRow>> List(pg::TeamDb db, Filter filter, Clock::time_point now) {
    pg::Params params = Of(db.team());
    params.Int(Millis(now));
    if (filter.after) {
        params.Text(filter.after->uuid.Dashed());
    } else {
        params.Null();
    }
    params.TextOrNull(filter.voice).TextOrNull(filter.model);
    TimeOrNull(params, filter.from);
    TimeOrNull(params, filter.to);
    params.Int(filter.limit);
    const pg::Statement statement = filter.oldest_first ? kListOldest : kListNewest;
    const pg::Rows rows = co_await db.Query(statement, std::move(params));
    std::vector<ItemRow> out;
    out.reserve(rows.size());
    for (const pg::Row row : rows) out.push_back(RowOf(row));
    co_return out;
}

Task<std::optional<std::optional<BlobId>>> Delete(pg::TeamDb db, HistoryId id,
                                                  Clock::time_point now) {
    pg::Params params = Of(db.team());
    params.Text(id.uuid.Dashed()).Int(Millis(now));
    const pg::Rows rows = co_await db.Query(kDelete, std::move(params));
    if (rows.empty()) co_return std::nullopt;
    std::optional<BlobId> blob;
    if (!rows[0].IsNull(0)) blob = BlobId{UuidOf(rows[0], 0)};
    co_return std::optional<std::optional<BlobId>>(std::in_place, blob);
}

Task<std::vector<std::pair<std::string, std::string>>> ByRequests(pg::TeamDb db,
                                                                  std::vector<std::string> ids,
                                                                  Clock::time_point since) {
    std::vector<pg::Call> calls;
    for (const std::string& id : ids) {
        pg::Params params = Of(db.team());
        params.Text(id).Int(Millis(since));
        calls.emplace_back(kByRequest, std::move(params));
    }
    std::vector<std::pair<std::string, std::string>> out;
    if (calls.empty()) co_return out;
    const std::vector<pg::Rows> found = co_await db.QueryTogether(std::move(calls));
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (!found[i].empty()) out.emplace_back(ids[i], found[i][0].Bytes(0));
    }
    co_return out;
}

Task<std::int64_t> DeleteExpired(pg::SystemDb db, Clock::time_point now, std::int64_t limit) {
    pg::Params params;
    params.Int(Millis(now)).Int(limit);
    const pg::Rows rows = co_await db.Query(kDeleteExpired, std::move(params));
    co_return rows.affected();
}

}  // namespace vf::history::store
