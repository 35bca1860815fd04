#pragma once
// A program of this machine that plays a WAV stream from its standard input.

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vf::cli {

// The first known player on PATH with its arguments: mpv, ffplay, pw-cat, paplay, aplay or play.
std::optional<std::vector<std::string>> FindPlayer();

class Player {
public:
    // Starts the program without a shell. Throws Failure.
    explicit Player(const std::vector<std::string>& command);
    ~Player();
    Player(const Player&) = delete;
    Player& operator=(const Player&) = delete;

    // False when the player has gone away.
    bool Write(std::string_view bytes);
    // Closes its input and waits until it has played everything.
    void Finish();

private:
    pid_t pid_ = -1;
    int input_ = -1;
};

}  // namespace vf::cli
