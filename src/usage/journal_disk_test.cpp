// Full, short and broken disks.
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "usage/file_calls.hpp"
#include "usage/segment.hpp"
#include "usage/usage_testing.hpp"

namespace vf::usage {
namespace {

class BadDisk : public FileCalls {
public:
    std::atomic<int> write_error{0};     // of every write
    std::atomic<long> room{1L << 40};    // bytes that writes may still take; then they are short
    std::atomic<int> allocate_error{0};  // of every allocation
    std::atomic<int> sync_error{0};

    ssize_t Write(int fd, const void* data, std::size_t size, std::uint64_t offset) override {
        if (write_error != 0) return Fail(write_error);
        const auto left = static_cast<std::size_t>(std::max(0L, room.load()));
        const std::size_t taken = std::min(size, left);
        if (taken == 0) return Fail(ENOSPC);
        room -= static_cast<long>(taken);
        return FileCalls::Write(fd, data, taken, offset);
    }
    int Allocate(int fd, std::uint64_t size) override {
        return allocate_error != 0 ? static_cast<int>(Fail(allocate_error))
                                   : FileCalls::Allocate(fd, size);
    }
    int Sync(int fd) override {
        return sync_error != 0 ? static_cast<int>(Fail(sync_error)) : FileCalls::Sync(fd);
    }

private:
    static ssize_t Fail(int error) {
        errno = error;
        return -1;
    }
};

std::string StateOf(Journal& journal) {
    const auto accepting = journal.Accepting();
    return accepting ? "" : accepting.error().code();
}

// Ends of operations that were marked while the disk was well come through, in whatever order.
void ExpectEnded(Journal& journal, const std::vector<UsageRow>& rows) {
    std::map<OperationId, int> count;
    for (const UsageRow& row : ReadAll(journal).rows) ++count[row.operation];
    EXPECT_EQ(count.size(), rows.size());
    for (const UsageRow& row : rows) EXPECT_EQ(count[row.operation], 1);
}

struct DiskTest : testing::Test {
    TempDir dir;
    BadDisk disk;
    std::unique_ptr<Journal> journal;
    std::vector<UsageRow> ended;

    void SetUp() override {
        JournalOptions options = OptionsIn(dir.path());
        options.files = &disk;
        journal = OpenJournal(options);
    }
    void TearDown() override { journal.reset(); }
    void End() {
        ended.push_back(MakeRow());
        journal->End(ended.back());
    }
    bool Becomes(const std::string& state) {
        return WaitUntil([&] { return StateOf(*journal) == state; });
    }
};

TEST_F(DiskTest, WithoutRoomForTheNextSegmentNothingNewIsAccepted) {
    disk.allocate_error = ENOSPC;
    // Rotation uses up the segment that was ready, so that another one is wanted.
    ASSERT_TRUE(WaitUntil([&] {
        End();
        return StateOf(*journal) == "journal_full";
    }));
    for (int i = 0; i < 500; ++i) End();  // what is in flight is written all the same
    ExpectEnded(*journal, ended);
    disk.allocate_error = 0;
    EXPECT_TRUE(Becomes(""));
    End();
    ExpectEnded(*journal, ended);
}

TEST_F(DiskTest, AWriteThatIsCutShortLeavesNoHalfFrame) {
    disk.allocate_error = ENOSPC;
    ASSERT_TRUE(WaitUntil([&] {  // no other segment to go on in
        End();
        return StateOf(*journal) == "journal_full";
    }));
    disk.room = 100;
    EXPECT_FALSE(journal->Mark(MakeRow()));
    const std::uint64_t size = fs::file_size(SegmentPath(dir.path(), journal->written().segment));
    EXPECT_EQ(size, journal->written().offset);
    for (int i = 0; i < 10; ++i) End();  // kept in memory
    EXPECT_EQ(StateOf(*journal), "journal_full");
    disk.room = 1L << 40;
    disk.allocate_error = 0;
    EXPECT_TRUE(Becomes(""));
    const Found found = ReadAll(*journal);
    EXPECT_EQ(found.damaged, 0U);
    ExpectEnded(*journal, ended);
}

TEST_F(DiskTest, AFailingWriteStopsAndRecovers) {
    UsageRow row = MakeRow();
    ASSERT_TRUE(journal->Mark(row));
    disk.write_error = EIO;
    const auto marked = journal->Mark(row);
    ASSERT_FALSE(marked);
    EXPECT_EQ(marked.error().code(), "journal_failed");
    EXPECT_EQ(marked.error().status(), 503);
    EXPECT_TRUE(marked.error().retry_after());
    ended.push_back(row);
    journal->End(row);
    disk.write_error = 0;
    EXPECT_TRUE(Becomes(""));
    ExpectEnded(*journal, ended);
}

TEST_F(DiskTest, AFailingSyncStopsAndGoesOnInAnotherFile) {
    End();
    const std::uint64_t before = journal->written().segment;
    disk.sync_error = EIO;
    End();
    EXPECT_TRUE(Becomes("journal_failed"));
    End();
    disk.sync_error = 0;
    EXPECT_TRUE(Becomes(""));
    EXPECT_TRUE(WaitUntil([&] {
        End();
        return journal->written().segment > before;
    }));
    ExpectEnded(*journal, ended);
}

// A real file system of 256 KiB; only root may make one.
TEST(Disk, ARealFullDiskStopsAndRecovers) {
    TempDir dir;
    if (::geteuid() != 0 || ::mount("none", dir.path().c_str(), "tmpfs", 0, "size=256k") != 0) {
        GTEST_SKIP() << "no right to mount";
    }
    {
        JournalOptions options = OptionsIn(dir.path() / "journal");
        options.files = nullptr;
        auto journal = OpenJournal(options);
        std::vector<UsageRow> ended;
        EXPECT_TRUE(WaitUntil([&] {
            ended.push_back(MakeRow());
            journal->End(ended.back());
            return StateOf(*journal) == "journal_full";
        }));
        for (int i = 0; i < 2000; ++i) {  // beyond the last byte
            ended.push_back(MakeRow());
            journal->End(ended.back());
        }
        EXPECT_EQ(::mount("none", dir.path().c_str(), "tmpfs", MS_REMOUNT, "size=8m"), 0);
        EXPECT_TRUE(WaitUntil([&] { return StateOf(*journal).empty(); }));
        const Found found = ReadAll(*journal, 100'000);
        EXPECT_EQ(found.damaged, 0U);
        ExpectEnded(*journal, ended);
    }
    EXPECT_EQ(::umount2(dir.path().c_str(), MNT_DETACH), 0);
}

}  // namespace
}  // namespace vf::usage
