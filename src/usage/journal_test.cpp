// The journal after crashes, on bad disks and in other people's hands.
#include "usage/journal.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "usage/segment.hpp"
#include "usage/usage_testing.hpp"

namespace vf::usage {
namespace {

// A folder with one segment of `rows` ends, as a process left it.
struct Left {
    std::vector<UsageRow> rows;
    fs::path segment;
    std::vector<std::uint64_t> ends;  // of the file's records
};

Left Leave(const fs::path& folder, int rows) {
    Left left;
    auto journal = OpenJournal(OptionsIn(folder));
    left.segment = SegmentPath(folder, journal->first_own_segment());
    for (int i = 0; i < rows; ++i) {
        left.rows.push_back(MakeRow(i + 1));
        left.rows.back().node = journal->node();
        journal->End(left.rows.back());
        left.ends.push_back(journal->written().offset);
    }
    return left;
}

TEST(Journal, GivesBackWhatWasEnded) {
    TempDir dir;
    auto journal = OpenJournal(OptionsIn(dir.path()));
    UsageRow row = MakeRow();
    ASSERT_TRUE(journal->Accepting());
    ASSERT_TRUE(journal->Mark(row));
    EXPECT_TRUE(ReadAll(*journal).rows.empty());
    row.delivery = Delivery::kAborted;
    journal->End(row);
    row.node = journal->node();
    EXPECT_EQ(ReadAll(*journal).rows, std::vector<UsageRow>{row});
    EXPECT_GT(journal->unshipped_bytes(), 0U);
}

TEST(Journal, ChargesByTheLastMarkWhenTheProcessDied) {
    TempDir dir;
    UsageRow whole = MakeRow(5);
    UsageRow stream = MakeRow(1);
    stream.streamed = true;
    {
        auto journal = OpenJournal(OptionsIn(dir.path()));
        ASSERT_TRUE(journal->Mark(whole));
        ASSERT_TRUE(journal->Mark(stream));
        stream.characters = 99;
        ASSERT_TRUE(journal->Mark(stream));
    }
    auto journal = OpenJournal(OptionsIn(dir.path()));
    const Found found = ReadAll(*journal);
    ASSERT_EQ(found.rows.size(), 2U);
    EXPECT_EQ(found.rows[0].delivery, Delivery::kUnknown);
    EXPECT_EQ(found.rows[0].characters, 5);
    EXPECT_EQ(found.rows[1].delivery, Delivery::kInterrupted);
    EXPECT_EQ(found.rows[1].characters, 99);
    EXPECT_EQ(found.rows[1].node, journal->node());
}

TEST(Journal, KeepsItsNode) {
    TempDir dir;
    const NodeId first = OpenJournal(OptionsIn(dir.path()))->node();
    EXPECT_EQ(OpenJournal(OptionsIn(dir.path()))->node(), first);
    WriteBytes(dir.path() / "node.id", "garbage");
    const auto refused = Journal::Open(OptionsIn(dir.path()));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "journal_unusable");
}

TEST(Journal, LeavesNothingBehindWhenNothingWasWritten) {
    TempDir dir;
    for (int i = 0; i < 3; ++i) OpenJournal(OptionsIn(dir.path()));
    EXPECT_TRUE(ListSegments(dir.path()).empty());
}

TEST(Journal, ATornTailIsCutAtEveryByte) {
    TempDir dir;
    const Left left = Leave(dir.path() / "made", 3);
    const std::string bytes = ReadBytes(left.segment);
    ASSERT_EQ(bytes.size(), left.ends[2]);
    for (std::size_t size = left.ends[0]; size < bytes.size(); ++size) {
        const fs::path folder = dir.path() / std::to_string(size);
        fs::copy(dir.path() / "made", folder);
        WriteBytes(folder / left.segment.filename(), bytes.substr(0, size));
        auto journal = OpenJournal(OptionsIn(folder));
        const std::size_t whole = size < left.ends[1] ? 1 : 2;
        EXPECT_EQ(journal->torn_bytes(), size - left.ends[whole - 1]) << size;
        const Found found = ReadAll(*journal);
        EXPECT_EQ(found.rows,
                  std::vector(left.rows.begin(), left.rows.begin() + static_cast<long>(whole)));
        EXPECT_EQ(found.damaged, 0U);
        journal.reset();
        fs::remove_all(folder);
    }
}

TEST(Journal, GarbageBehindTheLastRecordIsCut) {
    TempDir dir;
    const Left left = Leave(dir.path() / "made", 3);
    const std::string bytes = ReadBytes(left.segment);
    for (const std::string& tail :
         {std::string(5000, '\0'), std::string(70, '\xFF'), bytes.substr(40, 90)}) {
        WriteBytes(left.segment, bytes + tail);
        auto journal = OpenJournal(OptionsIn(dir.path() / "made"));
        EXPECT_EQ(journal->torn_bytes(), tail.size());
        EXPECT_EQ(ReadAll(*journal).rows, left.rows);
    }
}

TEST(Journal, AFlippedBitInTheMiddleCostsOneRecordAndIsReported) {
    TempDir dir;
    const Left left = Leave(dir.path() / "made", 4);
    const std::string bytes = ReadBytes(left.segment);
    for (std::size_t at = left.ends[0]; at < left.ends[1]; ++at) {
        const fs::path folder = dir.path() / std::to_string(at);
        fs::copy(dir.path() / "made", folder);
        std::string changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
        WriteBytes(folder / left.segment.filename(), changed);
        auto journal = OpenJournal(OptionsIn(folder));
        EXPECT_EQ(journal->torn_bytes(), 0U);
        const Found found = ReadAll(*journal);
        EXPECT_EQ(found.rows, (std::vector{left.rows[0], left.rows[2], left.rows[3]})) << at;
        EXPECT_EQ(found.damaged, 1U) << at;
        EXPECT_EQ(ReadBytes(folder / (left.segment.filename().string() + ".damaged")), changed);
        journal.reset();
        fs::remove_all(folder);
    }
}

TEST(Journal, ADamagedHeaderCostsNoRecord) {
    TempDir dir;
    const Left left = Leave(dir.path(), 3);
    const std::string bytes = ReadBytes(left.segment);
    for (std::size_t at = 0; at < kSegmentHeaderBytes; ++at) {
        std::string changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ 4);
        WriteBytes(left.segment, changed);
        auto journal = OpenJournal(OptionsIn(dir.path()));
        const Found found = ReadAll(*journal);
        EXPECT_EQ(found.rows, left.rows) << at;
        EXPECT_EQ(found.damaged, 1U);
    }
}

TEST(Journal, ADamagedEndIsChargedByItsMark) {
    TempDir dir;
    UsageRow row = MakeRow(3);
    fs::path segment;
    std::uint64_t end_at = 0;
    {
        auto journal = OpenJournal(OptionsIn(dir.path()));
        segment = SegmentPath(dir.path(), journal->first_own_segment());
        ASSERT_TRUE(journal->Mark(row));
        end_at = journal->written().offset;
        journal->End(row);
        journal->End(MakeRow());
    }
    std::string bytes = ReadBytes(segment);
    bytes[end_at + 30] = static_cast<char>(bytes[end_at + 30] ^ 1);
    WriteBytes(segment, bytes);
    auto journal = OpenJournal(OptionsIn(dir.path()));
    const Found found = ReadAll(*journal);
    ASSERT_EQ(found.rows.size(), 2U);
    EXPECT_EQ(found.rows[1].operation, row.operation);
    EXPECT_EQ(found.rows[1].delivery, Delivery::kUnknown);
    EXPECT_EQ(found.damaged, 1U);
}

TEST(Journal, BelongsToOneProcessAtATime) {
    TempDir dir;
    auto journal = OpenJournal(OptionsIn(dir.path()));
    const auto again = Journal::Open(OptionsIn(dir.path()));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code(), "journal_in_use");
    const pid_t refused = ::fork();
    if (refused == 0) {
        const auto other = Journal::Open(OptionsIn(dir.path()));
        ::_exit(!other && other.error().code() == "journal_in_use" ? 0 : 1);
    }
    int status = 1;
    ASSERT_EQ(::waitpid(refused, &status, 0), refused);
    EXPECT_EQ(status, 0);
}

TEST(Journal, IsFreeWhenItsProcessWasKilled) {
    TempDir dir;
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        auto journal = OpenJournal(OptionsIn(dir.path()));
        journal->End(MakeRow(41));
        if (::write(ready[1], "x", 1) != 1) ::_exit(1);
        ::pause();
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(ready[0]);
    ::close(ready[1]);
    auto journal = OpenJournal(OptionsIn(dir.path()));
    const Found found = ReadAll(*journal);
    ASSERT_EQ(found.rows.size(), 1U);
    EXPECT_EQ(found.rows[0].characters, 41);
}

TEST(Journal, RefusesIdsWithoutASensibleTime) {
    TempDir dir;
    auto journal = OpenJournal(OptionsIn(dir.path()));
    UsageRow row = MakeRow();
    row.operation = OperationId{};
    const auto marked = journal->Mark(row);
    ASSERT_FALSE(marked);
    EXPECT_EQ(marked.error().code(), "journal_bad_row");
    journal->End(row);
    EXPECT_TRUE(ReadAll(*journal).rows.empty());
}

TEST(Journal, StopsAcceptingWhenTooMuchWaits) {
    TempDir dir;
    JournalOptions options = OptionsIn(dir.path());
    options.usage.max_unshipped = 2000;
    auto journal = OpenJournal(options);
    const UsageRow in_flight = MakeRow();
    ASSERT_TRUE(journal->Mark(in_flight));
    while (journal->unshipped_bytes() <= 2000) journal->End(MakeRow());
    const auto accepting = journal->Accepting();
    ASSERT_FALSE(accepting);
    EXPECT_EQ(accepting.error().code(), "journal_full");
    EXPECT_EQ(accepting.error().status(), 507);
    EXPECT_TRUE(journal->Mark(in_flight));  // what has begun goes on
    journal->End(in_flight);
    ShippedReport report;
    report.bytes = journal->unshipped_bytes();
    journal->Shipped(report);
    EXPECT_TRUE(journal->Accepting());
}

}  // namespace
}  // namespace vf::usage
