#include "common/limits.hpp"

#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdlib>

namespace vf::worker {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define VF_SANITIZER_NEEDS_ADDRESS_SPACE 1
#endif
#endif

[[noreturn]] void Fail(std::string_view what) {
    Say(what);
    _exit(71);  // EX_OSERR
}

void Limit(__rlimit_resource resource, rlim_t soft, rlim_t hard) {
    rlimit now{};
    getrlimit(resource, &now);
    if (now.rlim_max != RLIM_INFINITY && hard > now.rlim_max) hard = now.rlim_max;
    const rlimit wanted{soft > hard ? hard : soft, hard};
    if (setrlimit(resource, &wanted) != 0) Fail("a resource limit cannot be set");
}

void BecomeUnprivileged(const Limits& limits) {
    if (geteuid() != 0 || limits.uid == 0) return;
    if (setgroups(0, nullptr) != 0 || setresgid(limits.gid, limits.gid, limits.gid) != 0 ||
        setresuid(limits.uid, limits.uid, limits.uid) != 0) {
        Fail("privileges cannot be dropped");
    }
}

bool Read(std::string_view argument, std::string_view name, std::string_view& out) {
    if (!argument.starts_with(name)) return false;
    out = argument.substr(name.size());
    return !out.empty();
}

template <class Number>
bool Read(std::string_view argument, std::string_view name, Number& out) {
    if (!argument.starts_with(name)) return false;
    argument.remove_prefix(name.size());
    const char* end = argument.data() + argument.size();
    const auto [at, ec] = std::from_chars(argument.data(), end, out);
    return ec == std::errc() && at == end;
}

void EnterFolder(const Limits& limits) {
    // The argument is the end of a C string.
    const char* folder = limits.model.empty() ? "/" : limits.model.data();
    if (chdir(folder) == 0) return;
    Fail(limits.model.empty() ? "the root directory cannot be entered"
                              : "the model's folder cannot be entered");
}

}  // namespace

bool ReadArguments(int argc, char** argv, Limits& limits) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        const bool known =
            Read(argument, "--parent=", limits.parent) ||
            Read(argument, "--memory=", limits.memory) || Read(argument, "--cpu=", limits.cpu) ||
            Read(argument, "--uid=", limits.uid) || Read(argument, "--gid=", limits.gid) ||
            Read(argument, "--model=", limits.model) ||
            Read(argument, "--library=", limits.library) ||
            Read(argument, "--threads=", limits.threads);
        if (!known) return false;
    }
    return true;
}

void Confine(const Limits& limits) {
    EnterFolder(limits);
    BecomeUnprivileged(limits);
    // After the change of user, which clears it. The parent may have gone before this line.
    if (limits.parent > 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != limits.parent) _exit(0);
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) Fail("new privileges cannot be refused");
    umask(077);
    Limit(RLIMIT_CORE, 0, 0);
    // Libraries that try to write get an error instead of the signal.
    signal(SIGXFSZ, SIG_IGN);
    Limit(RLIMIT_FSIZE, 0, 0);
    Limit(RLIMIT_NOFILE, 32, 32);
#ifndef VF_SANITIZER_NEEDS_ADDRESS_SPACE
    if (limits.memory > 0) Limit(RLIMIT_AS, limits.memory, limits.memory);
#endif
}

void AllowCpu(std::uint64_t seconds) {
    if (seconds == 0) return;
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto spent = static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec);
    rlimit now{};
    getrlimit(RLIMIT_CPU, &now);
    now.rlim_cur = spent + seconds + 1;
    setrlimit(RLIMIT_CPU, &now);
}

}  // namespace vf::worker
