// The wall between teams, tried from the outside.
#include "pg/database.hpp"

#include <gtest/gtest.h>

#include "pg/blocking.hpp"
#include "pg/migrations.hpp"
#include "pg/pg_testing.hpp"
#include "pg/roles.hpp"

namespace vf::pg {
namespace {

using std::chrono::milliseconds;

constexpr Statement kKeyNames{"test_key_names", "SELECT name FROM api_keys ORDER BY name"};
constexpr Statement kAllOfTeam{"test_of_team", "SELECT name FROM api_keys WHERE team_id = $1"};
constexpr Statement kRename{"test_rename", "UPDATE api_keys SET name = 'mine' WHERE team_id = $1"};
constexpr Statement kInsertFor{
    "test_insert_for",
    "INSERT INTO api_keys (id, team_id, name, live, prefix, secret_sha256, scopes) "
    "VALUES (gen_random_uuid(), $1, 'planted', true, 'vf', sha256($1::uuid::text::bytea), '{}')"};
constexpr Statement kWho{"test_who", "SELECT vf_team()::text"};

// Roles, schema, and as many teams as asked for, each with one key that bears its number.
struct Ground {
    RoleUrls urls;
    std::vector<TeamId> teams;

    explicit Ground(int count) {
        RoleOptions options;
        options.owner_url = SharedCluster()->url();
        options.app_password = "app-password";
        options.system_password = "system-password";
        auto made = EnsureRoles(options);
        if (!made) throw std::runtime_error(made.error().message());
        urls = *made;
        MigrationOptions migration;
        migration.url = options.owner_url;
        migration.folder = std::filesystem::path(VF_SOURCE_DIR) / "migrations";
        auto report = MigrateNow(migration);
        if (!report) throw std::runtime_error(report.error().message());
        BlockingConnection owner(options.owner_url, milliseconds(5000));
        for (int i = 0; i < count; ++i) {
            teams.push_back(TeamId::New());
            const std::string id = teams.back().uuid.Dashed();
            owner.Run(
                "INSERT INTO teams (id, billing_account_id, name) "
                "SELECT $1, id, 'Team' FROM billing_accounts LIMIT 1",
                {id});
            owner.Run(
                "INSERT INTO api_keys (id, team_id, name, live, prefix, secret_sha256, scopes) "
                "VALUES (gen_random_uuid(), $1, $2, true, 'vf', sha256($1::uuid::text::bytea), "
                "'{}')",
                {id, id});
        }
    }
};

Ground& SharedGround() {
    static Ground ground(50);
    return ground;
}

void WithDatabase(const std::function<Task<void>(Database*)>& body) {
    asio::io_context loop;
    PoolOptions app;
    app.url = SharedGround().urls.app;
    app.connections = 1;
    PoolOptions system = app;
    system.url = SharedGround().urls.system;
    Database database(loop, app, system);
    auto run = [](Database* db, const std::function<Task<void>(Database*)>* inner) -> Task<void> {
        co_await (*inner)(db);
        db->Close();
    };
    RunTask(loop, run(&database, &body));
}

std::string RefusalOf(BlockingConnection& connection, const std::string& sql) {
    try {
        connection.Run(sql);
    } catch (const QueryError& e) {
        return e.sqlstate();
    }
    return "done";
}

TEST(Database, ATeamSeesItsOwnRowsOnly) {
    WithDatabase([](Database* db) -> Task<void> {
        const TeamId mine = SharedGround().teams[0];
        TeamDb team = db->Team(mine);
        const Rows rows = co_await team.Query(kKeyNames);
        EXPECT_EQ(rows.size(), 1U);
        EXPECT_EQ(rows[0].Text(0), mine.uuid.Dashed());
        Params other;
        other.Text(SharedGround().teams[1].uuid.Dashed());
        const Rows foreign = co_await team.Query(kAllOfTeam, other);
        EXPECT_EQ(foreign.size(), 0U);
        const Rows changed = co_await team.Query(kRename, other);
        EXPECT_EQ(changed.affected(), 0);
        std::string refusal;
        try {
            co_await team.Query(kInsertFor, other);
        } catch (const QueryError& e) {
            refusal = e.sqlstate();
        }
        EXPECT_EQ(refusal, "42501");
    });
}

TEST(Database, TheSystemSeesEveryTeam) {
    WithDatabase([](Database* db) -> Task<void> {
        SystemDb system = db->System("the test counts all teams");
        const Rows rows = co_await system.Query(kKeyNames);
        EXPECT_GE(rows.size(), 50U);
    });
}

TEST(Database, ATransactionBelongsToItsTeamToTheEnd) {
    WithDatabase([](Database* db) -> Task<void> {
        TeamDb team = db->Team(SharedGround().teams[2]);
        auto transaction = co_await team.Begin();
        const Rows first = co_await transaction->Query(kWho);
        const Rows second = co_await transaction->Query(kWho);
        EXPECT_EQ(first[0].Text(0), SharedGround().teams[2].uuid.Dashed());
        EXPECT_EQ(second[0].Text(0), SharedGround().teams[2].uuid.Dashed());
        co_await transaction->Commit();
    });
}

TEST(Database, AStatementWithoutATeamFindsNothing) {
    SharedGround();
    BlockingConnection connection(SharedGround().urls.app, milliseconds(5000));
    EXPECT_EQ(connection.Run("SELECT * FROM api_keys").size(), 0U);
    EXPECT_EQ(connection.Run("SELECT * FROM teams").size(), 0U);
    // The setting of a transaction is gone with it.
    const std::string team = SharedGround().teams[3].uuid.Dashed();
    connection.Run("BEGIN");
    connection.Run("SELECT set_config('vf.team', $1, true)", {team});
    EXPECT_EQ(connection.Run("SELECT * FROM api_keys").size(), 1U);
    connection.Run("COMMIT");
    EXPECT_EQ(connection.Run("SELECT * FROM api_keys").size(), 0U);
    EXPECT_EQ(connection.Run("UPDATE api_keys SET name = 'x'").affected(), 0);
    EXPECT_EQ(connection.Run("DELETE FROM api_keys").affected(), 0);
}

TEST(Database, TheAppRoleCannotSwitchTheWallOff) {
    SharedGround();
    BlockingConnection connection(SharedGround().urls.app, milliseconds(5000));
    connection.Run("SET row_security = off");
    EXPECT_EQ(RefusalOf(connection, "SELECT * FROM api_keys"), "42501");
    connection.Run("SET row_security = on");
    for (const char* attack : {
             "ALTER TABLE api_keys DISABLE ROW LEVEL SECURITY",
             "ALTER TABLE api_keys NO FORCE ROW LEVEL SECURITY",
             "DROP POLICY of_team ON api_keys",
             "CREATE POLICY mine ON api_keys USING (true)",
             "SET ROLE voiceflow_system",
             "SET SESSION AUTHORIZATION voiceflow",
             "GRANT voiceflow_system TO CURRENT_USER",
             "ALTER ROLE CURRENT_USER BYPASSRLS",
             "CREATE TABLE stolen AS SELECT 1",
             "CREATE OR REPLACE FUNCTION vf_team() RETURNS uuid LANGUAGE sql AS 'SELECT "
             "NULL::uuid'",
             "SELECT vf_wall('plans')",
             "SELECT * FROM accounts",
             "SELECT * FROM billing_accounts",
             "SELECT * FROM access_changes",
             "TRUNCATE api_keys",
             "UPDATE plans SET requests = NULL",
             "COPY plans TO PROGRAM 'id'",
             "COPY plans TO '/tmp/plans'",
             "SELECT pg_read_file('/etc/passwd')",
         }) {
        EXPECT_EQ(RefusalOf(connection, attack), "42501") << attack;
    }
    EXPECT_EQ(connection.Run("SELECT * FROM api_keys").size(), 0U);
}

TEST(Database, EveryTableWithATeamHasTheWall) {
    SharedGround();
    BlockingConnection owner(SharedCluster()->url(), milliseconds(5000));
    const Rows naked = owner.Run(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') "
        "AND a.attname = 'team_id' AND NOT a.attisdropped AND NOT c.relispartition "
        "AND NOT (c.relrowsecurity AND c.relforcerowsecurity)");
    for (const Row row : naked) ADD_FAILURE() << row.Text(0) << " has no row-level security";
    EXPECT_GE(
        owner.Run("SELECT 1 FROM pg_class WHERE relrowsecurity AND relforcerowsecurity").size(),
        4U);
    // A partition is reached through its parent only.
    const Rows open = owner.Run(
        "SELECT c.relname FROM pg_class c WHERE c.relispartition AND "
        "(has_table_privilege('voiceflow_app', c.oid, 'SELECT, INSERT, UPDATE, DELETE'))");
    for (const Row row : open) ADD_FAILURE() << row.Text(0) << " can be read past its parent";
}

// One connection, 50 teams, 10,000 statements in each other's wake.
TEST(Database, InterleavedTeamsNeverCross) {
    WithDatabase([](Database* db) -> Task<void> {
        struct Count {
            int left = 0;
            int right = 0;
            int wrong = 0;
        };
        auto ask = [](Database* d, TeamId id, int times, Count* counted) -> Task<void> {
            TeamDb team = d->Team(id);
            for (int i = 0; i < times; ++i) {
                const Statement statement = i % 2 == 0 ? kWho : kKeyNames;
                const Rows rows = co_await team.Query(statement);
                const bool mine = rows.size() == 1 && rows[0].Text(0) == id.uuid.Dashed();
                ++(mine ? counted->right : counted->wrong);
            }
            --counted->left;
        };
        Count count;
        const Executor loop = co_await asio::this_coro::executor;
        for (int round = 0; round < 4; ++round) {
            for (const TeamId team : SharedGround().teams) {
                ++count.left;
                Spawn(loop, ask(db, team, 50, &count), "ask");
            }
        }
        while (count.left > 0) co_await Sleep(milliseconds(5));
        EXPECT_EQ(count.right, 10'000);
        EXPECT_EQ(count.wrong, 0);
    });
}

TEST(Roles, ARoleThatCouldPassTheWallIsRefused) {
    SharedGround();
    RoleOptions options;
    options.owner_url = SharedCluster()->url();
    options.app_url = options.owner_url;
    options.system_url = options.owner_url;
    const auto made = EnsureRoles(options);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code(), "database_role_too_strong");
}

TEST(Roles, AUserWhoMayNotMakeRolesIsToldWhatToRun) {
    SharedGround();
    RoleOptions options;
    options.owner_url = SharedGround().urls.app;
    options.app_password = "a";
    options.system_password = "b";
    const auto made = EnsureRoles(options);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code(), "database_roles_missing");
    EXPECT_NE(made.error().message().find("CREATE ROLE"), std::string::npos);
}

TEST(Roles, AreFoundAgainAndTheirPasswordsRenewed) {
    SharedGround();
    RoleOptions options;
    options.owner_url = SharedCluster()->url();
    options.app_password = "another";
    options.system_password = "another";
    ASSERT_TRUE(EnsureRoles(options));
    options.app_password = "app-password";
    options.system_password = "system-password";
    ASSERT_TRUE(EnsureRoles(options));
    ASSERT_TRUE(EnsureRoles(options));
}

}  // namespace
}  // namespace vf::pg
