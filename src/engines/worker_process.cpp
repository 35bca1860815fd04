#include "engines/worker_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 forgot to say that these are C
}

namespace vf::engines {
namespace {

constexpr int kWorkerSocket = 3;

class Descriptor {
public:
    Descriptor() = default;
    ~Descriptor() {
        if (fd_ >= 0) close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }
    void Set(int fd) { fd_ = fd; }
    int Release() { return std::exchange(fd_, -1); }

private:
    int fd_ = -1;
};

// Descriptors, signals and the process group of the new program.
class Actions {
public:
    Actions() {
        posix_spawn_file_actions_init(&files_);
        posix_spawnattr_init(&attributes_);
    }
    ~Actions() {
        posix_spawn_file_actions_destroy(&files_);
        posix_spawnattr_destroy(&attributes_);
    }
    Actions(const Actions&) = delete;
    Actions& operator=(const Actions&) = delete;

    bool Prepare(int socket, int log) {
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        sigdelset(&all, SIGKILL);
        sigdelset(&all, SIGSTOP);
        // Its own process group: Ctrl-C at the terminal is for the server, which ends its workers.
        constexpr short kFlags =
            POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP;
        return posix_spawn_file_actions_addopen(&files_, 0, "/dev/null", O_RDONLY, 0) == 0 &&
               posix_spawn_file_actions_addopen(&files_, 1, "/dev/null", O_WRONLY, 0) == 0 &&
               posix_spawn_file_actions_adddup2(&files_, log, 2) == 0 &&
               posix_spawn_file_actions_adddup2(&files_, socket, kWorkerSocket) == 0 &&
               posix_spawn_file_actions_addclosefrom_np(&files_, kWorkerSocket + 1) == 0 &&
               posix_spawnattr_setflags(&attributes_, kFlags) == 0 &&
               posix_spawnattr_setsigmask(&attributes_, &none) == 0 &&
               posix_spawnattr_setsigdefault(&attributes_, &all) == 0 &&
               posix_spawnattr_setpgroup(&attributes_, 0) == 0;
    }

    int Spawn(pid_t& pid, const std::vector<std::string>& words) {
        std::vector<char*> arguments;
        for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
        arguments.push_back(nullptr);
        char* environment[] = {nullptr};
        return posix_spawn(&pid, arguments[0], &files_, &attributes_, arguments.data(),
                           environment);
    }

private:
    posix_spawn_file_actions_t files_;
    posix_spawnattr_t attributes_;
};

Error Failed(const char* what, int number) {
    return Error(ErrorKind::kUnavailable, "spawn_failed",
                 std::string(what) + ": " + std::strerror(number));
}

std::vector<std::string> Words(const SpawnPlan& plan) {
    std::vector<std::string> words{plan.program,
                                   "--parent=" + std::to_string(getpid()),
                                   "--memory=" + std::to_string(plan.memory_limit),
                                   "--cpu=" + std::to_string(plan.cpu_seconds),
                                   "--uid=" + std::to_string(plan.uid),
                                   "--gid=" + std::to_string(plan.gid)};
    if (!plan.model_folder.empty()) {
        words.push_back("--model=" + plan.model_folder);
        words.push_back("--library=" + plan.library_folder);
        words.push_back("--threads=" + std::to_string(plan.threads));
    }
    return words;
}

// Moves `fd` out of the way of the numbers that the new program will use.
bool KeepAbove(Descriptor& fd) {
    if (fd.get() > kWorkerSocket) return true;
    const int moved = fcntl(fd.get(), F_DUPFD_CLOEXEC, kWorkerSocket + 1);
    if (moved < 0) return false;
    close(fd.Release());
    fd.Set(moved);
    return true;
}

}  // namespace

Result<SpawnedProcess> SpawnWorker(const SpawnPlan& plan) {
    int sockets[2], logs[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
        return Failed("socketpair", errno);
    }
    Descriptor ours, theirs, log_read, log_write;
    ours.Set(sockets[0]);
    theirs.Set(sockets[1]);
    if (pipe2(logs, O_CLOEXEC) != 0) return Failed("pipe", errno);
    log_read.Set(logs[0]);
    log_write.Set(logs[1]);
    fcntl(ours.get(), F_SETFL, O_NONBLOCK);
    fcntl(log_read.get(), F_SETFL, O_NONBLOCK);
    Actions actions;
    if (!KeepAbove(theirs) || !KeepAbove(log_write) ||
        !actions.Prepare(theirs.get(), log_write.get())) {
        return Failed("spawn actions", errno);
    }
    SpawnedProcess process;
    const int failed = actions.Spawn(process.pid, Words(plan));
    if (failed != 0) return Failed("spawn", failed);
    process.pidfd = pidfd_open(process.pid, 0);
    if (process.pidfd < 0) {
        const int number = errno;
        kill(process.pid, SIGKILL);
        waitpid(process.pid, nullptr, 0);
        return Failed("pidfd", number);
    }
    process.socket = ours.Release();
    process.log = log_read.Release();
    return process;
}

ExitStatus ReapWorker(int pidfd) {
    siginfo_t info{};
    ExitStatus status;
    if (waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG) != 0) return status;
    if (info.si_code == CLD_EXITED) {
        status.exit_code = info.si_status;
    } else {
        status.signal = info.si_status;
    }
    return status;
}

void KillWorker(int pidfd) {
    pidfd_send_signal(pidfd, SIGKILL, nullptr, 0);
}

}  // namespace vf::engines
