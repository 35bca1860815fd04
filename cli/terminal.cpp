#include "terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace vf::cli {
namespace {

constexpr int kBarWidth = 24;

std::string Wrapped(std::string_view text, int fd, const char* code) {
    if (!HasColour(fd)) return std::string(text);
    return fmt::format("\033[{}m{}\033[0m", code, text);
}

}  // namespace

bool IsTerminal(int fd) {
    return isatty(fd) == 1;
}

bool HasColour(int fd) {
    const char* no_colour = std::getenv("NO_COLOR");
    return IsTerminal(fd) && !(no_colour && *no_colour);
}

std::string Bold(std::string_view text, int fd) {
    return Wrapped(text, fd, "1");
}
std::string Dim(std::string_view text, int fd) {
    return Wrapped(text, fd, "2");
}
std::string Red(std::string_view text, int fd) {
    return Wrapped(text, fd, "31");
}

Progress::Progress(bool quiet) : active_(!quiet && IsTerminal(STDERR_FILENO)) {}

Progress::~Progress() {
    if (drawn_) std::fputs("\r\033[K", stderr);
}

void Progress::Update(std::size_t done, std::size_t total, std::uint64_t bytes) {
    const auto now = std::chrono::steady_clock::now();
    // Short work needs no bar; it would only flash.
    if (!active_ || now - started_ < std::chrono::milliseconds(300) ||
        now - last_ < std::chrono::milliseconds(100)) {
        return;
    }
    last_ = now;
    drawn_ = true;
    const int filled = total == 0 ? 0 : static_cast<int>(done * kBarWidth / total);
    std::string bar;
    for (int i = 0; i < kBarWidth; ++i) bar += i < filled ? "━" : "─";
    fmt::print(stderr, "\r\033[K{} {}/{}  {:.1f} MB", bar, done, total,
               static_cast<double>(bytes) / 1e6);
    std::fflush(stderr);
}

}  // namespace vf::cli
