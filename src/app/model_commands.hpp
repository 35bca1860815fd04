#pragma once
// `voiceflowd models …`: installs, lists, tries and removes neural models, as the owner of the data
// folder. A running server sees what has changed by itself.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/app_settings.hpp"

namespace vf::app {

struct ModelRequest {
    enum class Verb { kInstall, kList, kRemove, kProbe, kKnown };
    Verb verb = Verb::kList;
    std::vector<std::string> from;  // files, folders, URLs, or one known name; probe: also an id
    std::string id;
    std::string language;
    std::string licence;
    std::string sha256;
    bool replace = false;
    bool json = false;
    std::vector<std::string> settings;  // --section.name=value, for the rest of the program
};

// Reads what stands after `models`; prints help or what is wrong by itself. An exit code instead of
// a request when there is nothing more to do.
struct ModelCommandLine {
    ModelRequest request;
    std::optional<int> exit_code;
};
ModelCommandLine ReadModelCommandLine(std::span<const std::string> arguments);

// The exit code: 0, or 1 with the reason on standard error.
int RunModels(const AppSettings& settings, const ModelRequest& request);

}  // namespace vf::app
