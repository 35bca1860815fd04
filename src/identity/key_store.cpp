#include "identity/key_store.hpp"

#include <stdexcept>

namespace vf::identity::key_store {
namespace {

constexpr pg::Statement kFindByHash{
    "key_find_by_hash",
    "SELECT k.id, k.team_id, t.billing_account_id, k.live, array_to_string(k.scopes, ' '), "
    "(extract(epoch FROM k.expires_at) * 1000)::bigint, "
    "k.revoked_at IS NOT NULL OR t.deleted_at IS NOT NULL, b.plan_id "
    "FROM api_keys k JOIN teams t ON t.id = k.team_id "
    "JOIN billing_accounts b ON b.id = t.billing_account_id WHERE k.secret_sha256 = $1"};

constexpr pg::Statement kRecordUse{
    "key_record_use",
    "UPDATE api_keys k SET requests = k.requests + u.requests, "
    "last_used_at = greatest(k.last_used_at, to_timestamp(u.last_ms / 1000.0)), "
    "last_used_address = u.address "
    "FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[]) "
    "AS u (id, requests, last_ms, address) WHERE k.id = u.id"};

constexpr pg::Statement kHasCredentials{
    "key_has_credentials", "SELECT EXISTS (SELECT FROM api_keys) OR EXISTS (SELECT FROM accounts)"};

constexpr pg::Statement kCountUsable{"key_count_usable",
                                     "SELECT count(*) FROM api_keys WHERE revoked_at IS NULL "
                                     "AND (expires_at IS NULL OR expires_at > now())"};

constexpr pg::Statement kChangesAfter{
    "access_changes_after",
    "SELECT seq, kind, subject FROM access_changes WHERE seq > $1 ORDER BY seq LIMIT 1000"};

constexpr pg::Statement kLastChange{"access_last_change",
                                    "SELECT coalesce(max(seq), 0) FROM access_changes"};

constexpr pg::Statement kSweepChanges{
    "access_sweep_changes",
    "DELETE FROM access_changes WHERE seq IN (SELECT seq FROM access_changes "
    "WHERE at < now() - interval '1 day' ORDER BY seq LIMIT 10000)"};

constexpr pg::Statement kInsert{
    "key_insert",
    "INSERT INTO api_keys (id, team_id, name, description, live, prefix, secret_sha256, scopes, "
    "expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, string_to_array($8, ' '), "
    "now() + $9::bigint * interval '1 day')"};

constexpr pg::Statement kRevoke{
    "key_revoke",
    "UPDATE api_keys SET revoked_at = now() WHERE id = $1 AND team_id = $2 AND revoked_at IS NULL"};

constexpr pg::Statement kList{
    "key_list",
    "SELECT id, team_id, name, prefix, live, array_to_string(scopes, ' '), "
    "vf_rfc3339(created_at), vf_rfc3339(expires_at), vf_rfc3339(revoked_at), "
    "vf_rfc3339(last_used_at), requests FROM api_keys WHERE team_id = $1 ORDER BY id"};

Uuid ReadUuid(std::string_view text) {
    const std::optional<Uuid> uuid = Uuid::Parse(text);
    if (!uuid) throw std::runtime_error("an id in the database is not a UUID");
    return *uuid;
}

Scopes ReadScopes(std::string_view list) {
    Scopes scopes;
    while (!list.empty()) {
        const std::size_t space = list.find(' ');
        const std::optional<Scope> scope = ParseScope(list.substr(0, space));
        if (scope) scopes.Add(*scope);
        list = space == std::string_view::npos ? std::string_view() : list.substr(space + 1);
    }
    return scopes;
}

std::string PrintScopes(const Scopes& scopes) {
    std::string list;
    for (std::size_t i = 0; i < kScopeCount; ++i) {
        const auto scope = static_cast<Scope>(i);
        if (!scopes.Has(scope)) continue;
        list += list.empty() ? "" : " ";
        list += ScopeName(scope);
    }
    return list;
}

// A PostgreSQL array of values that need no quotes but the last kind, which gets them.
template <class Items, class Print>
std::string ArrayOf(const Items& items, Print print) {
    std::string text = "{";
    for (const auto& item : items) {
        if (text.size() > 1) text += ',';
        text += print(item);
    }
    return text + "}";
}

}  // namespace

Task<std::optional<KnownKey>> FindByHash(pg::SystemDb db, KeyHash hash) {
    pg::Params params;
    params.Bytes({reinterpret_cast<const char*>(hash.data()), hash.size()});
    const pg::Rows rows = co_await db.Query(kFindByHash, std::move(params));
    if (rows.empty()) co_return std::nullopt;
    const pg::Row row = rows[0];
    KnownKey key;
    key.id = KeyId{ReadUuid(row.Text(0))};
    key.team = TeamId{ReadUuid(row.Text(1))};
    key.billing = BillingAccountId{ReadUuid(row.Text(2))};
    key.live = row.Bool(3);
    key.scopes = ReadScopes(row.Text(4));
    if (const auto expires = row.MaybeInt(5)) {
        key.expires_at = std::chrono::system_clock::time_point(std::chrono::milliseconds(*expires));
    }
    key.revoked = row.Bool(6);
    key.plan_id = std::string(row.Text(7));
    co_return key;
}

Task<void> RecordUse(pg::SystemDb db, std::vector<KeyUse> uses) {
    pg::Params params;
    params.Text(ArrayOf(uses, [](const KeyUse& use) { return use.id.uuid.Dashed(); }));
    params.Text(ArrayOf(uses, [](const KeyUse& use) { return std::to_string(use.requests); }));
    params.Text(ArrayOf(uses, [](const KeyUse& use) { return std::to_string(use.last_unix_ms); }));
    // Addresses are of digits, letters, dots and colons: made by us from parsed ones.
    params.Text(ArrayOf(uses, [](const KeyUse& use) { return "\"" + use.address + "\""; }));
    co_await db.Query(kRecordUse, std::move(params));
}

Task<bool> HasCredentials(pg::SystemDb db) {
    const pg::Rows rows = co_await db.Query(kHasCredentials);
    co_return rows[0].Bool(0);
}

Task<std::int64_t> CountUsable(pg::SystemDb db) {
    const pg::Rows rows = co_await db.Query(kCountUsable);
    co_return rows[0].Int(0);
}

Task<std::vector<AccessChange>> ChangesAfter(pg::SystemDb db, std::int64_t seq) {
    pg::Params params;
    params.Int(seq);
    const pg::Rows rows = co_await db.Query(kChangesAfter, std::move(params));
    std::vector<AccessChange> changes;
    for (const pg::Row row : rows) {
        changes.push_back({row.Int(0), std::string(row.Text(1)), std::string(row.Text(2))});
    }
    co_return changes;
}

Task<std::int64_t> LastChange(pg::SystemDb db) {
    const pg::Rows rows = co_await db.Query(kLastChange);
    co_return rows[0].Int(0);
}

Task<void> SweepChanges(pg::SystemDb db) {
    co_await db.Query(kSweepChanges);
}

Task<void> Insert(pg::TeamDb db, NewKeyRow row) {
    pg::Params params;
    params.Text(row.id.uuid.Dashed()).Text(db.team().uuid.Dashed());
    params.Text(row.name).Text(row.description).Bool(row.live).Text(row.prefix);
    params.Bytes({reinterpret_cast<const char*>(row.hash.data()), row.hash.size()});
    params.Text(PrintScopes(row.scopes));
    if (row.expires_in_days) {
        params.Int(*row.expires_in_days);
    } else {
        params.Null();
    }
    co_await db.Query(kInsert, std::move(params));
}

Task<bool> Revoke(pg::TeamDb db, KeyId key) {
    pg::Params params;
    params.Text(key.uuid.Dashed()).Text(db.team().uuid.Dashed());
    const pg::Rows rows = co_await db.Query(kRevoke, std::move(params));
    co_return rows.affected() == 1;
}

Task<std::vector<KeyRow>> List(pg::TeamDb db) {
    pg::Params params;
    params.Text(db.team().uuid.Dashed());
    const pg::Rows rows = co_await db.Query(kList, std::move(params));
    std::vector<KeyRow> keys;
    for (const pg::Row row : rows) {
        KeyRow key;
        key.id = KeyId{ReadUuid(row.Text(0))};
        key.team = TeamId{ReadUuid(row.Text(1))};
        key.name = std::string(row.Text(2));
        key.prefix = std::string(row.Text(3));
        key.live = row.Bool(4);
        key.scopes = ReadScopes(row.Text(5));
        key.created_at = std::string(row.Text(6));
        key.expires_at = row.MaybeText(7);
        key.revoked_at = row.MaybeText(8);
        key.last_used_at = row.MaybeText(9);
        key.requests = row.Int(10);
        keys.push_back(std::move(key));
    }
    co_return keys;
}

}  // namespace vf::identity::key_store
