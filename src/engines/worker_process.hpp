#pragma once
// Starts a worker program and gives back what the server holds of it.
//
// posix_spawn is used (vfork inside): the loop waits for the exec only, about half a millisecond,
// and nothing of ours runs between fork and exec. What has to be set in the new process (limits,
// privileges, the system call filter) the program does itself before it reads a request; see
// workers/common/limits.hpp.

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace vf::engines {

struct SpawnPlan {
    std::string program;  // absolute path, never from a user
    std::uint64_t memory_limit = 0;
    std::uint64_t cpu_seconds = 0;  // per segment
    uid_t uid = 0;                  // 0: stay who we are
    gid_t gid = 0;
    // Of an engine that loads a model, else empty: the folder it becomes at home in before it drops
    // its privileges, the folder of the library that it opens, and how many threads may compute.
    std::string model_folder;
    std::string library_folder;
    int threads = 1;
};

// Descriptors are owned by whoever takes this; all are close-on-exec, the first two non-blocking.
struct SpawnedProcess {
    pid_t pid = -1;
    int socket = -1;  // the program's descriptor 3
    int log = -1;     // reads the program's stderr
    int pidfd = -1;   // readable when the program has ended; makes signals safe from reused ids
};

// Error: kUnavailable spawn_failed (its message is for the log).
Result<SpawnedProcess> SpawnWorker(const SpawnPlan& plan);

// How a process ended. Reaps it; call once pidfd is readable.
struct ExitStatus {
    int exit_code = -1;
    int signal = 0;
};
ExitStatus ReapWorker(int pidfd);

void KillWorker(int pidfd);

}  // namespace vf::engines
