// voiceflowd: the server program.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "app/commands.hpp"

int main(int argc, char** argv) {
    // A client that goes away while we write to it is an error code, not a signal.
    std::signal(SIGPIPE, SIG_IGN);
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    try {
        return vf::app::RunCommand(arguments);
    } catch (const std::exception& e) {
        fmt::print(stderr, "voiceflowd: {}\n", e.what());
        return 1;
    }
}
