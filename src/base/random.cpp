#include "base/random.hpp"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace vf {
namespace {

void FromKernel(std::span<std::uint8_t> out) {
    std::size_t done = 0;
    while (done < out.size()) {
        const ssize_t n = getrandom(out.data() + done, out.size() - done, 0);
        if (n < 0) {
            if (errno == EINTR) continue;
            std::abort();
        }
        done += static_cast<std::size_t>(n);
    }
}

}  // namespace

void RandomBytes(std::span<std::uint8_t> out) {
    // One system call serves many ids: request ids are made on every request.
    thread_local std::array<std::uint8_t, 1024> pool;
    thread_local std::size_t used = pool.size();
    if (out.size() > pool.size() / 4) {
        FromKernel(out);
        return;
    }
    if (pool.size() - used < out.size()) {
        FromKernel(pool);
        used = 0;
    }
    std::memcpy(out.data(), pool.data() + used, out.size());
    std::memset(pool.data() + used, 0, out.size());
    used += out.size();
}

}  // namespace vf
