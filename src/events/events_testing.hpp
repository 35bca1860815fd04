#pragma once
// For tests of what stands on the outbox: a database with roles, schema and teams, and a few words
// to write and read events with.

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "base/bell.hpp"
#include "events/events.hpp"
#include "pg/migrations.hpp"
#include "pg/pg_testing.hpp"
#include "pg/roles.hpp"

namespace vf::events {

inline pg::RoleUrls PrepareCluster(const std::string& owner_url) {
    pg::RoleOptions options;
    options.owner_url = owner_url;
    options.app_password = "app-password";
    options.system_password = "system-password";
    auto made = pg::EnsureRoles(options);
    if (!made) throw std::runtime_error(made.error().message());
    pg::MigrationOptions migration;
    migration.url = owner_url;
    migration.folder = std::filesystem::path(VF_SOURCE_DIR) / "migrations";
    auto report = pg::MigrateNow(migration);
    if (!report) throw std::runtime_error(report.error().message());
    return *made;
}

inline const pg::RoleUrls& SharedUrls() {
    static const pg::RoleUrls urls = PrepareCluster(pg::SharedCluster()->url());
    return urls;
}

inline std::unique_ptr<pg::Database> OpenDatabase(asio::io_context& loop,
                                                  const pg::RoleUrls& urls) {
    pg::PoolOptions app;
    app.url = urls.app;
    pg::PoolOptions system = app;
    system.url = urls.system;
    return std::make_unique<pg::Database>(loop, app, system);
}

// What a test has at hand.
struct TestGround {
    asio::io_context& loop;
    pg::Database& db;
};
using GroundBody = std::function<Task<void>(TestGround*)>;

// A body that throws leaves work behind that would keep the loop alive.
inline Task<void> RunBody(TestGround* ground, const GroundBody* body) {
    constexpr std::chrono::milliseconds kLong{20'000};
    std::string failure;
    try {
        co_await ground->db.WaitAvailable(kLong);
        Task<void> work = (*body)(ground);
        co_await std::move(work);
    } catch (const std::exception& e) {
        failure = std::string("the test's body threw: ") + e.what();
    }
    ground->db.Close();
    if (failure.empty()) co_return;
    ADD_FAILURE() << failure;
    ground->loop.stop();
}

// Runs a coroutine without captures on the shared cluster.
inline void WithGround(const GroundBody& body) {
    asio::io_context loop;
    const auto db = OpenDatabase(loop, SharedUrls());
    TestGround ground{loop, *db};
    RunTask(loop, RunBody(&ground, &body));
}

constexpr pg::Statement kTestMakeTeam{"test_make_team",
                                      "INSERT INTO teams (id, billing_account_id, name) "
                                      "SELECT $1, id, 'Team' FROM billing_accounts LIMIT 1"};

inline Task<TeamId> MakeTeam(pg::Database* db) {
    const TeamId team = TeamId::New();
    pg::SystemDb system = db->System("the test makes a team");
    co_await system.Query(kTestMakeTeam, pg::TextParam(team.uuid.Dashed()));
    co_return team;
}

inline NewEvent TestEvent(std::string resource, std::string type = "test.happened") {
    NewEvent event;
    event.type = std::move(type);
    event.resource = std::move(resource);
    event.data = {{"n", 1}};
    return event;
}

// One event in a transaction of its own.
inline Task<EventId> Happen(pg::Database* db, TeamId team, NewEvent event) {
    pg::TeamDb team_db = db->Team(team);
    auto transaction = co_await team_db.Begin();
    const EventId id = co_await Append(*transaction, std::move(event));
    co_await transaction->Commit();
    co_return id;
}

constexpr pg::Statement kTestHolder{
    "test_holder", "SELECT coalesce(holder, '') FROM event_readers WHERE name = $1"};

inline Task<std::string> HolderOf(pg::Database* db, std::string name) {
    pg::SystemDb system = db->System("the test looks who reads");
    const pg::Rows rows = co_await system.Query(kTestHolder, pg::TextParam(name));
    if (rows.empty()) co_return "";
    co_return std::string(rows[0].Text(0));
}

// Until a node has the reader.
inline Task<bool> Runs(pg::Database* db, std::string name) {
    for (int i = 0; i < 1000; ++i) {
        const std::string holder = co_await HolderOf(db, name);
        if (!holder.empty()) co_return true;
        co_await Sleep(std::chrono::milliseconds(5));
    }
    co_return false;
}

// "a b c": what the events are about, in their order.
inline std::string ResourcesOf(const std::vector<Event>& events) {
    std::string text;
    for (const Event& event : events) text += (text.empty() ? "" : " ") + event.resource;
    return text;
}

// Until `is_true`, polled; false after `limit`.
inline Task<bool> Eventually(std::function<bool()> is_true,
                             std::chrono::milliseconds limit = std::chrono::seconds(15)) {
    constexpr std::chrono::milliseconds kPause{3};
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!is_true()) {
        if (std::chrono::steady_clock::now() > end) co_return false;
        co_await Sleep(kPause);
    }
    co_return true;
}

}  // namespace vf::events
