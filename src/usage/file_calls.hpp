#pragma once
// The system calls that the journal writes with, so that tests can have a disk that is full, short
// or broken. The functions behave like their namesakes and set errno.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace vf::usage {

class FileCalls {
public:
    virtual ~FileCalls() = default;
    virtual ssize_t Write(int fd, const void* data, std::size_t size, std::uint64_t offset);
    virtual int Allocate(int fd, std::uint64_t size);  // fallocate KEEP_SIZE; no-op where unknown
    virtual int Truncate(int fd, std::uint64_t size);
    virtual int Sync(int fd);  // fdatasync; on the journal's own thread

    static FileCalls& System();
};

}  // namespace vf::usage
