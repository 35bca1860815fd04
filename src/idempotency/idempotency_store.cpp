#include "idempotency/idempotency_store.hpp"

#include <stdexcept>

namespace vf::idempotency::idempotency_store {
namespace {

// A new key, an expired one, one whose worker is dead, or one whose answer was too large to keep.
constexpr pg::Statement kClaim{
    "idempotency_claim",
    "INSERT INTO idempotent_requests AS r (team_id, key_sha256, request_sha256, operation_id, "
    "node_id, state, lease_until, expires_at) VALUES ($1, $2, $3, $4, $5, 'working', "
    "now() + $6::bigint * interval '1 ms', now() + $7::bigint * interval '1 ms') "
    "ON CONFLICT (team_id, key_sha256) DO UPDATE SET state = 'working', node_id = "
    "excluded.node_id, "
    "lease_until = excluded.lease_until, request_sha256 = excluded.request_sha256, "
    "status = NULL, headers = NULL, blob_id = NULL, "
    "operation_id = CASE WHEN r.expires_at < now() THEN excluded.operation_id "
    "ELSE r.operation_id END, "
    "expires_at = CASE WHEN r.expires_at < now() THEN excluded.expires_at ELSE r.expires_at END "
    "WHERE r.expires_at < now() OR (r.request_sha256 = excluded.request_sha256 "
    "AND ((r.state = 'working' AND r.lease_until < now()) "
    "OR (r.state = 'done' AND r.blob_id IS NULL))) RETURNING operation_id"};

constexpr pg::Statement kFind{
    "idempotency_find",
    "SELECT request_sha256 = $3, state = 'done', operation_id, status, headers::text, blob_id "
    "FROM idempotent_requests WHERE team_id = $1 AND key_sha256 = $2"};

constexpr pg::Statement kDone{
    "idempotency_done",
    "UPDATE idempotent_requests SET state = 'done', status = $4, headers = $5, blob_id = $6 "
    "WHERE team_id = $1 AND key_sha256 = $2 AND operation_id = $3"};

constexpr pg::Statement kRelease{
    "idempotency_release",
    "DELETE FROM idempotent_requests "
    "WHERE team_id = $1 AND key_sha256 = $2 AND operation_id = $3 AND state = 'working'"};

constexpr pg::Statement kReleaseNode{
    "idempotency_release_node",
    "UPDATE idempotent_requests SET lease_until = '-infinity' WHERE node_id = $1 "
    "AND state = 'working'"};

constexpr pg::Statement kSweep{
    "idempotency_sweep",
    "DELETE FROM idempotent_requests WHERE (team_id, key_sha256) IN (SELECT team_id, key_sha256 "
    "FROM idempotent_requests WHERE expires_at < now() ORDER BY expires_at LIMIT 1000 "
    "FOR UPDATE SKIP LOCKED)"};

std::string_view View(const Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Uuid ReadUuid(std::string_view text) {
    const std::optional<Uuid> uuid = Uuid::Parse(text);
    if (!uuid) throw std::runtime_error("an id in the database is not a UUID");
    return *uuid;
}

pg::Params Place(const pg::TeamDb& db, const Digest& key) {
    pg::Params params;
    params.Text(db.team().uuid.Dashed()).Bytes(View(key));
    return params;
}

}  // namespace

Task<StoredRequest> Claim(pg::TeamDb db, Digest key, Digest request, OperationId operation,
                          NodeId node, std::chrono::milliseconds lease,
                          std::chrono::milliseconds keep) {
    pg::Params claim = Place(db, key);
    claim.Bytes(View(request)).Text(operation.uuid.Dashed()).Text(node.uuid.Dashed());
    claim.Int(lease.count()).Int(keep.count());
    pg::Params find = Place(db, key);
    find.Bytes(View(request));
    std::vector<pg::Call> calls;
    calls.emplace_back(kClaim, std::move(claim));
    calls.emplace_back(kFind, std::move(find));
    const std::vector<pg::Rows> rows = co_await db.QueryTogether(std::move(calls));
    StoredRequest stored;
    stored.is_claimed = !rows[0].empty();
    const pg::Row row = rows[1][0];
    stored.is_same = row.Bool(0);
    stored.is_done = row.Bool(1);
    stored.operation = OperationId{ReadUuid(row.Text(2))};
    stored.status = static_cast<int>(row.MaybeInt(3).value_or(0));
    stored.headers = row.MaybeText(4).value_or("{}");
    if (const auto blob = row.MaybeText(5)) stored.blob = BlobId{ReadUuid(*blob)};
    co_return stored;
}

Task<void> Done(pg::TeamDb db, Digest key, OperationId operation, int status, std::string headers,
                std::optional<BlobId> blob) {
    pg::Params params = Place(db, key);
    params.Text(operation.uuid.Dashed()).Int(status).Text(headers);
    if (blob) {
        params.Text(blob->uuid.Dashed());
    } else {
        params.Null();
    }
    co_await db.Query(kDone, std::move(params));
}

Task<void> Release(pg::TeamDb db, Digest key, OperationId operation) {
    pg::Params params = Place(db, key);
    params.Text(operation.uuid.Dashed());
    co_await db.Query(kRelease, std::move(params));
}

Task<void> ReleaseNode(pg::SystemDb db, NodeId node) {
    pg::Params params;
    params.Text(node.uuid.Dashed());
    co_await db.Query(kReleaseNode, std::move(params));
}

Task<std::int64_t> Sweep(pg::SystemDb db) {
    const pg::Rows rows = co_await db.Query(kSweep);
    co_return rows.affected();
}

}  // namespace vf::idempotency::idempotency_store
