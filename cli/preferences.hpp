#pragma once
// What the user prefers: from the config file, the environment and the command line, in that order.

#include <string>

namespace vf::cli {

struct Preferences {
    std::string server = "http://127.0.0.1:8080";
    std::string api_key;
    std::string voice;
    std::string format;
    bool json = false;
    bool quiet = false;
};

// $VOICEFLOW_CONFIG, else $XDG_CONFIG_HOME/voiceflow/config.toml, else
// ~/.config/voiceflow/config.toml.
std::string ConfigPath();

// Reads the file at ConfigPath(), which may be absent, then VOICEFLOW_SERVER and VOICEFLOW_API_KEY.
// Throws Failure with file and line for an unknown key or a wrong value.
Preferences LoadPreferences();

}  // namespace vf::cli
