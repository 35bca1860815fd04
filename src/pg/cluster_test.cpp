#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "pg/blocking.hpp"
#include "pg/cluster_files.hpp"
#include "pg/pg_testing.hpp"

namespace vf::pg {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

std::string Ask(TestCluster& cluster, const std::string& sql) {
    BlockingConnection connection(cluster->url(), milliseconds(5000));
    const Rows rows = connection.Run(sql);
    return rows.empty() ? "" : std::string(rows[0].Text(0));
}

TEST(PrivateCluster, IsDurableSmallAndReachableBySocketOnly) {
    TestCluster& cluster = SharedCluster();
    EXPECT_GE(cluster->version(), 15);
    EXPECT_FALSE(cluster->adopted());
    EXPECT_EQ(Ask(cluster, "SHOW listen_addresses"), "");
    EXPECT_EQ(Ask(cluster, "SHOW fsync"), "on");
    EXPECT_EQ(Ask(cluster, "SHOW synchronous_commit"), "on");
    EXPECT_EQ(Ask(cluster, "SHOW full_page_writes"), "on");
    EXPECT_EQ(Ask(cluster, "SHOW data_checksums"), "on");
    EXPECT_EQ(Ask(cluster, "SHOW server_encoding"), "UTF8");
    EXPECT_EQ(Ask(cluster, "SHOW shared_buffers"), "24MB");
    struct stat info{};
    ASSERT_EQ(::stat((cluster.dir() / "postgres.password").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(PrivateCluster, AsksForThePassword) {
    std::string url = SharedCluster()->url();
    const auto start = url.find("voiceflow:") + 10;
    url.replace(start, url.find('@') - start, "wrong");
    EXPECT_THROW(BlockingConnection(url, milliseconds(5000)), DatabaseUnavailable);
}

TEST(PrivateCluster, KeepsStatementsAndTheirErrorsOutOfItsLog) {
    TestCluster& cluster = SharedCluster();
    EXPECT_THROW(Ask(cluster, "SELECT 'a customer''s words'::int"), QueryError);
    std::ifstream file(cluster.dir() / "postgres.log");
    const std::string log((std::istreambuf_iterator<char>(file)), {});
    EXPECT_NE(log.find("ready to accept"), std::string::npos);
    EXPECT_EQ(log.find("customer"), std::string::npos);
}

TEST(PrivateCluster, KeepsItsDataOverAStopAndStartsFaster) {
    TestCluster cluster;
    Ask(cluster, "CREATE TABLE kept AS SELECT 42 AS x");
    cluster.Stop();
    EXPECT_TRUE(ProcessesIn(cluster.dir() / "postgres").empty());
    cluster.Start();
    EXPECT_EQ(Ask(cluster, "SELECT x FROM kept"), "42");
}

TEST(PrivateCluster, RecoversAfterEverythingWasKilled) {
    TestCluster cluster;
    Ask(cluster, "CREATE TABLE kept AS SELECT 42 AS x");
    const fs::path folder = cluster.dir() / "postgres";
    const std::string pid_file = [&] {
        std::ifstream file(folder / "postmaster.pid");
        return std::string((std::istreambuf_iterator<char>(file)), {});
    }();
    for (const pid_t pid : ProcessesIn(folder)) ::kill(pid, SIGKILL);
    cluster.Stop();
    // As after a crash of the machine, with the process id now another program's: ours.
    std::string stale = pid_file;
    stale.replace(0, stale.find('\n'), std::to_string(::getpid()));
    std::ofstream(folder / "postmaster.pid") << stale;
    cluster.Start();
    EXPECT_FALSE(cluster->adopted());
    EXPECT_EQ(Ask(cluster, "SELECT x FROM kept"), "42");
}

TEST(PrivateCluster, AdoptsOneThatStillRuns) {
    if (kThreadSanitizer) GTEST_SKIP() << "it allows no threads after fork";
    TestCluster& cluster = SharedCluster();
    const int pid = cluster->process_id();
    // A second keeper, as a server would have that finds the postmaster of a killed one. It is let
    // go of in a child, so that the shared cluster goes on.
    const pid_t child = ::fork();
    if (child == 0) {
        auto second = PrivateCluster::Start(cluster.lock(), {});
        const bool good = second && (*second)->adopted() && (*second)->process_id() == pid &&
                          (*second)->url() == cluster->url();
        ::_exit(good ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(cluster->process_id(), pid);
    EXPECT_EQ(Ask(cluster, "SELECT 1"), "1");
}

TEST(PrivateCluster, StopsWithAServerThatWasKilled) {
    if (kThreadSanitizer) GTEST_SKIP() << "it allows no threads after fork";
    TempDir dir;
    // The child is the server; it is killed as soon as its cluster is ready.
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t server = ::fork();
    if (server == 0) {
        auto lock = DataDirLock::Acquire(dir.path());
        auto cluster = PrivateCluster::Start(*lock, {});
        const int pid = cluster ? (*cluster)->process_id() : 0;
        if (::write(ends[1], &pid, sizeof pid) < 0) ::_exit(1);
        for (;;) ::pause();
    }
    int postmaster = 0;
    ASSERT_EQ(::read(ends[0], &postmaster, sizeof postmaster), ssize_t{sizeof postmaster});
    ASSERT_GT(postmaster, 0);
    ::kill(server, SIGKILL);
    ::waitpid(server, nullptr, 0);
    const fs::path folder = fs::canonical(dir.path()) / "postgres";
    constexpr int kTenSeconds = 2000;
    for (int i = 0; i < kTenSeconds && !ProcessesIn(folder).empty(); ++i) ::usleep(5000);
    EXPECT_TRUE(ProcessesIn(folder).empty());
    auto lock = DataDirLock::Acquire(dir.path());
    ASSERT_TRUE(lock);
    auto again = PrivateCluster::Start(*lock, {});
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(BlockingConnection((*again)->url(), milliseconds(5000)).Run("SELECT 1").size(), 1u);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST(PrivateCluster, RefusesAnotherMajorVersionWithAWayOut) {
    TestCluster cluster;
    cluster.Stop();
    const fs::path version = cluster.dir() / "postgres" / "PG_VERSION";
    std::ofstream(version) << "12\n";
    const auto refused = PrivateCluster::Start(cluster.lock(), {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "postgres_version");
    EXPECT_NE(refused.error().message().find("voiceflowd database upgrade"), std::string::npos);
    const auto upgrade = UpgradeCluster(cluster.lock(), {});
    ASSERT_FALSE(upgrade);
    EXPECT_EQ(upgrade.error().code(), "upgrade_needs_old_version");
    EXPECT_NE(upgrade.error().message().find("postgresql-12"), std::string::npos);
}

TEST(PrivateCluster, UpgradesByDumpAndRestore) {
    TestCluster cluster;
    Ask(cluster,
        "CREATE ROLE app LOGIN PASSWORD 'x'; CREATE TABLE kept (id serial PRIMARY KEY, t text);"
        "GRANT SELECT ON kept TO app; INSERT INTO kept (t) VALUES ('CREATE ROLE voiceflow;')");
    cluster.Stop();
    auto nothing = UpgradeCluster(cluster.lock(), {});
    ASSERT_TRUE(nothing) << nothing.error().message();
    EXPECT_TRUE(nothing->kept.empty());
    UpgradeOptions options;
    options.same_major_too = true;
    const auto report = UpgradeCluster(cluster.lock(), options);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_TRUE(fs::exists(report->kept / "PG_VERSION"));
    cluster.Start();
    EXPECT_EQ(Ask(cluster, "SELECT t FROM kept WHERE id = 1"), "CREATE ROLE voiceflow;");
    EXPECT_EQ(Ask(cluster, "SELECT has_table_privilege('app', 'kept', 'SELECT')"), "t");
    EXPECT_EQ(Ask(cluster, "SELECT nextval('kept_id_seq')"), "2");
    EXPECT_FALSE(fs::exists(cluster.dir() / "upgrade-data.sql"));
}

TEST(PrivateCluster, SaysWhatIsMissing) {
    TempDir dir;
    auto lock = DataDirLock::Acquire(dir.path()).value();
    PrivateClusterOptions options;
    options.bin_dir = "/nonexistent";
    const auto refused = PrivateCluster::Start(lock, options);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "postgres_missing");
}

TEST(PrivateCluster, ALostPasswordIsNotReplaced) {
    TestCluster cluster;
    cluster.Stop();
    fs::remove(cluster.dir() / "postgres.password");
    const auto refused = PrivateCluster::Start(cluster.lock(), {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "cluster_unusable");
}

TEST(DataDirLock, KeepsASecondServerOut) {
    TempDir dir;
    {
        const auto first = DataDirLock::Acquire(dir.path() / "made");
        ASSERT_TRUE(first);
        const auto second = DataDirLock::Acquire(dir.path() / "made");
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code(), "data_dir_locked");
        EXPECT_NE(second.error().message().find(std::to_string(::getpid())), std::string::npos);
    }
    EXPECT_TRUE(DataDirLock::Acquire(dir.path() / "made"));
    EXPECT_FALSE(DataDirLock::Acquire("/proc/nothing"));
}

}  // namespace
}  // namespace vf::pg
