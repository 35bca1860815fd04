#include "player.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "exit_codes.hpp"

extern char** environ;

namespace vf::cli {
namespace {

const std::array<std::vector<std::string>, 6> kPlayers = {{
    {"mpv", "--really-quiet", "--no-video", "-"},
    {"ffplay", "-nodisp", "-autoexit", "-loglevel", "quiet", "-"},
    {"pw-cat", "--playback", "-"},
    {"paplay"},
    {"aplay", "-q", "-"},
    {"play", "-q", "-t", "wav", "-"},
}};

std::string OnPath(const std::string& program) {
    const char* path = std::getenv("PATH");
    std::string_view rest = path ? path : "";
    while (!rest.empty()) {
        const std::size_t colon = rest.find(':');
        const std::string file = std::string(rest.substr(0, colon)) + "/" + program;
        if (access(file.c_str(), X_OK) == 0) return file;
        if (colon == std::string_view::npos) break;
        rest.remove_prefix(colon + 1);
    }
    return {};
}

}  // namespace

std::optional<std::vector<std::string>> FindPlayer() {
    for (const auto& player : kPlayers) {
        std::vector<std::string> command = player;
        command[0] = OnPath(player[0]);
        if (!command[0].empty()) return command;
    }
    return std::nullopt;
}

Player::Player(const std::vector<std::string>& command) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        throw Failure(Exit::kLocal, fmt::format("cannot open a pipe: {}", std::strerror(errno)));
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    std::vector<char*> argv;
    for (const std::string& argument : command) {
        argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    const int code =
        posix_spawn(&pid_, command[0].c_str(), &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    input_ = ends[1];
    if (code != 0) {
        close(input_);
        pid_ = -1;
        throw Failure(Exit::kLocal, fmt::format("cannot start the player {}: {}", command[0],
                                                std::strerror(code)));
    }
}

Player::~Player() {
    if (input_ >= 0) close(input_);
    if (pid_ > 0) {
        kill(pid_, SIGTERM);
        waitpid(pid_, nullptr, 0);
    }
}

bool Player::Write(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = write(input_, bytes.data(), bytes.size());
        if (n < 0) {
            if (errno == EINTR) continue;
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

void Player::Finish() {
    close(input_);
    input_ = -1;
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
}

}  // namespace vf::cli
