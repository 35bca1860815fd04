#pragma once
// What Journal::Open does with a folder that an earlier process left. Blocking; before the loop.

#include <cstdint>
#include <filesystem>
#include <utility>

#include "base/result.hpp"
#include "usage/usage.hpp"

namespace vf::usage {

// journal_full or journal_unusable, from errno.
Error FolderError(const std::filesystem::path& what, int error);

// flock on `journal.lock`, which the kernel gives back however the process ends.
class FolderLock {
public:
    // Makes the folder when it is missing. journal_in_use, journal_unusable.
    static Result<FolderLock> Acquire(const std::filesystem::path& folder);
    FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FolderLock& operator=(FolderLock&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~FolderLock();

private:
    explicit FolderLock(int fd) : fd_(fd) {}
    int fd_;
};

struct FolderState {
    NodeId node;
    std::uint64_t next_sequence = 1;
    std::uint64_t torn_bytes = 0;    // cut off
    std::uint64_t record_bytes = 0;  // in segments that are left
    std::uint64_t damaged_files = 0;
};

// Reads or makes node.id, removes segments without records, and cuts the newest one behind its last
// sound record.
Result<FolderState> PrepareFolder(const std::filesystem::path& folder);

}  // namespace vf::usage
