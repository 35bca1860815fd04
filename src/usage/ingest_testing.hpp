#pragma once
// For tests with rows in a real PostgreSQL: roles, schema, and a way in.

#include "pg/blocking.hpp"
#include "pg/migrations.hpp"
#include "pg/roles.hpp"
#include "usage/ingest_store.hpp"
#include "usage/usage_service.hpp"
#include "usage/usage_testing.hpp"

namespace vf::usage {

// A cluster with roles and schema, and a table that a test's OnIngest writes to.
struct Ground {
    pg::TestCluster cluster;
    pg::RoleUrls urls;

    Ground() {
        pg::RoleOptions options;
        options.owner_url = cluster->url();
        options.app_password = "app-password";
        options.system_password = "system-password";
        auto made = pg::EnsureRoles(options);
        if (!made) throw std::runtime_error(made.error().message());
        urls = *made;
        pg::MigrationOptions migration;
        migration.url = options.owner_url;
        migration.folder = fs::path(VF_SOURCE_DIR) / "migrations";
        auto report = pg::MigrateNow(migration);
        if (!report) throw std::runtime_error(report.error().message());
        Owner().Run(
            "CREATE TABLE test_totals (node_id uuid, requests bigint, characters bigint, "
            "charge bigint); GRANT INSERT ON test_totals TO voiceflow_system");
    }
    pg::BlockingConnection Owner() {
        return pg::BlockingConnection(cluster->url(), std::chrono::milliseconds(5000));
    }
    // Sees across teams, as the owner (under FORCE) may not.
    pg::BlockingConnection System() {
        return pg::BlockingConnection(urls.system, std::chrono::milliseconds(5000));
    }
    std::int64_t Ask(const std::string& sql) { return System().Run(sql)[0].Int(0); }
};

inline Ground& SharedGround() {
    static Ground ground;
    return ground;
}

inline pg::PoolOptions UrlOptions(const std::string& url) {
    pg::PoolOptions options;
    options.url = url;
    options.connections = 1;
    options.connect_timeout = std::chrono::milliseconds(2000);
    options.reconnect_wait = std::chrono::milliseconds(50);
    return options;
}

// Runs `body`, a coroutine without captures, with a connected database.
template <class Body>
void WithDatabase(Ground& ground, Body body) {
    asio::io_context loop;
    pg::Database database(loop, UrlOptions(ground.urls.app), UrlOptions(ground.urls.system));
    auto run = [](pg::Database* db, Body* inner) -> Task<void> {
        std::exception_ptr failure;
        try {
            co_await db->WaitAvailable(std::chrono::seconds(20));
            co_await (*inner)(db);
        } catch (...) {
            failure = std::current_exception();
        }
        db->Close();
        if (failure) std::rethrow_exception(failure);
    };
    RunTask(loop, run(&database, &body));
}

// Inserts rows as the shipper does, without a journal.
inline void Ingest(Ground& ground, const std::vector<UsageRow>& rows) {
    static const std::vector<UsageRow>* what = nullptr;
    what = &rows;
    WithDatabase(ground, [](pg::Database* db) -> Task<void> {
        pg::SystemDb system = db->System("the test's rows");
        const std::vector<IngestPart> parts = EncodeRows(*what);
        for (const IngestPart& part : parts) co_await EnsurePartition(system, part.month);
        auto transaction = co_await system.Begin();
        for (const IngestPart& part : parts) co_await InsertRows(*transaction, part);
        co_await transaction->Commit();
    });
}

template <class Body>
void WithService(Body) {
    WithDatabase(SharedGround(), [](pg::Database* db) -> Task<void> {
        UsageService service(*db);
        Body body;
        co_await body(&service);
    });
}

}  // namespace vf::usage
