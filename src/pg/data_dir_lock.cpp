#include "pg/data_dir_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vf::pg {
namespace {

Error Unusable(const std::string& what) {
    return Error(ErrorKind::kConflict, "data_dir_unusable",
                 "The data folder cannot be used: " + what + ": " + std::strerror(errno) + ".");
}

}  // namespace

Result<DataDirLock> DataDirLock::Acquire(const std::filesystem::path& data_dir) {
    std::error_code error;
    std::filesystem::create_directories(data_dir, error);
    const std::filesystem::path absolute = std::filesystem::canonical(data_dir, error);
    if (error) {
        errno = error.value();
        return Unusable(data_dir.string());
    }
    const std::filesystem::path file = absolute / "voiceflow.lock";
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) return Unusable(file.string());
    DataDirLock lock(absolute, fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return Unusable(file.string());
        char holder[24] = {};
        const ssize_t size = ::pread(fd, holder, sizeof holder - 1, 0);
        const std::string pid(holder, size > 0 ? std::strcspn(holder, "\n") : 0);
        return Error(ErrorKind::kConflict, "data_dir_locked",
                     "Another VoiceFlow server (process " + (pid.empty() ? "unknown" : pid) +
                         ") uses the data folder " + absolute.string() +
                         ". Stop it, or give this one another data folder.");
    }
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0) {
        return Unusable(file.string());
    }
    return lock;
}

DataDirLock::~DataDirLock() {
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace vf::pg
