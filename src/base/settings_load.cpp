// Reading settings from file, environment and command line.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <numeric>

#include "base/settings.hpp"

namespace vf {
namespace {

Error Bad(std::string message) {
    return Error(ErrorKind::kInvalid, "bad_setting", std::move(message));
}

std::size_t EditDistance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
            diagonal = above;
        }
    }
    return row[b.size()];
}

// The node as the text that assign_text() reads, or an error naming the type that is wanted.
Result<std::string> NodeText(const toml::node& node, const SettingsSchema::Entry& entry) {
    if (const auto* s = node.as_string(); s && entry.takes_string) return s->get();
    if (const auto* i = node.as_integer(); i && entry.takes_integer) {
        return fmt::format("{}", i->get());
    }
    if (const auto* d = node.as_floating_point(); d && entry.takes_real) {
        return fmt::format("{}", d->get());
    }
    if (const auto* b = node.as_boolean(); b && entry.takes_flag) {
        return std::string(b->get() ? "true" : "false");
    }
    return Bad(fmt::format("must be of type {}", entry.type));
}

}  // namespace

std::string SettingsSchema::Nearest(std::string_view key) const {
    const Entry* best = nullptr;
    std::size_t best_distance = 4;
    for (const Entry& entry : entries_) {
        const std::size_t distance =
            std::min(EditDistance(key, entry.key), EditDistance(key, entry.environment));
        if (distance < best_distance) {
            best = &entry;
            best_distance = distance;
        }
    }
    if (!best) return {};
    const bool is_variable = key.starts_with("VOICEFLOW_");
    return fmt::format("; did you mean {}?", is_variable ? best->environment : best->key);
}

Result<void> SettingsSchema::LoadFile(const std::string& path) {
    toml::table root;
    try {
        root = toml::parse_file(path);
    } catch (const toml::parse_error& e) {
        return Bad(fmt::format("{}:{}: {}", path, e.source().begin.line, e.description()));
    }
    for (const auto& [section, node] : root) {
        const toml::table* table = node.as_table();
        if (!table) {
            return Bad(fmt::format("{}:{}: '{}' stands outside a section such as [http]", path,
                                   node.source().begin.line, section.str()));
        }
        for (const auto& [name, item] : *table) {
            const std::string key = fmt::format("{}.{}", section.str(), name.str());
            Entry* entry = Find(key);
            if (!entry) {
                return Bad(fmt::format("{}:{}: unknown setting {}{}", path,
                                       item.source().begin.line, key, Nearest(key)));
            }
            Result<std::string> text = NodeText(item, *entry);
            Result<void> assigned;
            if (text) {
                assigned = entry->assign_text(*text);
            } else {
                assigned = std::move(text).error();
            }
            if (!assigned) {
                return Bad(fmt::format("{}:{}: {} {}", path, item.source().begin.line, key,
                                       assigned.error().message()));
            }
        }
    }
    return {};
}

Result<void> SettingsSchema::LoadEnvironment(std::span<const char* const> environment,
                                             Loaded& loaded) {
    for (const char* item : environment) {
        const std::string_view line(item);
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) continue;
        const std::string_view name = line.substr(0, equals);
        const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) {
            return e.environment == name ||
                   std::find(e.aliases.begin(), e.aliases.end(), name) != e.aliases.end();
        });
        if (entry == entries_.end()) {
            // Clients share the prefix: these belong to the command line client.
            static constexpr std::string_view kClient[] = {"VOICEFLOW_API_KEY", "VOICEFLOW_SERVER",
                                                           "VOICEFLOW_CONFIG"};
            const bool is_client =
                std::find(std::begin(kClient), std::end(kClient), name) != std::end(kClient);
            if (name.starts_with("VOICEFLOW_") && !is_client) {
                loaded.warnings.push_back(fmt::format(
                    "the environment variable {} is not a setting{}", name, Nearest(name)));
            }
            continue;
        }
        const Result<void> assigned = entry->assign_text(line.substr(equals + 1));
        if (!assigned) {
            return Bad(fmt::format("environment variable {}: {} {}", name, entry->key,
                                   assigned.error().message()));
        }
    }
    return {};
}

Result<void> SettingsSchema::LoadArguments(std::span<const std::string> arguments) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        std::string_view argument = arguments[i];
        if (!argument.starts_with("--")) {
            return Bad(
                fmt::format("command line: '{}' is not an option; settings are written "
                            "--section.name=value",
                            argument));
        }
        argument.remove_prefix(2);
        const std::size_t equals = argument.find('=');
        const std::string key(argument.substr(0, equals));
        Entry* entry = Find(key);
        if (!entry) {
            return Bad(fmt::format("command line: unknown setting --{}{}", key, Nearest(key)));
        }
        std::string text;
        if (equals != std::string_view::npos) {
            text = std::string(argument.substr(equals + 1));
        } else if (i + 1 < arguments.size()) {
            text = arguments[++i];
        } else {
            return Bad(fmt::format("command line: --{} needs a value", key));
        }
        const Result<void> assigned = entry->assign_text(text);
        if (!assigned) {
            return Bad(fmt::format("command line: --{} {}", key, assigned.error().message()));
        }
    }
    return {};
}

Result<SettingsSchema::Loaded> SettingsSchema::Load(const std::string& path,
                                                    std::span<const char* const> environment,
                                                    std::span<const std::string> arguments) {
    Loaded loaded;
    if (!path.empty()) {
        Result<void> file = LoadFile(path);
        if (!file) return std::move(file).error();
    }
    Result<void> variables = LoadEnvironment(environment, loaded);
    if (!variables) return std::move(variables).error();
    Result<void> options = LoadArguments(arguments);
    if (!options) return std::move(options).error();
    return loaded;
}

}  // namespace vf
