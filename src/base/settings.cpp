#include "base/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <utility>

namespace vf {
namespace {

Error Bad(std::string message) {
    return Error(ErrorKind::kInvalid, "bad_setting", std::move(message));
}

std::string Quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
    return out + '"';
}

template <class Number>
bool ReadNumber(std::string_view text, Number& number) {
    const char* end = text.data() + text.size();
    const auto [at, ec] = std::from_chars(text.data(), end, number);
    return ec == std::errc() && at == end && !text.empty();
}

// Splits "250ms" into its number and its unit.
bool ReadWithUnit(std::string_view text, double& number, std::string_view& unit) {
    std::size_t digits = 0;
    while (digits < text.size() &&
           (std::isdigit(static_cast<unsigned char>(text[digits])) || text[digits] == '.')) {
        ++digits;
    }
    unit = text.substr(digits);
    return digits > 0 && ReadNumber(text.substr(0, digits), number);
}

std::string PrintDuration(std::chrono::milliseconds d) {
    const auto ms = d.count();
    if (ms != 0 && ms % 3'600'000 == 0) return fmt::format("{}h", ms / 3'600'000);
    if (ms != 0 && ms % 60'000 == 0) return fmt::format("{}m", ms / 60'000);
    if (ms % 1'000 == 0) return fmt::format("{}s", ms / 1'000);
    return fmt::format("{}ms", ms);
}

std::string PrintBytes(std::uint64_t n) {
    static constexpr std::pair<std::uint64_t, const char*> kUnits[] = {
        {1ULL << 30, "GiB"}, {1ULL << 20, "MiB"}, {1ULL << 10, "KiB"}};
    for (const auto& [size, name] : kUnits) {
        if (n != 0 && n % size == 0) return fmt::format("{}{}", n / size, name);
    }
    return fmt::format("{}", n);
}

}  // namespace

SettingsSchema::Entry& SettingsSchema::Add(std::string key, std::string type, SettingText text) {
    Entry entry;
    entry.environment = "VOICEFLOW_";
    for (const char c : key) {
        entry.environment +=
            c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    entry.key = std::move(key);
    entry.type = std::move(type);
    entry.text = std::move(text);
    return entries_.emplace_back(std::move(entry));
}

void SettingsSchema::Text(std::string key, std::string& target, SettingText text) {
    Entry& entry = Add(std::move(key), "text", std::move(text));
    entry.default_text = Quoted(target);
    entry.current = [&target] { return Quoted(target); };
    entry.assign_text = [&target](std::string_view v) -> Result<void> {
        target = std::string(v);
        return {};
    };
}

void SettingsSchema::Secret(std::string key, std::string& target, SettingText text) {
    Text(std::move(key), target, std::move(text));
    entries_.back().type = "secret";
    entries_.back().current = [&target] { return target.empty() ? "\"\"" : "\"***\""; };
}

void SettingsSchema::Choice(std::string key, std::string& target, std::vector<std::string> choices,
                            SettingText text) {
    Entry& entry = Add(std::move(key), "choice", std::move(text));
    entry.default_text = Quoted(target);
    entry.bounds = fmt::format("one of {}", fmt::join(choices, ", "));
    entry.current = [&target] { return Quoted(target); };
    entry.assign_text = [&target, choices](std::string_view v) -> Result<void> {
        if (std::find(choices.begin(), choices.end(), v) == choices.end()) {
            return Bad(fmt::format("must be one of {}", fmt::join(choices, ", ")));
        }
        target = std::string(v);
        return {};
    };
}

void SettingsSchema::Flag(std::string key, bool& target, SettingText text) {
    Entry& entry = Add(std::move(key), "flag", std::move(text));
    entry.default_text = target ? "true" : "false";
    entry.takes_string = false;
    entry.takes_flag = true;
    entry.current = [&target] { return std::string(target ? "true" : "false"); };
    entry.assign_text = [&target](std::string_view v) -> Result<void> {
        if (v == "true" || v == "1" || v == "yes" || v == "on") {
            target = true;
        } else if (v == "false" || v == "0" || v == "no" || v == "off") {
            target = false;
        } else {
            return Bad("must be true or false");
        }
        return {};
    };
}

void SettingsSchema::Integer(std::string key, std::int64_t& target, std::int64_t min,
                             std::int64_t max, SettingText text) {
    Entry& entry = Add(std::move(key), "integer", std::move(text));
    entry.default_text = fmt::format("{}", target);
    entry.bounds = fmt::format("{} to {}", min, max);
    entry.takes_string = false;
    entry.takes_integer = true;
    entry.current = [&target] { return fmt::format("{}", target); };
    entry.assign_text = [&target, min, max](std::string_view v) -> Result<void> {
        std::int64_t number = 0;
        if (!ReadNumber(v, number)) return Bad("must be a whole number");
        if (number < min || number > max) return Bad(fmt::format("must be {} to {}", min, max));
        target = number;
        return {};
    };
}

void SettingsSchema::Real(std::string key, double& target, double min, double max,
                          SettingText text) {
    Entry& entry = Add(std::move(key), "number", std::move(text));
    entry.default_text = fmt::format("{}", target);
    entry.bounds = fmt::format("{} to {}", min, max);
    entry.takes_string = false;
    entry.takes_integer = true;
    entry.takes_real = true;
    entry.current = [&target] { return fmt::format("{}", target); };
    entry.assign_text = [&target, min, max](std::string_view v) -> Result<void> {
        double number = 0;
        if (!ReadNumber(v, number) || !std::isfinite(number)) return Bad("must be a number");
        if (number < min || number > max) return Bad(fmt::format("must be {} to {}", min, max));
        target = number;
        return {};
    };
}

void SettingsSchema::Duration(std::string key, std::chrono::milliseconds& target,
                              std::chrono::milliseconds min, std::chrono::milliseconds max,
                              SettingText text) {
    Entry& entry = Add(std::move(key), "duration", std::move(text));
    entry.default_text = Quoted(PrintDuration(target));
    entry.bounds = fmt::format("{} to {}", PrintDuration(min), PrintDuration(max));
    entry.current = [&target] { return Quoted(PrintDuration(target)); };
    entry.assign_text = [&target, min, max](std::string_view v) -> Result<void> {
        double number = 0;
        std::string_view unit;
        if (!ReadWithUnit(v, number, unit)) return Bad("must be a duration such as 250ms, 30s, 5m");
        double factor = 0;
        if (unit == "ms") factor = 1;
        if (unit == "s") factor = 1'000;
        if (unit == "m") factor = 60'000;
        if (unit == "h") factor = 3'600'000;
        if (factor == 0) return Bad("needs a unit: ms, s, m or h");
        const double ms = number * factor;
        if (ms < static_cast<double>(min.count()) || ms > static_cast<double>(max.count())) {
            return Bad(fmt::format("must be {} to {}", PrintDuration(min), PrintDuration(max)));
        }
        target = std::chrono::milliseconds(std::llround(ms));
        return {};
    };
}

void SettingsSchema::Bytes(std::string key, std::uint64_t& target, std::uint64_t min,
                           std::uint64_t max, SettingText text) {
    Entry& entry = Add(std::move(key), "size", std::move(text));
    entry.default_text = Quoted(PrintBytes(target));
    entry.bounds = fmt::format("{} to {}", PrintBytes(min), PrintBytes(max));
    entry.takes_integer = true;
    entry.current = [&target] { return Quoted(PrintBytes(target)); };
    entry.assign_text = [&target, min, max](std::string_view v) -> Result<void> {
        double number = 0;
        std::string_view unit;
        if (!ReadWithUnit(v, number, unit)) return Bad("must be a size such as 65536, 64KiB, 8MiB");
        double factor = 0;
        if (unit.empty() || unit == "B") factor = 1;
        if (unit == "KiB") factor = 1024.0;
        if (unit == "MiB") factor = 1024.0 * 1024;
        if (unit == "GiB") factor = 1024.0 * 1024 * 1024;
        if (factor == 0) return Bad("has an unknown unit; use KiB, MiB or GiB");
        const double bytes = number * factor;
        if (bytes < static_cast<double>(min) || bytes > static_cast<double>(max)) {
            return Bad(fmt::format("must be {} to {}", PrintBytes(min), PrintBytes(max)));
        }
        target = static_cast<std::uint64_t>(bytes);
        return {};
    };
}

void SettingsSchema::AlsoFromEnvironment(std::string key, std::string variable) {
    if (Entry* entry = Find(key)) entry->aliases.push_back(std::move(variable));
}

SettingsSchema::Entry* SettingsSchema::Find(std::string_view key) {
    for (Entry& entry : entries_) {
        if (entry.key == key) return &entry;
    }
    return nullptr;
}

std::string SettingsSchema::Document() const {
    std::string out =
        "# VoiceFlow settings. Every key may also come from the environment (named beside it)\n"
        "# or the command line (--section.name=value); the later source wins in that order.\n";
    std::vector<std::string> sections;
    for (const Entry& entry : entries_) {
        std::string section = entry.key.substr(0, entry.key.find('.'));
        if (std::find(sections.begin(), sections.end(), section) == sections.end()) {
            sections.push_back(std::move(section));
        }
    }
    for (const std::string& section : sections) {
        out += fmt::format("\n[{}]\n", section);
        for (const Entry& entry : entries_) {
            if (!entry.key.starts_with(section + ".")) continue;
            out += fmt::format("\n# {}\n# {}{}{}; default {}; example {}; {}", entry.text.sentence,
                               entry.type, entry.bounds.empty() ? "" : ", ", entry.bounds,
                               entry.default_text, entry.text.example, entry.environment);
            for (const std::string& alias : entry.aliases) out += fmt::format(" or {}", alias);
            out +=
                fmt::format("\n{} = {}\n", entry.key.substr(section.size() + 1), entry.current());
        }
    }
    return out;
}

}  // namespace vf
