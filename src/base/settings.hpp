#pragma once
// Settings, each declared once with its key, type, default, bounds, example and one sentence; the
// file, the environment, the command line, the documentation and the validation all come from that
// one declaration.
//
// Key `section.name` is `name` under `[section]` in the TOML file, VOICEFLOW_SECTION_NAME in the
// environment and --section.name on the command line; later sources win in that order.
// A module keeps its values in a plain struct and declares them in a function
// `void DeclareSettings(SettingsSchema&, ModuleOptions&)`; the struct's initial values are the
// defaults and must outlive the schema.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vf {

// What is said about a setting, apart from its bounds.
struct SettingText {
    std::string example;   // a value as it would stand in the file, e.g. "8080"
    std::string sentence;  // what it does, in one sentence
};

class SettingsSchema {
public:
    void Text(std::string key, std::string& target, SettingText text);
    // A secret: printed as "***" by Document().
    void Secret(std::string key, std::string& target, SettingText text);
    void Choice(std::string key, std::string& target, std::vector<std::string> choices,
                SettingText text);
    void Flag(std::string key, bool& target, SettingText text);
    void Integer(std::string key, std::int64_t& target, std::int64_t min, std::int64_t max,
                 SettingText text);
    void Real(std::string key, double& target, double min, double max, SettingText text);
    // Written as "250ms", "30s", "5m", "2h".
    void Duration(std::string key, std::chrono::milliseconds& target, std::chrono::milliseconds min,
                  std::chrono::milliseconds max, SettingText text);
    // Written as a number of bytes or "64KiB", "8MiB", "2GiB".
    void Bytes(std::string key, std::uint64_t& target, std::uint64_t min, std::uint64_t max,
               SettingText text);
    // An extra name for an environment variable, e.g. DATABASE_URL for database.url.
    void AlsoFromEnvironment(std::string key, std::string variable);

    struct Loaded {
        std::vector<std::string> warnings;  // unknown VOICEFLOW_* variables, each with a hint
    };
    // Reads the file (empty path: none), the environment and `arguments` (each
    // "--section.name=value" or two items "--section.name" "value"). An unknown key, a wrong type
    // or a value out of bounds is an Error whose message names the source with file and line.
    Result<Loaded> Load(const std::string& path, std::span<const char* const> environment,
                        std::span<const std::string> arguments);

    // The present values as a documented TOML file.
    std::string Document() const;

    // For generated documentation and tests.
    struct Entry {
        std::string key;
        std::string type;          // "text", "integer", ...
        std::string default_text;  // as TOML
        std::string bounds;        // in words, may be empty
        SettingText text;
        std::string environment;  // VOICEFLOW_SECTION_NAME
        std::vector<std::string> aliases;
        std::function<std::string()> current;                       // as TOML
        std::function<Result<void>(std::string_view)> assign_text;  // from environment or argument
        bool takes_string = true;                                   // TOML strings allowed
        bool takes_integer = false;
        bool takes_real = false;
        bool takes_flag = false;
    };
    const std::vector<Entry>& entries() const { return entries_; }

private:
    Entry& Add(std::string key, std::string type, SettingText text);
    Entry* Find(std::string_view key);
    std::string Nearest(std::string_view key) const;
    Result<void> LoadFile(const std::string& path);
    Result<void> LoadEnvironment(std::span<const char* const> environment, Loaded& loaded);
    Result<void> LoadArguments(std::span<const std::string> arguments);

    std::vector<Entry> entries_;
};

}  // namespace vf
