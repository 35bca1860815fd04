#include "pg/process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace vf::pg {
namespace {

constexpr std::size_t kMostOutput = 4096;

// All that the child needs, made before fork: between fork and exec a program with threads may only
// call what is safe in a signal handler.
struct Prepared {
    std::vector<char*> arguments;
    std::vector<char*> environment;
    const char* directory;
    bool change_user;
    RunAs user;
    int input, output, death_signal;
    bool own_session;
    pid_t parent;
};

[[noreturn]] void RunChild(const Prepared& child) {
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::umask(0077);
    if (child.own_session) ::setsid();
    if (::dup2(child.input, 0) < 0 || ::dup2(child.output, 1) < 0 || ::dup2(child.output, 2) < 0) {
        ::_exit(126);
    }
    ::syscall(SYS_close_range, 3u, ~0u, 0u);
    if (child.change_user) {
        const bool dropped = ::setgroups(1, &child.user.gid) == 0 &&
                             ::setresgid(child.user.gid, child.user.gid, child.user.gid) == 0 &&
                             ::setresuid(child.user.uid, child.user.uid, child.user.uid) == 0;
        if (!dropped) ::_exit(126);
    }
    // After the change of user, which clears it. The parent may have ended before it took effect.
    if (child.death_signal != 0) {
        ::prctl(PR_SET_PDEATHSIG, child.death_signal);
        if (::getppid() != child.parent) ::_exit(126);
    }
    if (::chdir(child.directory) != 0) ::_exit(126);
    ::execve(child.arguments[0], child.arguments.data(), child.environment.data());
    ::_exit(127);
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
    std::vector<char*> pointers;
    for (std::string& text : strings) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

// Reads until the end of `fd`, keeping the last part. False: `deadline` passed.
bool ReadAll(int fd, std::chrono::steady_clock::time_point deadline, std::string& output) {
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                              deadline - std::chrono::steady_clock::now())
                              .count();
        if (left <= 0) return false;
        pollfd item{fd, POLLIN, 0};
        if (::poll(&item, 1, static_cast<int>(left)) <= 0) continue;
        char buffer[4096];
        const ssize_t size = ::read(fd, buffer, sizeof buffer);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return true;
        output.append(buffer, static_cast<std::size_t>(size));
        if (output.size() > kMostOutput) output.erase(0, output.size() - kMostOutput);
    }
}

}  // namespace

pid_t StartProcess(const ProcessSpec& spec) {
    std::vector<std::string> arguments = spec.arguments;
    std::vector<std::string> environment = spec.environment;
    environment.emplace_back("LC_ALL=C.UTF-8");
    environment.emplace_back("PATH=/usr/bin:/bin");
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) return -1;
    const Prepared child{Pointers(arguments),
                         Pointers(environment),
                         spec.directory.c_str(),
                         ::geteuid() == 0 && spec.user.uid != 0,
                         spec.user,
                         spec.input < 0 ? null : spec.input,
                         spec.output < 0 ? null : spec.output,
                         spec.death_signal,
                         spec.own_session,
                         ::getpid()};
    const pid_t pid = ::fork();
    if (pid == 0) RunChild(child);
    const int error = errno;
    ::close(null);
    errno = error;
    return pid;
}

ToolOutcome RunTool(ProcessSpec spec, std::chrono::milliseconds timeout) {
    ToolOutcome outcome;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return outcome;
    spec.output = ends[1];
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    const pid_t pid = StartProcess(spec);
    ::close(ends[1]);
    if (pid > 0) {
        if (!ReadAll(ends[0], deadline, outcome.output)) ::kill(pid, SIGKILL);
        int status = 0;
        while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
    }
    ::close(ends[0]);
    return outcome;
}

std::string LastLine(const std::string& output) {
    const auto end = output.find_last_not_of("\n ");
    if (end == std::string::npos) return "";
    const auto start = output.find_last_of('\n', end);
    return output.substr(start == std::string::npos ? 0 : start + 1,
                         end - (start == std::string::npos ? 0 : start + 1) + 1);
}

}  // namespace vf::pg
