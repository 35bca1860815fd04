// The voice fake-report tries what a worker must not be able to do and tells, as events, how that
// went.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "fake/fake.hpp"

extern char** environ;

namespace vf::worker {
namespace {

using namespace vf::engines;

std::string Outcome(long result) {
    if (result >= 0) return "done";
    return errno == EPERM ? "EPERM" : std::to_string(errno);
}

int OpenDescriptors() {
    int count = 0;
    for (int fd = 0; fd < 1'024; ++fd) {
        if (fcntl(fd, F_GETFD) != -1) ++count;
    }
    return count;
}

// How much address space is left, in MiB, up to 4 GiB; nothing of it is touched.
std::size_t AvailableMiB() {
    constexpr std::size_t kPiece = 16U << 20U;
    std::vector<void*> pieces;
    while (pieces.size() < 256) {
        void* piece = malloc(kPiece);
        if (piece == nullptr) break;
        pieces.push_back(piece);
    }
    for (void* piece : pieces) free(piece);
    return pieces.size() * 16;
}

std::string TryExec() {
    char path[] = "/bin/true";
    char* const arguments[] = {path, nullptr};
    return Outcome(execve(path, arguments, environ));
}

std::string TryFork() {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    return Outcome(child);
}

}  // namespace

bool Report(const Request& request, Sink& sink) {
    if (request.voice != "fake-report") return false;
    rlimit core{1, 1};
    getrlimit(RLIMIT_CORE, &core);
    int variables = 0;
    for (char** at = environ; at != nullptr && *at != nullptr; ++at) ++variables;
    const std::string lines[] = {
        "fds=" + std::to_string(OpenDescriptors()),
        "socket=" + Outcome(socket(AF_INET, SOCK_STREAM, 0)),
        "unix=" + Outcome(socket(AF_UNIX, SOCK_STREAM, 0)),
        "exec=" + TryExec(),
        "fork=" + TryFork(),
        "write=" + Outcome(open("/tmp/vf_worker_was_here", O_WRONLY | O_CREAT, 0600)),
        "read=" + Outcome(open("/etc/passwd", O_RDONLY)),
        "kill=" + Outcome(kill(getppid(), 0)),
        "core=" + std::to_string(core.rlim_cur),
        "variables=" + std::to_string(variables),
        "root=" + std::to_string(getuid() == 0 ? 1 : 0),
        "mib=" + std::to_string(AvailableMiB()),
    };
    std::vector<TimingEvent> events;
    for (const std::string& line : lines) events.push_back({TimingEvent::kWord, 0, 0, 0, 0, line});
    sink.Events(events);
    return true;
}

}  // namespace vf::worker
