// SPDX-License-Identifier: GPL-3.0-or-later
#include "espeak/voices.hpp"

#include <espeak-ng/speak_lib.h>

#include <algorithm>
#include <cctype>

namespace vf::worker {
namespace {

// espeak-ng writes "en-gb-scotland" and "fa-latn"; a tag of ours has two-letter regions in
// capitals and scripts with one capital (RFC 5646, 2.1.1).
std::string ToTag(std::string_view language) {
    std::string tag;
    for (std::size_t at = 0; at < language.size();) {
        const std::size_t end = std::min(language.find('-', at), language.size());
        std::string part(language.substr(at, end - at));
        if (at > 0 && part.size() == 2) {
            std::ranges::transform(part, part.begin(), [](unsigned char c) {
                return static_cast<char>(std::toupper(c));
            });
        } else if (at > 0 && part.size() == 4 && !part.empty()) {
            part[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(part[0])));
        }
        tag += (at > 0 ? "-" : "") + part;
        at = end + 1;
    }
    return tag;
}

bool IsUsable(std::string_view language, std::string_view identifier) {
    return !language.empty() && language.size() <= 35 && !identifier.empty() &&
           !identifier.starts_with("mb/") &&  // other programs' voices
           !identifier.starts_with("!v/") &&  // variants without a language
           std::ranges::all_of(language, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
}

}  // namespace

std::vector<EspeakVoice> ListEspeakVoices() {
    std::vector<EspeakVoice> voices;
    const espeak_VOICE** list = espeak_ListVoices(nullptr);
    for (; list != nullptr && *list != nullptr; ++list) {
        const espeak_VOICE& from = **list;
        if (from.languages == nullptr || from.identifier == nullptr) continue;
        // A byte of priority, then the name of the voice's first language.
        const std::string_view language = from.languages + 1;
        if (!IsUsable(language, from.identifier)) continue;
        EspeakVoice voice;
        voice.id = "espeak-" + std::string(language);
        voice.name = std::string(from.name == nullptr ? language : from.name).substr(0, 64);
        voice.language = ToTag(language);
        voice.identifier = from.identifier;
        voice.gender = from.gender == 2 ? "female" : from.gender == 1 ? "male" : "neutral";
        voices.push_back(std::move(voice));
    }
    std::ranges::sort(voices, {}, [](const EspeakVoice& v) { return v.id + v.identifier; });
    const auto again = std::ranges::unique(voices, {}, &EspeakVoice::id);
    voices.erase(again.begin(), again.end());
    return voices;
}

}  // namespace vf::worker
