#pragma once
// The commands of the client. Each returns normally on success and throws Failure otherwise.

#include <optional>
#include <string>

#include "preferences.hpp"

namespace vf::cli {

struct SpeakOptions {
    std::string text;    // as an argument; "-" reads standard input
    std::string file;    // or from this file
    std::string output;  // a file, "-" for standard output, empty: a player
    std::string voice;
    std::string format;
    std::string language;
    std::optional<double> speed;
    std::optional<double> pitch;
    std::optional<double> volume;
    std::optional<int> sample_rate;
};
void Speak(const Preferences& preferences, const SpeakOptions& options);

struct VoicesOptions {
    std::string language;
    std::string gender;
    std::string engine;
    std::string search;
    bool ids_only = false;  // one id a line, for completion scripts
};
void ListVoices(const Preferences& preferences, const VoicesOptions& options);

// Prints the completion script of `shell`: bash, zsh or fish.
void PrintCompletion(const std::string& shell);

}  // namespace vf::cli
