#include "identity/team_store.hpp"

#include <stdexcept>

#include "base/caller.hpp"

namespace vf::identity::team_store {
namespace {

constexpr pg::Statement kInsert{
    "team_insert",
    "WITH paying AS (INSERT INTO billing_accounts (id, name, plan_id) VALUES ($1, $2, $3) "
    "RETURNING id) INSERT INTO teams (id, billing_account_id, name) SELECT $4, id, $2 FROM paying"};

constexpr pg::Statement kSelect{
    "team_select",
    "SELECT t.id, t.name, t.billing_account_id, b.plan_id, "
    "(SELECT count(*) FROM api_keys k WHERE k.team_id = t.id AND k.revoked_at IS NULL "
    "AND (k.expires_at IS NULL OR k.expires_at > now())), vf_rfc3339(t.created_at) "
    "FROM teams t JOIN billing_accounts b ON b.id = t.billing_account_id "
    "WHERE t.deleted_at IS NULL AND t.id <> $1 AND ($2::uuid IS NULL OR t.id = $2) "
    "AND ($3::text IS NULL OR t.name = $3) ORDER BY t.id LIMIT 10000"};

constexpr pg::Statement kSetPlan{
    "team_set_plan",
    "UPDATE billing_accounts SET plan_id = $2 WHERE id = "
    "(SELECT billing_account_id FROM teams WHERE id = $1 AND deleted_at IS NULL)"};

constexpr pg::Statement kTeamOfKey{"team_of_key", "SELECT team_id FROM api_keys WHERE id = $1"};

Uuid ReadUuid(std::string_view text) {
    const std::optional<Uuid> uuid = Uuid::Parse(text);
    if (!uuid) throw std::runtime_error("an id in the database is not a UUID");
    return *uuid;
}

Task<std::vector<TeamRow>> Select(pg::SystemDb db, std::optional<TeamId> team,
                                  std::optional<std::string> name) {
    pg::Params params;
    params.Text(kDemoTeam.uuid.Dashed());
    if (team) {
        params.Text(team->uuid.Dashed());
    } else {
        params.Null();
    }
    params.TextOrNull(name);
    const pg::Rows rows = co_await db.Query(kSelect, std::move(params));
    std::vector<TeamRow> teams;
    for (const pg::Row row : rows) {
        TeamRow found;
        found.id = TeamId{ReadUuid(row.Text(0))};
        found.name = std::string(row.Text(1));
        found.billing = BillingAccountId{ReadUuid(row.Text(2))};
        found.plan = std::string(row.Text(3));
        found.keys = row.Int(4);
        found.created_at = std::string(row.Text(5));
        teams.push_back(std::move(found));
    }
    co_return teams;
}

}  // namespace

Task<TeamRow> Insert(pg::SystemDb db, std::string name, std::string plan) {
    const TeamId id = TeamId::New();
    pg::Params params;
    params.Text(NewUuid().Dashed()).Text(name).Text(plan).Text(id.uuid.Dashed());
    co_await db.Query(kInsert, std::move(params));
    std::optional<TeamRow> made = co_await Find(db, id);
    if (!made) throw std::runtime_error("the team that was just made is not there");
    co_return *std::move(made);
}

Task<std::optional<TeamRow>> Find(pg::SystemDb db, TeamId team) {
    std::vector<TeamRow> found = co_await Select(db, team, std::nullopt);
    if (found.empty()) co_return std::nullopt;
    co_return std::move(found.front());
}

Task<std::vector<TeamRow>> List(pg::SystemDb db, std::optional<std::string> name) {
    return Select(db, std::nullopt, std::move(name));
}

Task<bool> SetPlan(pg::SystemDb db, TeamId team, std::string plan) {
    pg::Params params;
    params.Text(team.uuid.Dashed()).Text(plan);
    const pg::Rows rows = co_await db.Query(kSetPlan, std::move(params));
    co_return rows.affected() == 1;
}

Task<std::optional<TeamId>> TeamOfKey(pg::SystemDb db, KeyId key) {
    pg::Params params;
    params.Text(key.uuid.Dashed());
    const pg::Rows rows = co_await db.Query(kTeamOfKey, std::move(params));
    if (rows.empty()) co_return std::nullopt;
    co_return TeamId{ReadUuid(rows[0].Text(0))};
}

}  // namespace vf::identity::team_store
