#pragma once
// Starts PostgreSQL's programs: as another user when root, with an empty environment, no inherited
// descriptors, and never through a shell. Inside src/pg only.

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vf::pg {

// Whom PostgreSQL runs as.
struct RunAs {
    uid_t uid = 0;
    gid_t gid = 0;
};

struct ProcessSpec {
    std::vector<std::string> arguments;    // the first is the program's path
    std::vector<std::string> environment;  // "NAME=value", added to LC_ALL and PATH
    RunAs user;                            // ignored unless we are root
    std::filesystem::path directory = "/";
    int input = -1;   // -1: /dev/null; stays the caller's
    int output = -1;  // stdout and stderr; -1: /dev/null
    // Sent to the program when the *thread* that starts it ends; 0: none.
    int death_signal = 0;
    bool own_session = false;  // a terminal's Ctrl-C does not reach it
};

// The process id, or -1 with errno.
pid_t StartProcess(const ProcessSpec& spec);

struct ToolOutcome {
    int exit_code = -1;  // -1: could not start, killed by a signal or by the deadline
    std::string output;  // stdout and stderr, the last 4 KiB
};
// Runs a program to its end, with its output caught.
ToolOutcome RunTool(ProcessSpec spec, std::chrono::milliseconds timeout);

// A readable message from what a tool wrote: its last line that is not empty.
std::string LastLine(const std::string& output);

}  // namespace vf::pg
