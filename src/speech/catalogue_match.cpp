#include "speech/catalogue_match.hpp"

#include <algorithm>
#include <cctype>
#include <tuple>

#include "engines/voice.hpp"

namespace vf::speech {
namespace {

std::string Lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

std::string_view Primary(std::string_view tag) {
    return tag.substr(0, tag.find('-'));
}

}  // namespace

bool IsLanguageTag(std::string_view tag) {
    if (tag.empty() || tag.size() > 35) return false;
    std::size_t part = 0;
    bool first = true;
    for (const char c : tag) {
        if (c == '-') {
            if (part == 0 || (first && part < 2)) return false;
            first = false;
            part = 0;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80 || !(first ? std::isalpha(byte) : std::isalnum(byte)) || ++part > 8) {
            return false;
        }
    }
    return first ? part >= 2 : part >= 1;
}

int LanguageMatch(const engines::Voice& voice, std::string_view language) {
    const std::string wanted = Lower(language);
    int best = 0;
    for (const std::string& tag : voice.languages) {
        const std::string spoken = Lower(tag);
        if (Primary(spoken) != Primary(wanted)) continue;
        int match = 1;
        if (spoken == wanted) {
            match = 3;
        } else if (spoken.find('-') == std::string::npos || wanted.find('-') == std::string::npos) {
            match = 2;
        }
        best = std::max(best, match);
    }
    return best;
}

int QualityRank(const engines::Voice& voice) {
    return voice.quality == "high" ? 2 : voice.quality == "standard" ? 1 : 0;
}

const engines::Voice* VoiceForLanguage(const engines::VoiceView& voices, std::string_view language,
                                       const std::string& default_voice) {
    const engines::Voice* best = nullptr;
    std::tuple<int, int, bool> best_rank{0, 0, false};
    for (const engines::Voice* voice : voices.catalogue().All()) {
        const int match = LanguageMatch(*voice, language);
        if (match == 0) continue;
        // A plain language and an exact tag are equally good when the voice is the default one.
        const std::tuple<int, int, bool> rank{std::min(match, 2), QualityRank(*voice),
                                              voice->id == default_voice};
        if (!best || rank > best_rank ||
            (rank == best_rank && match > LanguageMatch(*best, language))) {
            best = voice;
            best_rank = rank;
        }
    }
    return best;
}

}  // namespace vf::speech
