#pragma once
// Colours and progress, only where a person looks: on a terminal, without NO_COLOR, not with
// --quiet.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace vf::cli {

bool IsTerminal(int fd);
// True when `fd` is a terminal and NO_COLOR is not set (no-color.org).
bool HasColour(int fd);

std::string Bold(std::string_view text, int fd);
std::string Dim(std::string_view text, int fd);
std::string Red(std::string_view text, int fd);

// One line on stderr that is redrawn at most ten times a second and wiped at the end.
class Progress {
public:
    explicit Progress(bool quiet);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    // `done` of `total` pieces; `bytes` received so far.
    void Update(std::size_t done, std::size_t total, std::uint64_t bytes);

private:
    bool active_;
    bool drawn_ = false;
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point last_{};
};

}  // namespace vf::cli
