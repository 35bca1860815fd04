#pragma once
// Holds a data folder for one server process: flock on `<data_dir>/voiceflow.lock`, which the
// kernel gives back however the process ends.

#include <filesystem>
#include <utility>

#include "base/result.hpp"

namespace vf::pg {

class DataDirLock {
public:
    // Makes the folder when it is missing. data_dir_locked: another server has it (its process id
    // is in the message); data_dir_unusable: it cannot be made or written.
    static Result<DataDirLock> Acquire(const std::filesystem::path& data_dir);

    DataDirLock(DataDirLock&& other) noexcept
        : data_dir_(std::move(other.data_dir_)), fd_(std::exchange(other.fd_, -1)) {}
    DataDirLock& operator=(DataDirLock&& other) noexcept {
        std::swap(data_dir_, other.data_dir_);
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~DataDirLock();

    const std::filesystem::path& data_dir() const { return data_dir_; }  // absolute

private:
    DataDirLock(std::filesystem::path data_dir, int fd) : data_dir_(std::move(data_dir)), fd_(fd) {}

    std::filesystem::path data_dir_;
    int fd_;
};

}  // namespace vf::pg
