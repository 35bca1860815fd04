#include "blob/blob_store.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace vf::blob::store {
namespace {

// Locks in one order everywhere: the blob's row first, its team's total after.

constexpr pg::Statement kReserve{
    "blob_reserve",
    "WITH room AS ("
    "  INSERT INTO blob_totals AS t (team_id, bytes)"
    "  SELECT $2::uuid, $5::bigint WHERE $6::bigint IS NULL OR $5::bigint <= $6::bigint"
    "  ON CONFLICT (team_id) DO UPDATE SET bytes = t.bytes + EXCLUDED.bytes"
    "    WHERE $6::bigint IS NULL OR t.bytes + EXCLUDED.bytes <= $6::bigint"
    "  RETURNING 1) "
    "INSERT INTO blobs (id, team_id, name, content_type, bytes, backend, key_id, live, state, "
    "  created_at, expires_at, sweep_after) "
    "SELECT $1::uuid, $2::uuid, $3, $4, $5::bigint, $7, $8, $9::boolean, 'writing',"
    "  'epoch'::timestamptz + $10::bigint * interval '1 ms',"
    "  'epoch'::timestamptz + $11::bigint * interval '1 ms',"
    "  'epoch'::timestamptz + $12::bigint * interval '1 ms' FROM room"};

constexpr pg::Statement kExtend{
    "blob_extend",
    "WITH mine AS ("
    "  SELECT id, team_id FROM blobs WHERE id = $1::uuid AND team_id = $2::uuid"
    "    AND state = 'writing' FOR UPDATE),"
    "room AS ("
    "  UPDATE blob_totals t SET bytes = t.bytes + $3::bigint FROM mine"
    "  WHERE t.team_id = mine.team_id"
    "    AND ($4::bigint IS NULL OR $3::bigint = 0 OR t.bytes + $3::bigint <= $4::bigint)"
    "  RETURNING 1),"
    "done AS ("
    "  UPDATE blobs b SET bytes = b.bytes + $3::bigint,"
    "    sweep_after = 'epoch'::timestamptz + $5::bigint * interval '1 ms'"
    "  FROM room WHERE b.id = $1::uuid RETURNING 1) "
    "SELECT (SELECT count(*) FROM mine), (SELECT count(*) FROM done)"};

constexpr pg::Statement kFinish{
    "blob_finish",
    "WITH mine AS ("
    "  SELECT id, team_id, bytes FROM blobs WHERE id = $1::uuid AND team_id = $2::uuid"
    "    AND state = 'writing' FOR UPDATE),"
    "total AS ("
    "  UPDATE blob_totals t SET bytes = t.bytes - mine.bytes + $3::bigint FROM mine"
    "  WHERE t.team_id = mine.team_id) "
    "UPDATE blobs b SET state = 'ready', bytes = $3::bigint, sha256 = $4::bytea,"
    "  sweep_after = b.expires_at FROM mine WHERE b.id = mine.id"};

// $3: the state that it must have.
constexpr pg::Statement kMarkDeleted{
    "blob_mark_deleted",
    "WITH mine AS ("
    "  SELECT id, team_id, bytes FROM blobs WHERE id = $1::uuid AND team_id = $2::uuid"
    "    AND state = $3 AND (state = 'writing' OR expires_at IS NULL"
    "      OR expires_at > 'epoch'::timestamptz + $4::bigint * interval '1 ms') FOR UPDATE),"
    "total AS ("
    "  UPDATE blob_totals t SET bytes = t.bytes - mine.bytes FROM mine"
    "  WHERE t.team_id = mine.team_id) "
    "UPDATE blobs b SET state = 'deleting',"
    "  sweep_after = 'epoch'::timestamptz + $4::bigint * interval '1 ms'"
    " FROM mine WHERE b.id = mine.id"};

constexpr pg::Statement kFind{
    "blob_find",
    "SELECT id, team_id, name, content_type, bytes, encode(sha256, 'hex'), live,"
    "  (extract(epoch FROM created_at) * 1000)::bigint,"
    "  (extract(epoch FROM expires_at) * 1000)::bigint, backend, key_id "
    "FROM blobs WHERE id = $1::uuid AND team_id = $2::uuid AND state = 'ready'"
    "  AND (expires_at IS NULL OR expires_at > 'epoch'::timestamptz + $3::bigint * interval '1 "
    "ms')"};

constexpr pg::Statement kList{
    "blob_list",
    "SELECT id, team_id, name, content_type, bytes, encode(sha256, 'hex'), live,"
    "  (extract(epoch FROM created_at) * 1000)::bigint,"
    "  (extract(epoch FROM expires_at) * 1000)::bigint, backend, key_id "
    "FROM blobs WHERE team_id = $1::uuid AND state = 'ready'"
    "  AND (expires_at IS NULL OR expires_at > 'epoch'::timestamptz + $2::bigint * interval '1 ms')"
    "  AND id < $3::uuid ORDER BY id DESC LIMIT $4"};

constexpr pg::Statement kUsed{"blob_used",
                              "SELECT bytes FROM blob_totals WHERE team_id = $1::uuid"};

// Not of one team: whoever holds a signed link has no other credentials.
constexpr pg::Statement kFindLinked{
    "blob_find_linked",
    "SELECT id, team_id, name, content_type, bytes, encode(sha256, 'hex'), live,"
    "  (extract(epoch FROM created_at) * 1000)::bigint,"
    "  (extract(epoch FROM expires_at) * 1000)::bigint, backend, key_id "
    "FROM blobs WHERE id = $1::uuid AND state = 'ready'"
    "  AND (expires_at IS NULL OR expires_at > 'epoch'::timestamptz + $2::bigint * interval '1 "
    "ms')"};

// Not of one team: the sweeper. What is 'deleting' already has been taken from the total before.
constexpr pg::Statement kClaim{
    "blob_claim",
    "WITH due AS ("
    "  SELECT id, team_id, CASE state WHEN 'deleting' THEN 0 ELSE bytes END AS freed FROM blobs"
    "  WHERE sweep_after <= 'epoch'::timestamptz + $1::bigint * interval '1 ms'"
    "    AND backend = ANY (string_to_array($2, ','))"
    "  ORDER BY sweep_after LIMIT $3 FOR UPDATE SKIP LOCKED),"
    "marked AS ("
    "  UPDATE blobs b SET state = 'deleting',"
    "    sweep_after = 'epoch'::timestamptz + $4::bigint * interval '1 ms'"
    "  FROM due WHERE b.id = due.id RETURNING b.id, b.backend),"
    "total AS ("
    "  UPDATE blob_totals t SET bytes = t.bytes - f.freed"
    "  FROM (SELECT team_id, sum(freed)::bigint AS freed FROM due GROUP BY team_id"
    "        ORDER BY team_id) f"
    "  WHERE t.team_id = f.team_id AND f.freed > 0) "
    "SELECT id, backend FROM marked"};

constexpr pg::Statement kForget{"blob_forget",
                                "DELETE FROM blobs WHERE id = $1::uuid AND state = 'deleting'"};

constexpr pg::Statement kStoredBytes{"blob_stored_bytes",
                                     "SELECT coalesce(sum(bytes), 0)::bigint FROM blob_totals"};

std::int64_t Millis(Time time) {
    return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

Time FromMillis(std::int64_t millis) {
    return Time(std::chrono::milliseconds(millis));
}

void AddMaybe(pg::Params& params, std::optional<std::int64_t> value) {
    if (value) {
        params.Int(*value);
    } else {
        params.Null();
    }
}

Uuid UuidOf(std::string_view text) {
    const std::optional<Uuid> uuid = Uuid::Parse(text);
    if (!uuid) throw std::runtime_error("an id in the table blobs is not a UUID");
    return *uuid;
}

BlobInfo InfoOf(const pg::Row& row) {
    BlobInfo info;
    info.id = BlobId{UuidOf(row.Text(0))};
    info.team = TeamId{UuidOf(row.Text(1))};
    info.name = row.Text(2);
    info.content_type = row.Text(3);
    info.bytes = static_cast<std::uint64_t>(row.Int(4));
    info.sha256 = row.Text(5);
    info.live = row.Bool(6);
    info.created_at = FromMillis(row.Int(7));
    if (const auto expires = row.MaybeInt(8)) info.expires_at = FromMillis(*expires);
    info.backend = row.Text(9);
    info.key_id = row.Text(10);
    return info;
}

// The id and the team, as every statement on one blob wants them.
pg::Params ParamsFor(const pg::TeamDb& db, BlobId id) {
    pg::Params params;
    params.Text(id.uuid.Dashed()).Text(db.team().uuid.Dashed());
    return params;
}

std::string BytesOfHex(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    }
    return bytes;
}

Task<bool> Mark(pg::TeamDb db, BlobId id, const char* state, Time now) {
    pg::Params params = ParamsFor(db, id);
    params.Text(state).Int(Millis(now));
    const pg::Rows rows = co_await db.Query(kMarkDeleted, std::move(params));
    co_return rows.affected() == 1;
}

}  // namespace

Task<bool> Reserve(pg::TeamDb db, const NewBlob& blob) {
    const BlobInfo& info = blob.info;
    pg::Params params = ParamsFor(db, info.id);
    params.Text(info.name).Text(info.content_type).Int(static_cast<std::int64_t>(info.bytes));
    AddMaybe(params, blob.storage_bytes);
    params.Text(info.backend).Text(info.key_id).Bool(info.live).Int(Millis(info.created_at));
    AddMaybe(params, info.expires_at ? std::optional(Millis(*info.expires_at)) : std::nullopt);
    params.Int(Millis(blob.give_up_at));
    const pg::Rows rows = co_await db.Query(kReserve, std::move(params));
    co_return rows.affected() == 1;
}

Task<Extension> Extend(pg::TeamDb db, BlobId id, std::uint64_t more,
                       std::optional<std::int64_t> storage_bytes, Time give_up_at) {
    pg::Params params = ParamsFor(db, id);
    params.Int(static_cast<std::int64_t>(more));
    AddMaybe(params, storage_bytes);
    params.Int(Millis(give_up_at));
    const pg::Rows rows = co_await db.Query(kExtend, std::move(params));
    if (rows[0].Int(0) == 0) co_return Extension::kLost;
    co_return rows[0].Int(1) == 1 ? Extension::kDone : Extension::kNoRoom;
}

Task<bool> Finish(pg::TeamDb db, const BlobInfo& info) {
    pg::Params params = ParamsFor(db, info.id);
    params.Int(static_cast<std::int64_t>(info.bytes)).Bytes(BytesOfHex(info.sha256));
    const pg::Rows rows = co_await db.Query(kFinish, std::move(params));
    co_return rows.affected() == 1;
}

Task<void> GiveUp(pg::TeamDb db, BlobId id, Time now) {
    co_await Mark(db, id, "writing", now);
}

Task<bool> MarkDeleted(pg::TeamDb db, BlobId id, Time now) {
    co_return co_await Mark(db, id, "ready", now);
}

Task<std::optional<BlobInfo>> Find(pg::TeamDb db, BlobId id, Time now) {
    pg::Params params = ParamsFor(db, id);
    params.Int(Millis(now));
    const pg::Rows rows = co_await db.Query(kFind, std::move(params));
    if (rows.empty()) co_return std::nullopt;
    co_return InfoOf(rows[0]);
}

Task<std::vector<BlobInfo>> List(pg::TeamDb db, std::optional<BlobId> before, std::int64_t limit,
                                 Time now) {
    Uuid last;
    last.bytes.fill(0xFF);
    if (before) last = before->uuid;
    pg::Params params;
    params.Text(db.team().uuid.Dashed()).Int(Millis(now)).Text(last.Dashed()).Int(limit);
    const pg::Rows rows = co_await db.Query(kList, std::move(params));
    std::vector<BlobInfo> found;
    for (const pg::Row row : rows) found.push_back(InfoOf(row));
    co_return found;
}

Task<std::int64_t> Used(pg::TeamDb db) {
    pg::Params params;
    params.Text(db.team().uuid.Dashed());
    const pg::Rows rows = co_await db.Query(kUsed, std::move(params));
    co_return rows.empty() ? 0 : rows[0].Int(0);
}

Task<std::optional<BlobInfo>> FindLinked(pg::SystemDb db, BlobId id, Time now) {
    pg::Params params;
    params.Text(id.uuid.Dashed()).Int(Millis(now));
    const pg::Rows rows = co_await db.Query(kFindLinked, std::move(params));
    if (rows.empty()) co_return std::nullopt;
    co_return InfoOf(rows[0]);
}

Task<std::vector<Due>> Claim(pg::SystemDb db, const std::string& backends, Time now,
                             Time lease_until, std::int64_t limit) {
    pg::Params params;
    params.Int(Millis(now)).Text(backends).Int(limit).Int(Millis(lease_until));
    const pg::Rows rows = co_await db.Query(kClaim, std::move(params));
    std::vector<Due> due;
    for (const pg::Row row : rows) {
        due.push_back({BlobId{UuidOf(row.Text(0))}, std::string(row.Text(1))});
    }
    co_return due;
}

Task<void> Forget(pg::SystemDb db, BlobId id) {
    pg::Params params;
    params.Text(id.uuid.Dashed());
    co_await db.Query(kForget, std::move(params));
}

Task<std::int64_t> StoredBytes(pg::SystemDb db) {
    const pg::Rows rows = co_await db.Query(kStoredBytes);
    co_return rows[0].Int(0);
}

}  // namespace vf::blob::store
