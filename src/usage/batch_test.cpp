// Which rows come out of the journal, and when its files may go.
#include <set>

#include "usage/segment.hpp"
#include "usage/usage_testing.hpp"

namespace vf::usage {
namespace {

// Ends other operations until the journal goes on in another segment.
void Rotate(Journal& journal) {
    const std::uint64_t before = journal.written().segment;
    ASSERT_TRUE(WaitUntil([&] {
        for (int i = 0; i < 50; ++i) journal.End(MakeRow());
        return journal.written().segment != before;
    }));
}

std::size_t Ship(BatchReader& reader, Journal& journal) {
    std::size_t rows = 0;
    for (;;) {
        const Batch batch = reader.Next(journal.written(), 1000);
        rows += batch.rows.size();
        reader.Release();
        journal.Shipped(batch.report);
        if (batch.is_last) return rows;
    }
}

TEST(BatchReader, SegmentsGoWhenTheirRowsAreShipped) {
    TempDir dir;
    auto journal = OpenJournal(OptionsIn(dir.path()));
    BatchReader reader(dir.path(), journal->node(), journal->first_own_segment());
    for (int i = 0; i < 3; ++i) Rotate(*journal);
    Ship(reader, *journal);
    EXPECT_EQ(journal->unshipped_bytes(), 0U);
    for (const std::uint64_t sequence : ListSegments(dir.path())) {
        EXPECT_GE(sequence, journal->written().segment);
    }
}

TEST(BatchReader, ASegmentStaysWhileItHoldsALatestMark) {
    TempDir dir;
    auto journal = OpenJournal(OptionsIn(dir.path()));
    BatchReader reader(dir.path(), journal->node(), journal->first_own_segment());
    UsageRow stream = MakeRow(1);
    stream.streamed = true;
    const std::uint64_t first = journal->written().segment;
    ASSERT_TRUE(journal->Mark(stream));
    Rotate(*journal);
    const std::uint64_t second = journal->written().segment;
    Rotate(*journal);
    Ship(reader, *journal);
    EXPECT_TRUE(fs::exists(SegmentPath(dir.path(), first)));
    EXPECT_FALSE(fs::exists(SegmentPath(dir.path(), second)));
    EXPECT_EQ(reader.open_operations(), 1U);
    stream.characters = 2;
    ASSERT_TRUE(journal->Mark(stream));  // its latest mark lies elsewhere now
    const std::uint64_t third = journal->written().segment;
    Rotate(*journal);
    Ship(reader, *journal);
    EXPECT_FALSE(fs::exists(SegmentPath(dir.path(), first)));
    EXPECT_TRUE(fs::exists(SegmentPath(dir.path(), third)));
    journal->End(stream);
    Ship(reader, *journal);
    EXPECT_FALSE(fs::exists(SegmentPath(dir.path(), third)));
    EXPECT_EQ(reader.open_operations(), 0U);
}

TEST(BatchReader, BatchesAreNotLargerThanAsked) {
    TempDir dir;
    auto journal = OpenJournal(OptionsIn(dir.path()));
    std::vector<OperationId> written;
    for (int i = 0; i < 25; ++i) {
        const UsageRow row = MakeRow();
        ASSERT_TRUE(journal->Mark(row));
        journal->End(row);
        written.push_back(row.operation);
    }
    BatchReader reader(dir.path(), journal->node(), journal->first_own_segment());
    std::vector<OperationId> read;
    for (;;) {
        const Batch batch = reader.Next(journal->written(), 10);
        EXPECT_LE(batch.rows.size(), 10U);
        for (const UsageRow& row : batch.rows) read.push_back(row.operation);
        if (batch.is_last) break;
    }
    EXPECT_EQ(read, written);
}

TEST(BatchReader, ManyInterruptedOperationsComeInBatches) {
    TempDir dir;
    std::set<OperationId> marked;
    {
        auto journal = OpenJournal(OptionsIn(dir.path()));
        for (int i = 0; i < 25; ++i) {
            const UsageRow row = MakeRow();
            ASSERT_TRUE(journal->Mark(row));
            marked.insert(row.operation);
        }
    }
    auto journal = OpenJournal(OptionsIn(dir.path()));
    BatchReader reader(dir.path(), journal->node(), journal->first_own_segment());
    std::set<OperationId> read;
    for (;;) {
        const Batch batch = reader.Next(journal->written(), 10);
        EXPECT_LE(batch.rows.size(), 10U);
        for (const UsageRow& row : batch.rows) EXPECT_TRUE(read.insert(row.operation).second);
        reader.Release();
        if (batch.is_last) break;
        if (read.size() < 25) EXPECT_FALSE(ListSegments(dir.path()).empty());
    }
    EXPECT_EQ(read, marked);
    for (const std::uint64_t sequence : ListSegments(dir.path())) {
        EXPECT_GE(sequence, journal->first_own_segment());
    }
}

// Random lives of a server against a model: whatever is marked, ended, torn, replayed or shipped
// twice, each operation has exactly one row, with the figures of its end or of its last mark.
class Lives {
public:
    explicit Lives(unsigned seed) : random_(seed) { Start(dir_.path() / "0"); }

    void Run(int steps) {
        for (int i = 0; i < steps; ++i) {
            switch (Pick(12)) {
                case 0:
                case 1:
                case 2:
                case 3: Begin(); break;
                case 4:
                case 5: MarkAgain(); break;
                case 6:
                case 7:
                case 8: Finish(); break;
                case 9:
                case 10: ShipSome(); break;
                case 11:
                    if (Pick(8) == 0) Crash();
                    break;
            }
        }
        Crash();
        while (!ShipSome()) continue;
        Check();
    }

private:
    struct Open {
        UsageRow row;
    };

    std::size_t Pick(std::size_t below) { return random_() % below; }

    void Start(const fs::path& folder) {
        JournalOptions options = OptionsIn(folder);
        options.usage.segment_bytes = 1500 + Pick(6000);
        journal_ = OpenJournal(options);
        reader_ =
            std::make_unique<BatchReader>(folder, journal_->node(), journal_->first_own_segment());
    }

    void Begin() {
        UsageRow row = MakeRow(static_cast<std::int64_t>(Pick(1000)));
        row.streamed = Pick(2) == 0;
        if (Pick(10) == 0) {  // ended without a mark
            journal_->End(row);
            expected_[row.operation] = row;
            return;
        }
        ASSERT_TRUE(journal_->Mark(row));
        open_.push_back(row);
    }

    void MarkAgain() {
        if (open_.empty()) return;
        UsageRow& row = open_[Pick(open_.size())];
        row.characters += 1 + static_cast<std::int64_t>(Pick(50));
        ASSERT_TRUE(journal_->Mark(row));
    }

    void Finish() {
        if (open_.empty()) return;
        const std::size_t at = Pick(open_.size());
        UsageRow row = open_[at];
        open_.erase(open_.begin() + static_cast<long>(at));
        row.characters += static_cast<std::int64_t>(Pick(3));
        row.delivery = static_cast<Delivery>(2 + Pick(3));
        journal_->End(row);
        expected_[row.operation] = row;
    }

    // True when all was read.
    bool ShipSome() {
        const Batch batch = reader_->Next(journal_->written(), 1 + Pick(20));
        for (const UsageRow& row : batch.rows) database_.emplace(row.operation, row);
        // Sometimes the process dies between the commit and what follows it.
        if (Pick(6) == 0) {
            Crash();
            return false;
        }
        reader_->Release();
        journal_->Shipped(batch.report);
        return batch.is_last;
    }

    // What the disk holds now is all that the next process finds; the newest segment may have part
    // of a frame at its end.
    void Crash() {
        const fs::path left = dir_.path() / std::to_string(++lives_);
        fs::copy(journal_->folder(), left, fs::copy_options::recursive);
        const JournalPosition end = journal_->written();
        const fs::path newest = SegmentPath(left, end.segment);
        if (Pick(2) == 0) {
            std::string bytes = ReadBytes(newest);
            std::string more;
            AppendFrame(more, FrameSeed({end.segment, journal_->node()}), RecordType::kEnd,
                        MakeRow());
            WriteBytes(newest, bytes + more.substr(0, Pick(more.size())));
        }
        const fs::path old = journal_->folder();
        reader_.reset();
        journal_.reset();
        fs::remove_all(old);
        for (UsageRow& row : open_) {
            row.delivery = row.streamed ? Delivery::kInterrupted : Delivery::kUnknown;
            expected_[row.operation] = row;
        }
        open_.clear();
        Start(left);
    }

    void Check() {
        EXPECT_EQ(database_.size(), expected_.size());
        for (auto& [operation, row] : expected_) {
            row.node = journal_->node();
            const auto found = database_.find(operation);
            if (found == database_.end()) {
                ADD_FAILURE() << "no row of an operation";
                continue;
            }
            EXPECT_EQ(found->second.characters, row.characters);
            EXPECT_EQ(found->second, row);
        }
        EXPECT_EQ(journal_->damaged_records(), 0U);
    }

    TempDir dir_;
    std::mt19937 random_;
    int lives_ = 0;
    std::unique_ptr<Journal> journal_;
    std::unique_ptr<BatchReader> reader_;
    std::vector<UsageRow> open_;
    std::map<OperationId, UsageRow> expected_;
    std::map<OperationId, UsageRow> database_;
};

class BatchReaderLives : public testing::TestWithParam<unsigned> {};

TEST_P(BatchReaderLives, OneRowForEachOperation) {
    Lives(GetParam()).Run(2000);
}

INSTANTIATE_TEST_SUITE_P(Seeds, BatchReaderLives, testing::Range(1U, 13U));

}  // namespace
}  // namespace vf::usage
