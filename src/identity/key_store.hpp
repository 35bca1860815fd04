#pragma once
// API keys in the database. SQL and nothing else; every function says whether it acts for a team or
// across teams.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "identity/key_cache.hpp"
#include "pg/database.hpp"

namespace vf::identity {

// A key as its team sees it; the secret is nowhere.
struct KeyRow {
    KeyId id;
    TeamId team;
    std::string name;
    std::string prefix;
    bool live = false;
    Scopes scopes;
    std::string created_at;  // RFC 3339, UTC
    std::optional<std::string> expires_at;
    std::optional<std::string> revoked_at;
    std::optional<std::string> last_used_at;
    std::int64_t requests = 0;
};

struct NewKeyRow {
    KeyId id;
    std::string name;
    std::string description;
    std::string prefix;
    KeyHash hash{};
    bool live = false;
    Scopes scopes;
    std::optional<std::int64_t> expires_in_days;
};

// What was seen of one key since the last write.
struct KeyUse {
    KeyId id;
    std::int64_t requests = 0;
    std::int64_t last_unix_ms = 0;
    std::string address;
};

struct AccessChange {
    std::int64_t seq = 0;
    std::string kind;
    std::string subject;
};

namespace key_store {

// Whose key this is, before any team is known.
Task<std::optional<KnownKey>> FindByHash(pg::SystemDb db, KeyHash hash);
Task<void> RecordUse(pg::SystemDb db, std::vector<KeyUse> uses);
// True once an account or a key exists: the demo mode is over then.
Task<bool> HasCredentials(pg::SystemDb db);
Task<std::int64_t> CountUsable(pg::SystemDb db);
// Changes after `seq`, oldest first, 1,000 at most.
Task<std::vector<AccessChange>> ChangesAfter(pg::SystemDb db, std::int64_t seq);
Task<std::int64_t> LastChange(pg::SystemDb db);
Task<void> SweepChanges(pg::SystemDb db);

Task<void> Insert(pg::TeamDb db, NewKeyRow row);
// False when the team has no such key that is still in force.
Task<bool> Revoke(pg::TeamDb db, KeyId key);
Task<std::vector<KeyRow>> List(pg::TeamDb db);

}  // namespace key_store
}  // namespace vf::identity
