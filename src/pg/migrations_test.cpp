#include "pg/migrations.hpp"

#include <fstream>

#include "pg/blocking.hpp"
#include "pg/pg_testing.hpp"
#include "pg/roles.hpp"

namespace vf::pg {
namespace {

using std::chrono::milliseconds;

// Each test has a database of its own in the shared cluster, and a folder.
class Migrations : public ::testing::Test {
protected:
    void SetUp() override {
        static int number = 0;
        const std::string name = "migrations_" + std::to_string(++number);
        BlockingConnection(SharedCluster()->url(), milliseconds(5000))
            .Run("CREATE DATABASE " + name);
        options_.url = SharedCluster()->url();
        options_.url.replace(options_.url.find("/postgres?"), 10, "/" + name + "?");
        options_.folder = dir_.path();
    }
    void Write(const std::string& name, const std::string& sql) {
        std::ofstream(dir_.path() / name) << sql;
    }
    std::string Code() {
        const Result<MigrationReport> report = MigrateNow(options_);
        return report ? "" : report.error().code();
    }
    std::int64_t Ask(const std::string& sql) {
        return BlockingConnection(options_.url, milliseconds(5000)).Run(sql)[0].Int(0);
    }

    TempDir dir_;
    MigrationOptions options_;
};

TEST_F(Migrations, AppliesInOrderOnceAndOnlyWhatIsNew) {
    Write("0001_a.sql", "CREATE TABLE a (x int); INSERT INTO a VALUES (1);");
    Write("0002_b.sql", "INSERT INTO a VALUES (2);");
    Write("README.md", "not SQL");
    Result<MigrationReport> report = MigrateNow(options_);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->applied, (std::vector<std::string>{"0001_a.sql", "0002_b.sql"}));
    EXPECT_EQ(report->version, 2);
    Write("0003_c.sql", "INSERT INTO a VALUES (3);");
    report = MigrateNow(options_);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->applied, (std::vector<std::string>{"0003_c.sql"}));
    report = MigrateNow(options_);
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->applied.empty());
    EXPECT_EQ(Ask("SELECT sum(x) FROM a"), 6);
    EXPECT_EQ(Ask("SELECT count(*) FROM schema_migrations WHERE length(sha256) = 64"), 3);
}

TEST_F(Migrations, TheProjectsOwnApply) {
    RoleOptions roles;  // the migrations grant to them
    roles.owner_url = options_.url;
    roles.app_password = "app-password";
    roles.system_password = "system-password";
    const Result<RoleUrls> made = EnsureRoles(roles);
    ASSERT_TRUE(made) << made.error().message();
    options_.folder = std::filesystem::path(VF_SOURCE_DIR) / "migrations";
    const Result<MigrationReport> report = MigrateNow(options_);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(Ask("SELECT count(*) FROM instance"), 0);
}

TEST_F(Migrations, TwoServersAtOnceApplyOnce) {
    Write("0001_a.sql", "CREATE TABLE a (x int); SELECT pg_sleep(0.2);");
    Write("0002_b.sql", "INSERT INTO a VALUES (1);");
    asio::io_context loop;
    asio::thread_pool threads(2);
    std::size_t applied = 0;
    auto body = [](asio::thread_pool* pool, MigrationOptions options,
                   std::size_t* sum) -> Task<void> {
        const Result<MigrationReport> report = co_await Migrate(*pool, std::move(options));
        EXPECT_TRUE(report);
        if (report) *sum += report->applied.size();
    };
    Spawn(loop.get_executor(), body(&threads, options_, &applied), "first");
    Spawn(loop.get_executor(), body(&threads, options_, &applied), "second");
    loop.run();
    EXPECT_EQ(applied, 2u);
    EXPECT_EQ(Ask("SELECT count(*) FROM a"), 1);
}

TEST_F(Migrations, GivesUpWhenAnotherServerKeepsTheLock) {
    Write("0001_a.sql", "SELECT 1;");
    BlockingConnection other(options_.url, milliseconds(5000));
    other.Run("SELECT pg_advisory_lock(8533465783654674295)");
    options_.lock_timeout = milliseconds(50);
    EXPECT_EQ(Code(), "migration_locked");
}

TEST_F(Migrations, RefusesADatabaseNewerThanItsFiles) {
    Write("0001_a.sql", "SELECT 1;");
    Write("0002_b.sql", "SELECT 2;");
    EXPECT_EQ(Code(), "");
    std::filesystem::remove(dir_.path() / "0002_b.sql");
    EXPECT_EQ(Code(), "schema_newer");
}

TEST_F(Migrations, RefusesAnAppliedFileThatChanged) {
    Write("0001_a.sql", "SELECT 1;");
    EXPECT_EQ(Code(), "");
    Write("0001_a.sql", "SELECT 2;");
    EXPECT_EQ(Code(), "migration_changed");
    std::filesystem::remove(dir_.path() / "0001_a.sql");
    Write("0001_b.sql", "SELECT 1;");
    EXPECT_EQ(Code(), "migration_changed");
}

TEST_F(Migrations, AFailureLeavesNothingOfItsFile) {
    Write("0001_a.sql", "CREATE TABLE a (x int);");
    Write("0002_b.sql", "CREATE TABLE b (x int); INSERT INTO nowhere VALUES (1);");
    const Result<MigrationReport> report = MigrateNow(options_);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code(), "migration_failed");
    EXPECT_NE(report.error().message().find("0002_b.sql"), std::string::npos);
    EXPECT_EQ(Ask("SELECT count(*) FROM schema_migrations"), 1);
    EXPECT_EQ(Ask("SELECT count(*) FROM pg_tables WHERE tablename = 'b'"), 0);
    Write("0002_b.sql", "CREATE TABLE b (x int);");
    EXPECT_EQ(Code(), "");
}

TEST_F(Migrations, RefusesWhatCannotBeOneTransaction) {
    Write("0001_a.sql", "CREATE TABLE a (x int);");
    Write("0002_b.sql", "CREATE INDEX CONCURRENTLY i ON a (x);");
    EXPECT_EQ(Code(), "migration_failed");
    Write("0002_b.sql", "INSERT INTO a VALUES (1); COMMIT; BEGIN;");
    EXPECT_EQ(Code(), "migration_failed");
    EXPECT_EQ(Ask("SELECT count(*) FROM schema_migrations"), 1);
}

TEST_F(Migrations, RefusesGapsAndBadNames) {
    Write("0001_a.sql", "SELECT 1;");
    Write("0003_c.sql", "SELECT 1;");
    EXPECT_EQ(Code(), "migration_files");
    std::filesystem::remove(dir_.path() / "0003_c.sql");
    Write("2_b.sql", "SELECT 1;");
    EXPECT_EQ(Code(), "migration_files");
    options_.folder = "/nonexistent";
    EXPECT_EQ(Code(), "migration_files");
}

TEST_F(Migrations, SaysWhenThereIsNoDatabase) {
    Write("0001_a.sql", "SELECT 1;");
    options_.url = "postgresql://nobody@/postgres?host=/nonexistent";
    EXPECT_EQ(Code(), "database_unavailable");
}

}  // namespace
}  // namespace vf::pg
