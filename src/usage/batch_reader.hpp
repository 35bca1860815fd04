#pragma once
// Folds the journal's records into rows: the figures of an end, or of the last mark when the
// process that wrote it is no more. Reads behind the writer; remembers of each operation in flight
// only where its latest mark lies.
// Used by one thread at a time; blocks for the disk.

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "usage/journal.hpp"
#include "usage/segment.hpp"

namespace vf::usage {

struct Batch {
    std::vector<UsageRow> rows;  // an operation may come twice, after a crash: the first one counts
    ShippedReport report;        // what may be said once the rows are in the database
    bool is_last = false;        // everything up to the given end was read
};

class BatchReader {
public:
    // What lies before the segment `first_own` belongs to processes that are no more.
    BatchReader(std::filesystem::path folder, NodeId node, std::uint64_t first_own);

    // Goes on behind the last batch, to `end` at most. Throws std::exception when a file cannot be
    // opened; the call may be repeated.
    Batch Next(JournalPosition end, std::size_t most_rows);
    // The rows of all batches so far are in the database: removes the segments that were read to
    // their end and hold no operation's latest mark.
    void Release();

    std::size_t open_operations() const { return open_.size(); }

private:
    struct Mark {
        std::uint64_t segment;
        std::uint64_t offset;
    };
    struct HashId {
        std::size_t operator()(const OperationId& id) const;
    };

    void Fill(JournalPosition end, std::size_t most_rows, Batch& batch);
    bool OpenNext(JournalPosition end);
    bool ReadSegment(JournalPosition end, std::size_t most_rows, Batch& batch);
    void Take(Record record, Batch& batch);
    void LetGo(std::uint64_t segment);
    void CollectOrphans();
    bool ChargeOrphans(std::size_t most_rows, Batch& batch);
    void NoteDamage(Batch& batch);

    std::filesystem::path folder_;
    NodeId node_;
    std::uint64_t first_own_;
    std::unique_ptr<SegmentScanner> scanner_;
    std::uint64_t last_segment_ = 0;  // read to its end, or being read
    std::uint64_t damage_noted_ = 0;  // of the scanner's
    bool past_is_over_ = false;
    std::unordered_map<OperationId, Mark, HashId> open_;
    std::map<std::uint64_t, std::size_t> held_;  // segment: how many latest marks it holds
    std::deque<std::pair<OperationId, Mark>> orphans_;
    std::unique_ptr<SegmentScanner> orphan_file_;
    std::vector<std::uint64_t> finished_;  // read to their end and not yet removed
};

}  // namespace vf::usage
