#pragma once
// What the program's exit code says; also printed by `voiceflow --help`.

#include <stdexcept>
#include <string>

namespace vf::cli {

enum class Exit {
    kOk = 0,
    kServerError = 1,   // the server failed, or sent what we cannot use
    kUsage = 2,         // wrong options, or the server refused the request as wrong
    kUnreachable = 3,   // no connection, or it broke before the end
    kAccess = 4,        // 401, 402, 403
    kBusy = 5,          // 429, 503: try again later
    kLocal = 6,         // a file, a player or the terminal on this machine
    kInterrupted = 130  // Ctrl-C
};

// Ends the command with a message for the person and a code for the script.
struct Failure : std::runtime_error {
    Failure(Exit code, const std::string& message) : std::runtime_error(message), exit(code) {}
    Exit exit;
};

}  // namespace vf::cli
