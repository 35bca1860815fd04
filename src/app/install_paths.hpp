#pragma once
// Where the installed files are, found from the program's own place: <prefix>/bin/voiceflowd,
// <prefix>/libexec/voiceflow/ (workers), <prefix>/share/voiceflow/ (page, migrations, plans,
// voices, models, openapi.json).
// The build tree has the same shape.

#include <filesystem>
#include <string>

namespace vf::app {

struct InstallPaths {
    std::filesystem::path workers;
    std::filesystem::path page;
    std::filesystem::path migrations;
    std::filesystem::path plans;
    std::filesystem::path voices;
    std::filesystem::path models;
    std::filesystem::path openapi;
};

InstallPaths FindInstallPaths();

// $VOICEFLOW_DATA_DIR's default: /var/lib/voiceflow for root, else $XDG_DATA_HOME/voiceflow, else
// ~/.local/share/voiceflow.
std::string DefaultDataDir();

}  // namespace vf::app
