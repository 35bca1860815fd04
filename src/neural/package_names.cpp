// Names out of names: ids, language tags, what people read.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/utf8.hpp"
#include "neural/package.hpp"

namespace vf::neural {
namespace {

constexpr std::size_t kMostName = 60;

// A package's own text, fit for a list: short, one line, UTF-8.
std::string Shown(std::string name) {
    if (Utf8FindInvalid(name)) return {};
    std::erase_if(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
    if (name.size() > kMostName) name.resize(Utf8Floor(name, kMostName));
    return name;
}

}  // namespace

std::string LanguageTag(std::string_view text) {
    const std::size_t line = std::min(text.find_first_of("_-"), text.size());
    std::string tag(text.substr(0, line));
    const auto is_letter = [](unsigned char c) { return std::isalpha(c) != 0; };
    if (tag.size() < 2 || tag.size() > 3 || !std::ranges::all_of(tag, is_letter)) return {};
    std::ranges::transform(tag, tag.begin(), [](unsigned char c) { return std::tolower(c); });
    if (tag == "cmn") tag = "zh";
    std::string region(text.substr(std::min(line + 1, text.size())));
    region = region.substr(0, region.find_first_of("_-"));
    if (region.size() != 2 || !std::ranges::all_of(region, is_letter)) return tag;
    std::ranges::transform(region, region.begin(), [](unsigned char c) { return std::toupper(c); });
    return tag + "-" + region;
}

std::string SafeId(std::string_view text) {
    std::string id;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_kept = byte < 0x80 && (std::isalnum(byte) || c == '_' || c == '.');
        const char next = is_kept ? static_cast<char>(std::tolower(byte)) : '-';
        const bool is_doubled = next == '-' && (id.empty() || id.back() == '-');
        if (!is_doubled && !(id.empty() && !std::isalnum(byte))) id += next;
    }
    if (id.size() > 64) id.resize(64);
    while (!id.empty() && id.back() == '-') id.pop_back();
    return id;
}

std::string PeopleName(std::string_view id) {
    std::string name(id);
    const std::size_t first = name.find('-');
    // The language in front and the quality behind are told elsewhere.
    if (first != std::string::npos && !LanguageTag(name.substr(0, first)).empty()) {
        name.erase(0, first + 1);
        for (const std::string_view end : {"-x_low", "-low", "-medium", "-high"}) {
            if (name.size() > end.size() && name.ends_with(end)) {
                name.resize(name.size() - end.size());
                break;
            }
        }
    }
    for (char& c : name) {
        if (c == '_' || c == '-') c = ' ';
    }
    if (!name.empty())
        name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
    return Shown(std::move(name));
}

void NameVoices(Manifest& manifest) {
    std::set<std::string> taken;
    for (Speaker& speaker : manifest.speakers) {
        speaker.name = Shown(std::move(speaker.name));
        if (speaker.name.empty()) speaker.name = manifest.id;
        if (manifest.speakers.size() == 1) {
            speaker.voice = manifest.id;
            return;
        }
        const std::string base = speaker.voice.empty() ? std::string() : SafeId(speaker.voice);
        std::string id = fmt::format("{}-{}", manifest.id.substr(0, 40),
                                     base.empty() ? std::to_string(speaker.number) : base);
        id = SafeId(id);
        if (!taken.insert(id).second) {
            id = fmt::format("{}-{}", manifest.id.substr(0, 40), speaker.number);
            taken.insert(id);
        }
        speaker.voice = id;
    }
}

}  // namespace vf::neural
