#pragma once
// Teams and who pays for them, in the database. SQL and nothing else.

#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "pg/database.hpp"

namespace vf::identity {

struct TeamRow {
    TeamId id;
    std::string name;
    BillingAccountId billing;
    std::string plan;
    std::int64_t keys = 0;   // in force
    std::string created_at;  // RFC 3339, UTC
};

namespace team_store {

// A team with a billing account of its own. Throws QueryError with foreign_key_violation (23503)
// for an unknown plan.
Task<TeamRow> Insert(pg::SystemDb db, std::string name, std::string plan);
Task<std::optional<TeamRow>> Find(pg::SystemDb db, TeamId team);
// Of one name, or all (no name); 10,000 at most, oldest first. The demo team is not listed.
Task<std::vector<TeamRow>> List(pg::SystemDb db, std::optional<std::string> name);
// False when the team does not exist. Changes the plan of its billing account, and so of all teams
// that it pays for.
Task<bool> SetPlan(pg::SystemDb db, TeamId team, std::string plan);
// The team a key belongs to, for operators who have only the key's id.
Task<std::optional<TeamId>> TeamOfKey(pg::SystemDb db, KeyId key);

}  // namespace team_store
}  // namespace vf::identity
