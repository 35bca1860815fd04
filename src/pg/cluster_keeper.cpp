#include "pg/cluster_keeper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "base/log.hpp"

namespace vf::pg {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kLook{2};           // between looks at postmaster.pid
constexpr std::chrono::milliseconds kEmptyWait{10000};  // for orphans of a killed postmaster
constexpr std::chrono::milliseconds kImmediateWait{5000};
constexpr off_t kMostLog = 10 << 20;

bool Contains(const std::vector<pid_t>& pids, pid_t pid) {
    return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

}  // namespace

ClusterKeeper::ClusterKeeper(ClusterPlace place)
    : place_(std::move(place)), url_(place_.Url()), stop_event_(::eventfd(0, EFD_CLOEXEC)) {}

ClusterKeeper::~ClusterKeeper() {
    Stop();
    ::close(stop_event_);
}

Result<void> ClusterKeeper::Start() {
    std::promise<Result<void>> started;
    std::future<Result<void>> outcome = started.get_future();
    thread_ =
        std::thread([this, started = std::move(started)]() mutable { Keep(std::move(started)); });
    Result<void> result = outcome.get();
    if (!result) thread_.join();
    return result;
}

void ClusterKeeper::Stop() {
    if (!thread_.joinable()) return;
    const std::uint64_t one = 1;
    if (::write(stop_event_, &one, sizeof one) < 0) log::Error("cluster_stop_event");
    thread_.join();
}

void ClusterKeeper::Keep(std::promise<Result<void>> started) {
    Result<Running> first = Bring();
    if (!first) {
        started.set_value(first.error());
        return;
    }
    Running running = *first;
    process_id_ = running.pid;
    adopted_ = !running.child;
    started.set_value({});
    constexpr std::chrono::milliseconds kFirstPause{100};
    constexpr std::chrono::milliseconds kLongestPause{5000};
    std::chrono::milliseconds pause = kFirstPause;
    for (;;) {
        if (running.pid > 0) {
            if (WaitEnd(running.pidfd, std::chrono::milliseconds(-1))) {
                End(running);
                process_id_ = 0;
                return;
            }
            process_id_ = 0;
            Reap(running);
            log::Error("private_postgres_ended", {{"last_line", LastLogLine()}});
        }
        Result<Running> again = Bring();
        if (again) {
            running = *again;
            process_id_ = running.pid;
            adopted_ = !running.child;
            pause = kFirstPause;
            log::Info("private_postgres_restarted");
            continue;
        }
        log::Error("private_postgres_start_failed", {{"reason", again.error().message()}});
        running = Running{};
        if (WaitEnd(-1, pause)) return;
        pause = std::min(pause * 2, kLongestPause);
    }
}

Result<ClusterKeeper::Running> ClusterKeeper::Bring() {
    const auto deadline = Clock::now() + place_.options.start_timeout;
    Result<std::optional<Running>> adopted = Adopt(deadline);
    if (!adopted) return adopted.error();
    if (*adopted) return **adopted;
    if (!WaitEmpty(std::min(deadline, Clock::now() + kEmptyWait))) {
        return ClusterError("cluster_failed", "Processes of an earlier PostgreSQL still work in " +
                                                  place_.folder.string() + " and do not end.");
    }
    // Nobody is there (and the caller holds the data folder), so what postmaster.pid says is stale.
    // PostgreSQL itself would trust a process id that another program has been given since, or that
    // a killed server still holds because nobody has waited for it. The socket folder belongs to
    // this data folder alone.
    ::unlink((place_.folder / "postmaster.pid").c_str());
    ::unlink((place_.socket_dir / ".s.PGSQL.5432.lock").c_str());
    ::unlink((place_.socket_dir / ".s.PGSQL.5432").c_str());
    return Launch(deadline);
}

Result<std::optional<ClusterKeeper::Running>> ClusterKeeper::Adopt(Clock::time_point deadline) {
    bool asked_to_stop = false;
    while (Clock::now() < deadline) {
        const auto file = ReadPostmasterFile(place_.folder);
        if (!file || !Contains(ProcessesIn(place_.folder), file->pid)) {
            return std::optional<Running>();
        }
        const bool reachable = file->socket_dir == place_.socket_dir;
        if (file->status == "ready" && reachable) {
            const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, file->pid, 0));
            if (pidfd >= 0) return std::optional<Running>(Running{file->pid, pidfd, false});
        } else if (!reachable && !asked_to_stop && !file->socket_dir.empty()) {
            asked_to_stop = true;
            ::kill(file->pid, SIGINT);
        }
        std::this_thread::sleep_for(kLook * 5);
    }
    return ClusterError("cluster_failed", "A PostgreSQL that already runs on " +
                                              place_.folder.string() + " does not get ready.");
}

bool ClusterKeeper::WaitEmpty(Clock::time_point deadline) {
    while (!ProcessesIn(place_.folder).empty()) {
        if (Clock::now() >= deadline) return false;
        std::this_thread::sleep_for(kLook * 5);
    }
    return true;
}

std::vector<std::string> ClusterKeeper::Arguments() const {
    const PrivateClusterOptions& options = place_.options;
    std::vector<std::string> arguments = {(place_.bin_dir / "postgres").string(), "-D",
                                          place_.folder.string()};
    const auto set = [&](std::string value) {
        arguments.emplace_back("-c");
        arguments.push_back(std::move(value));
    };
    set("listen_addresses=");
    set("port=5432");
    set("unix_socket_directories=" + place_.socket_dir.string());
    set("unix_socket_permissions=0700");
    set("shared_buffers=" + std::to_string(options.shared_buffers >> 10) + "kB");
    set("max_connections=" + std::to_string(options.max_connections));
    // Durable: the defaults, said here so that no file in the folder can weaken them.
    for (const char* value : {"fsync=on", "synchronous_commit=on", "full_page_writes=on"}) {
        set(value);
    }
    // Small: no standbys, no parallel workers, no just-in-time compiler.
    for (const char* value :
         {"wal_level=minimal", "max_wal_senders=0", "max_logical_replication_workers=0",
          "max_worker_processes=2", "max_parallel_workers=0", "max_parallel_workers_per_gather=0",
          "autovacuum=on", "autovacuum_max_workers=1", "jit=off", "work_mem=2MB",
          "maintenance_work_mem=16MB", "min_wal_size=32MB", "max_wal_size=512MB"}) {
        set(value);
    }
    set("recovery_init_sync_method=syncfs");
    // Statements, parameters and error messages may carry customers' text.
    for (const char* value :
         {"logging_collector=off", "log_destination=stderr", "log_min_messages=log",
          "log_min_error_statement=panic", "log_statement=none", "log_error_verbosity=terse",
          "log_checkpoints=off", "log_min_duration_statement=-1", "log_autovacuum_min_duration=-1",
          "log_line_prefix=%m [%p] "}) {
        set(value);
    }
    return arguments;
}

int ClusterKeeper::OpenLog() const {
    const fs::path path = place_.data_dir / "postgres.log";
    struct stat info{};
    if (::lstat(path.c_str(), &info) == 0 && info.st_size > kMostLog) {
        ::rename(path.c_str(), (path.string() + ".1").c_str());
    }
    return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

std::string ClusterKeeper::LastLogLine() const {
    std::ifstream file(place_.data_dir / "postgres.log", std::ios::binary | std::ios::ate);
    constexpr std::streamoff kTail = 4096;
    const std::streamoff size = file.tellg();
    file.seekg(std::max<std::streamoff>(0, size - kTail));
    const std::string tail((std::istreambuf_iterator<char>(file)), {});
    return LastLine(tail);
}

Result<ClusterKeeper::Running> ClusterKeeper::Launch(Clock::time_point deadline) {
    const int log_fd = OpenLog();
    if (log_fd < 0) {
        return ClusterError("cluster_unusable",
                            "postgres.log cannot be written in " + place_.data_dir.string() + ".");
    }
    ProcessSpec spec;
    spec.arguments = Arguments();
    spec.user = place_.user;
    spec.output = log_fd;
    spec.death_signal = SIGINT;  // fast shutdown when we are killed
    spec.own_session = true;
    Running running;
    running.child = true;
    running.pid = StartProcess(spec);
    ::close(log_fd);
    if (running.pid < 0) return ClusterError("cluster_failed", "PostgreSQL could not be started.");
    running.pidfd = static_cast<int>(::syscall(SYS_pidfd_open, running.pid, 0));
    while (Clock::now() < deadline) {
        const auto file = ReadPostmasterFile(place_.folder);
        if (file && file->pid == running.pid && file->status == "ready") return running;
        pollfd item{running.pidfd, POLLIN, 0};
        if (::poll(&item, 1, static_cast<int>(kLook.count())) > 0) {
            Reap(running);
            return ClusterError("cluster_failed",
                                "PostgreSQL did not start: " + LastLogLine() + " (see " +
                                    (place_.data_dir / "postgres.log").string() + ").");
        }
    }
    End(running);
    return ClusterError("cluster_failed", "PostgreSQL was not ready in time: " + LastLogLine());
}

bool ClusterKeeper::WaitEnd(int pidfd, std::chrono::milliseconds wait) {
    for (;;) {
        pollfd items[2] = {{stop_event_, POLLIN, 0}, {pidfd, POLLIN, 0}};
        const int ready = ::poll(items, pidfd < 0 ? 1 : 2, static_cast<int>(wait.count()));
        if (ready < 0 && errno == EINTR) continue;
        return (items[0].revents & POLLIN) != 0;
    }
}

void ClusterKeeper::Reap(Running& running) {
    if (running.child) {
        while (::waitpid(running.pid, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
    if (running.pidfd >= 0) ::close(running.pidfd);
    running = Running{};
}

void ClusterKeeper::End(Running& running) {
    const auto ended = [&](int signal, std::chrono::milliseconds wait) {
        // Through the descriptor: a process id may have a new owner by now.
        ::syscall(SYS_pidfd_send_signal, running.pidfd, signal, nullptr, 0);
        pollfd item{running.pidfd, POLLIN, 0};
        return ::poll(&item, 1, static_cast<int>(wait.count())) > 0;
    };
    const bool gone = ended(SIGINT, place_.options.stop_timeout) ||
                      ended(SIGQUIT, kImmediateWait) || ended(SIGKILL, kImmediateWait);
    if (!gone) log::Error("private_postgres_does_not_end");
    Reap(running);
    ::rmdir(place_.socket_dir.c_str());  // empty after a clean stop; made again by the next start
}

}  // namespace vf::pg
