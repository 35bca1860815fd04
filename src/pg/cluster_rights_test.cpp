// Whom the private cluster runs as.

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pg/blocking.hpp"
#include "pg/cluster_files.hpp"
#include "pg/pg_testing.hpp"

namespace vf::pg {
namespace {

namespace fs = std::filesystem;

uid_t OwnerOf(const fs::path& path) {
    struct stat info{};
    return ::stat(path.c_str(), &info) == 0 ? info.st_uid : static_cast<uid_t>(-1);
}

TEST(PrivateClusterRights, AsRootItRunsAsSomebodyElse) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    TestCluster& cluster = SharedCluster();
    const fs::path process = "/proc/" + std::to_string(cluster->process_id());
    EXPECT_NE(OwnerOf(process), 0u);
    EXPECT_EQ(OwnerOf(process), OwnerOf(cluster.dir() / "postgres"));
    EXPECT_EQ(OwnerOf(cluster.dir() / "postgres.password"), 0u);
    const std::string url = cluster->url();
    const fs::path socket_dir = url.substr(url.find("host=") + 5);
    EXPECT_EQ(OwnerOf(socket_dir), OwnerOf(process));
    struct stat info{};
    ASSERT_EQ(::stat(socket_dir.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST(PrivateClusterRights, AsAnOrdinaryUserItRunsAsThatUser) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
    if (kThreadSanitizer) GTEST_SKIP() << "it allows no threads after fork";
    const passwd* nobody = ::getpwnam("nobody");
    ASSERT_NE(nobody, nullptr);
    const uid_t uid = nobody->pw_uid;
    const gid_t gid = nobody->pw_gid;
    TempDir dir;
    ASSERT_EQ(::chown(dir.path().c_str(), uid, gid), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        if (::setgroups(0, nullptr) != 0 || ::setgid(gid) != 0 || ::setuid(uid) != 0) ::_exit(2);
        int code = 3;
        auto lock = DataDirLock::Acquire(dir.path());
        if (lock) {
            auto cluster = PrivateCluster::Start(*lock, {});
            if (cluster) {
                BlockingConnection connection((*cluster)->url(), std::chrono::milliseconds(5000));
                connection.Run("SELECT 1");
                code = OwnerOf("/proc/" + std::to_string((*cluster)->process_id())) == uid ? 0 : 4;
                (*cluster)->Stop();
                const std::string url = (*cluster)->url();
                fs::remove_all(url.substr(url.find("host=") + 5));
            }
        }
        ::_exit(code);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
}

TEST(PrivateClusterRights, RefusesASocketFolderThatSomebodyElseMade) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to make it";
    TempDir dir;
    auto lock = DataDirLock::Acquire(dir.path()).value();
    const auto place = FindPlace(lock.data_dir(), lock.data_dir() / "postgres", {});
    ASSERT_TRUE(place);
    ASSERT_EQ(::chmod(place->socket_dir.c_str(), 0777), 0);
    const auto refused = PrivateCluster::Start(lock, {});
    fs::remove_all(place->socket_dir);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "cluster_unusable");
}

TEST(PrivateClusterRights, SaysWhenTheFolderIsOutOfReachForThatUser) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    TempDir closed;
    auto lock = DataDirLock::Acquire(closed.path() / "data").value();
    const auto refused = PrivateCluster::Start(lock, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "cluster_unusable");
    EXPECT_NE(refused.error().message().find(closed.path().string()), std::string::npos);
}

}  // namespace
}  // namespace vf::pg
