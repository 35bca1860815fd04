#pragma once
// The files of the journal: names, making, reading. Nothing here waits for another thread; the
// caller says on which thread it may block.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "usage/file_calls.hpp"
#include "usage/record.hpp"

namespace vf::usage {

std::filesystem::path SegmentPath(const std::filesystem::path& folder, std::uint64_t sequence);
// Of the folder, ascending. Throws std::filesystem::filesystem_error.
std::vector<std::uint64_t> ListSegments(const std::filesystem::path& folder);
std::uint64_t CountDamagedFiles(const std::filesystem::path& folder);
// Keeps a segment's bytes beside it for people, as `<segment>.damaged`; at most 64 a folder. True
// when the file is new.
bool KeepDamaged(const std::filesystem::path& folder, std::uint64_t sequence);

// An open segment that is written. Shared by the loop and the journal's thread; closes the file.
struct SegmentFile {
    SegmentFile(int opened, SegmentHeader head) : fd(opened), header(head), seed(FrameSeed(head)) {}
    ~SegmentFile();
    SegmentFile(const SegmentFile&) = delete;
    SegmentFile& operator=(const SegmentFile&) = delete;

    const int fd;
    const SegmentHeader header;
    const std::uint32_t seed;
    std::uint64_t size = kSegmentHeaderBytes;  // of the loop: where the next frame goes
};

// Makes the file with room for `bytes`, its header on the disk. Null, with errno in `error`, when
// that cannot be done; then nothing is left behind. May block for a sync.
std::shared_ptr<SegmentFile> MakeSegment(FileCalls& files, const std::filesystem::path& folder,
                                         const SegmentHeader& header, std::uint64_t bytes,
                                         int& error);

// Reads a segment from its start, record by record, and goes on behind what cannot be read.
class SegmentScanner {
public:
    // `node` stands in when the header cannot be read. Throws std::runtime_error when the file
    // cannot be opened.
    SegmentScanner(const std::filesystem::path& folder, std::uint64_t sequence, NodeId node);
    ~SegmentScanner();
    SegmentScanner(const SegmentScanner&) = delete;
    SegmentScanner& operator=(const SegmentScanner&) = delete;

    // The next record that ends at or before `limit` (a place between records, or the file's end).
    // None: there is none before it.
    std::optional<Record> Next(std::uint64_t limit);
    std::uint64_t offset() const { return offset_; }            // behind the last record
    std::uint64_t record_offset() const { return record_at_; }  // of the last record
    std::uint64_t sound_end() const { return sound_end_; }      // of the last sound record
    std::uint64_t damaged() const { return damaged_; }          // unreadable stretches so far
    std::uint64_t sequence() const { return sequence_; }
    std::uint64_t FileSize() const;
    // A record that Next() gave before.
    std::optional<Record> ReadAt(std::uint64_t offset) const;

private:
    std::string_view Window(std::uint64_t limit);

    int fd_ = -1;
    std::uint64_t sequence_;
    SegmentHeader header_;
    std::uint32_t seed_ = 0;
    std::uint64_t offset_ = kSegmentHeaderBytes;
    std::uint64_t record_at_ = 0;
    std::uint64_t sound_end_ = kSegmentHeaderBytes;
    std::uint64_t damaged_ = 0;
    std::string window_;
    std::uint64_t window_at_ = 0;
};

}  // namespace vf::usage
