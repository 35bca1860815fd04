// The system call filter. It allows what is listed and refuses the rest with EPERM instead of
// killing: libraries try things (locale files, audio devices) and go on without them.
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <unistd.h>

#include <cerrno>

#include "common/limits.hpp"

namespace vf::worker {
namespace {

constexpr int kCalls[] = {
    // the open descriptors
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev),
    SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(poll),
    SCMP_SYS(ppoll), SCMP_SYS(close), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(fcntl),
    // memory and locks
    SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect),
    SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(membarrier), SCMP_SYS(rseq),
    // time, itself, the end
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday),
    SCMP_SYS(getrandom), SCMP_SYS(getrusage), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid),
    SCMP_SYS(getrlimit), SCMP_SYS(setrlimit), SCMP_SYS(prlimit64), SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group)};

// stat and lstat are what libraries call that were linked against an older libc.
constexpr int kFileCalls[] = {SCMP_SYS(newfstatat), SCMP_SYS(stat),       SCMP_SYS(lstat),
                              SCMP_SYS(getcwd),     SCMP_SYS(getdents64), SCMP_SYS(access),
                              SCMP_SYS(faccessat2), SCMP_SYS(readlink)};

// Threads but no processes: clone3 hides its flags from a filter, so libc must fall back to clone.
bool AllowThreads(scmp_filter_ctx filter) {
    const scmp_arg_cmp thread{0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD};
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, &thread) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(set_robust_list), 0) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sched_getaffinity), 0) == 0;
}

bool Build(scmp_filter_ctx filter, const Needs& needs) {
    for (const int call : kCalls) {
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) != 0) return false;
    }
    // abort() sends a signal to itself; to nobody else.
    const scmp_arg_cmp self{0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(getpid()), 0};
    if (seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &self) != 0) {
        return false;
    }
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    // The sanitizers try whether memory can be read by writing it into a pipe.
    for (const int call : {SCMP_SYS(pipe), SCMP_SYS(pipe2)}) {
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) != 0) return false;
    }
#endif
#endif
    if (needs.threads && !AllowThreads(filter)) return false;
    if (!needs.files) return true;
    constexpr scmp_datum_t kWriting = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;
    const scmp_arg_cmp reading{2, SCMP_CMP_MASKED_EQ, kWriting, O_RDONLY};
    for (const int call : kFileCalls) {
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) != 0) return false;
    }
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, &reading) == 0;
}

}  // namespace

void LockDown(const Needs& needs) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    // No foreign code runs here, so the processor may speculate as it likes: forbidding it, which
    // older kernels do with every filter, costs a tenth of the speed. The tree shortens the search.
    const bool loaded = filter != nullptr && Build(filter, needs) &&
                        seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1) == 0 &&
                        seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0 &&
                        seccomp_load(filter) == 0;
    seccomp_release(filter);
    if (!loaded) {
        Say("the system call filter cannot be loaded");
        _exit(71);  // EX_OSERR
    }
}

}  // namespace vf::worker
