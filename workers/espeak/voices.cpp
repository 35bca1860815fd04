// SPDX-License-Identifier: GPL-3.0-or-later
#include "espeak/voices.hpp"

#include <espeak-ng/speak_lib.h>

#include <algorithm>
#include <cctype>
#include <iterator>

namespace vf::worker {
namespace {

struct Tag {
    std::string_view language, tag;
};

// What espeak-ng calls otherwise than RFC 5646 and CLDR do.
constexpr Tag kTags[] = {
    {"cmn", "zh"},
    {"cmn-latn-pinyin", "zh-Latn-pinyin"},
    {"en-us-nyc", "en-US-x-nyc"},
    {"piqd", "tlh"},
    {"py", "art-x-pyash"},
};

struct Limit {
    std::string_view language, reason;
};

constexpr std::string_view kNoVowels =
    "many words lose their vowels, which the script does not write.";
constexpr std::string_view kNoOrder = "words are cut wrongly and lose vowels.";
constexpr std::string_view kUnchecked = "nobody has checked that it reads the language well.";

// Of espeak-ng 1.51 as Debian 12 has it; measured over tests/fixtures/languages.tsv.
constexpr Limit kLimits[] = {
    {"ar", kNoVowels},
    {"as", "letters with a dot below are spelled."},
    {"cmn", "most characters are read as English syllables, for their dictionary is missing."},
    {"cmn-latn-pinyin", "it reads Pinyin with tone numbers only."},
    {"fa-latn", "it reads Persian in Latin letters only."},
    {"hak", "it reads Latin letters only; characters become \"Chinese letter\"."},
    {"he", kNoVowels},
    {"ja", "it reads kana only; kanji become \"Chinese letter\"."},
    {"kok", "words are spelled."},
    {"my", kNoOrder},
    {"piqd", kUnchecked},
    {"py", kUnchecked},
    {"qdb", kUnchecked},
    {"quc", kUnchecked},
    {"qya", kUnchecked},
    {"shn", kNoOrder},
    {"sjn", kUnchecked},
    {"th", kNoOrder},
    {"tn", "some vowels become consonants."},
};

std::string_view LimitsOf(std::string_view language) {
    const auto* found = std::ranges::find(kLimits, language, &Limit::language);
    return found == std::end(kLimits) ? std::string_view() : found->reason;
}

// espeak-ng writes "en-gb-scotland" and "fa-latn"; a tag of ours has two-letter regions in
// capitals and scripts with one capital (RFC 5646, 2.1.1).
std::string ToTag(std::string_view language) {
    const auto* other = std::ranges::find(kTags, language, &Tag::language);
    if (other != std::end(kTags)) return std::string(other->tag);
    std::string tag;
    bool is_private = false;  // behind "-x-" everything is lower case
    for (std::size_t at = 0; at < language.size();) {
        const std::size_t end = std::min(language.find('-', at), language.size());
        std::string part(language.substr(at, end - at));
        is_private = is_private || part == "x";
        if (is_private) {
            // As it is.
        } else if (at > 0 && part.size() == 2) {
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
        voice.limits = LimitsOf(language);
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
