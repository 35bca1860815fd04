#include "preferences.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <cstdlib>

#include "exit_codes.hpp"

namespace vf::cli {
namespace {

std::string Environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

void ReadFile(const std::string& path, Preferences& preferences) {
    toml::table root;
    try {
        root = toml::parse_file(path);
    } catch (const toml::parse_error& e) {
        throw Failure(Exit::kUsage,
                      fmt::format("{}:{}: {}", path, e.source().begin.line, e.description()));
    }
    for (const auto& [key, node] : root) {
        std::string* target = nullptr;
        if (key == "server") target = &preferences.server;
        if (key == "api_key") target = &preferences.api_key;
        if (key == "voice") target = &preferences.voice;
        if (key == "format") target = &preferences.format;
        const auto line = node.source().begin.line;
        if (!target) {
            throw Failure(Exit::kUsage,
                          fmt::format("{}:{}: unknown key {}; there are server, api_key, voice "
                                      "and format",
                                      path, line, key.str()));
        }
        if (!node.is_string()) {
            throw Failure(Exit::kUsage,
                          fmt::format("{}:{}: {} must be a string", path, line, key.str()));
        }
        *target = node.as_string()->get();
    }
}

}  // namespace

std::string ConfigPath() {
    if (const std::string path = Environment("VOICEFLOW_CONFIG"); !path.empty()) return path;
    if (const std::string base = Environment("XDG_CONFIG_HOME"); !base.empty()) {
        return base + "/voiceflow/config.toml";
    }
    return Environment("HOME") + "/.config/voiceflow/config.toml";
}

Preferences LoadPreferences() {
    Preferences preferences;
    const std::string path = ConfigPath();
    if (access(path.c_str(), F_OK) == 0) ReadFile(path, preferences);
    if (const std::string server = Environment("VOICEFLOW_SERVER"); !server.empty()) {
        preferences.server = server;
    }
    if (const std::string key = Environment("VOICEFLOW_API_KEY"); !key.empty()) {
        preferences.api_key = key;
    }
    return preferences;
}

}  // namespace vf::cli
