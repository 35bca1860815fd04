#pragma once
// The usage journal of this node: append-only files in one folder, written before bytes leave, so
// that whoever got one byte of a reply is in it, whatever happens to the process.
//
// An operation is marked (once with its final figures before the status line of a whole reply
// leaves; before each segment of a stream enters the pipe) and ended. What has marks and no end
// when the process dies is charged by its last mark. See docs/usage.md.
//
// write() survives the death of the process; fdatasync, on the journal's own thread every
// sync_interval while there is something new, survives a power loss.
//
// Files: `usage-<16 hex digits>.vfj` (format in record.hpp), `node.id`, `journal.lock`, and
// `<segment>.damaged`, kept for people when a record in the middle could not be read.
// One per process and folder; all functions on the loop (they wait for nothing but write()).

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "usage/usage.hpp"

namespace vf::usage {

class FileCalls;

struct JournalOptions {
    std::filesystem::path folder;  // "<data_dir>/journal"; made when it is missing
    UsageOptions usage;
    std::chrono::milliseconds retry_interval{1000};  // after a full or failing disk
    FileCalls* files = nullptr;                      // none: the system's own; see file_calls.hpp
};

// A place between two records.
struct JournalPosition {
    std::uint64_t segment = 0;
    std::uint64_t offset = 0;  // bytes from the segment's start
    auto operator<=>(const JournalPosition&) const = default;
};

// What the shipper has done since it last said so.
struct ShippedReport {
    JournalPosition position;   // all before it is in the database
    bool nothing_open = false;  // and no operation has marks only
    std::uint64_t bytes = 0;
    std::uint64_t damaged_records = 0;
    std::uint64_t damaged_segments = 0;
};

class Journal {
public:
    // Takes the folder, cuts off what a crash tore at the end, starts a new segment. Blocking
    // (milliseconds); before the loop runs. Errors, for the operator: journal_in_use (another
    // process has it), journal_unusable (folder or node.id cannot be used), journal_full.
    static Result<std::unique_ptr<Journal>> Open(JournalOptions options);
    // Syncs and closes. Segments that hold nothing unshipped are removed.
    ~Journal();
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    // Whether new operations may begin: kInsufficientStorage journal_full (the disk, or
    // max_unshipped, is full) or kUnavailable journal_failed (a write or sync error). Becomes fine
    // again by itself. What is in flight may still Mark() and End().
    Result<void> Accepting();

    // The row as it would be charged if the process died now. An error (as of Accepting(), or
    // kInternal journal_bad_row for an id without a sensible time): nothing may be sent.
    Result<void> Mark(const UsageRow& row);
    // The operation is over; row.delivery says how. Once for each operation, also for one without
    // marks. When the disk refuses, it is kept in memory (bounded) and written when there is room.
    void End(const UsageRow& row);

    NodeId node() const;
    std::uint64_t unshipped_bytes() const;
    // Records that this process found unreadable in the middle of a segment, and `.damaged` files
    // in the folder: for /ready and the operator.
    std::uint64_t damaged_records() const;
    std::uint64_t damaged_segments() const;
    // Bytes that Open() cut off the end.
    std::uint64_t torn_bytes() const;

    // For the shipper.
    // Called after every record that was written.
    void OnWritten(std::function<void()> callback);
    const std::filesystem::path& folder() const;
    // The first segment of this process: marks before it belong to a process that is no more.
    std::uint64_t first_own_segment() const;
    // Whole records only stand before it.
    JournalPosition written() const;
    // Writes what End() had to keep in memory.
    void Flush();
    void Shipped(const ShippedReport& report);

private:
    struct Impl;
    explicit Journal(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace vf::usage
