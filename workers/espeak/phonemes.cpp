// SPDX-License-Identifier: GPL-3.0-or-later
#include "espeak/phonemes.hpp"

#include <algorithm>

namespace vf::worker {
namespace {

constexpr std::size_t kMaxMnemonicBytes = 12;
constexpr std::size_t kMaxKnown = 20'000;
// espeak-ng's buffer for one word's phonemes has 200 places and is not guarded.
constexpr std::size_t kMaxGroupBytes = 100;
constexpr int kMostSteps = 4;
constexpr std::string_view kStress = "',%=";
// No brackets, which end phonemes; no "_", with which a voice could be changed.
constexpr std::string_view kSigns = "@:~^\"-.;#?*/&";

struct StandIn {
    std::string_view missing, instead;
};

// From one missing sound to the next nearer one that most languages have.
constexpr StandIn kStandIns[] = {
    {"y:", "y"},   {"y", "u"},     {"Y:", "Y"},   {"Y", "W"},    {"W", "3:"},   {"3:", "3"},
    {"3", "@"},    {"@", "e"},     {"A:", "a"},   {"A", "A:"},   {"a", "A"},    {"a:", "a"},
    {"a#", "a"},   {"0", "O"},     {"O:", "O"},   {"O", "o"},    {"o", "O"},    {"o:", "o"},
    {"E:", "E"},   {"E", "e"},     {"e", "E"},    {"e:", "e"},   {"I", "i"},    {"i", "i:"},
    {"i:", "i"},   {"I#", "I"},    {"U", "u"},    {"u", "u:"},   {"u:", "u"},   {"V", "a"},
    {"i\"", "i"},  {"u\"", "u"},   {"&", "a"},    {"A~", "A|n"}, {"E~", "E|n"}, {"O~", "O|n"},
    {"W~", "W|n"}, {"a~", "a|n"},  {"e~", "e|n"}, {"i~", "i|n"}, {"o~", "o|n"}, {"u~", "u|n"},
    {"aI", "a|I"}, {"aU", "a|U"},  {"eI", "e|I"}, {"OI", "O|I"}, {"OY", "O|Y"}, {"oU", "o|U"},
    {"@U", "@|U"}, {"n-", "@|n"},  {"m-", "@|m"}, {"l-", "@|l"}, {"N-", "@|N"}, {"r-", "@|r"},
    {"r\"", "R"},  {"Q\"", "r\""}, {"R", "r"},    {"*", "r"},    {"r.", "r"},   {"X", "x"},
    {"x", "h"},    {"Q", "g"},     {"C", "S;"},   {"S;", "S"},   {"Z;", "Z"},   {"s.", "S"},
    {"z.", "Z"},   {"Z", "S"},     {"S", "s"},    {"T", "t"},    {"D", "d"},    {"B", "b"},
    {"l^", "l|j"}, {"n^", "n|j"},  {"L", "l"},    {"l#", "l"},   {"l.", "l"},   {"n.", "n"},
    {"c", "k|j"},  {"J", "g|j"},   {"J^", "j"},   {"q", "k"},    {"?", "t"},    {"w#", "w"},
    {"v#", "v"},   {"w", "v"},     {"tS", "t|S"}, {"dZ", "d|Z"}, {"ts", "t|s"}, {"dz", "d|z"},
    {"tS;", "tS"}, {"dZ;", "dZ"},  {"pF", "p|f"}, {"N", "n"},    {"h", "x"},    {"z", "s"},
    {"v", "f"},    {"g", "k"},     {"b", "p"},    {"d", "t"},
};

// Before what follows, so that the two are not read as one mnemonic.
void Separate(std::string& out) {
    if (out.empty() || out.back() == ' ' || kStress.find(out.back()) != std::string_view::npos) {
        return;
    }
    out += '|';
}

bool IsMnemonic(std::string_view text) {
    return !text.empty() && text.size() <= kMaxMnemonicBytes &&
           std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      kSigns.find(c) != std::string_view::npos;
           });
}

}  // namespace

bool EspeakPhonemes::Knows(const std::string& voice, const std::string& mnemonic) {
    const std::string key = voice + ' ' + mnemonic;
    const auto found = known_.find(key);
    if (found != known_.end()) return found->second;
    if (known_.size() >= kMaxKnown) known_.clear();
    return known_[key] = probe_(mnemonic);
}

bool EspeakPhonemes::Append(const std::string& voice, const std::string& mnemonic, int depth,
                            std::string& out) {
    if (Knows(voice, mnemonic)) {
        Separate(out);
        out += mnemonic;
        return true;
    }
    const auto* found = std::ranges::find(kStandIns, mnemonic, &StandIn::missing);
    if (found == std::end(kStandIns) || depth == 0) return false;
    std::string_view rest = found->instead;
    while (!rest.empty()) {
        const std::string part(rest.substr(0, rest.find('|')));
        rest.remove_prefix(std::min(part.size() + 1, rest.size()));
        if (!Append(voice, part, depth - 1, out)) return false;
    }
    return true;
}

Result<std::string> EspeakPhonemes::For(const std::string& voice, std::string_view phonemes) {
    const Error wrong(ErrorKind::kInvalid, "invalid_pronunciation",
                      "there are no phonemes of this voice");
    std::string out;
    bool has_sound = false;
    std::size_t word = 0;  // where the group begins
    while (!phonemes.empty()) {
        const std::size_t end = std::min(phonemes.find_first_of("| "), phonemes.size());
        std::string_view token = phonemes.substr(0, end);
        const bool is_word_end = end < phonemes.size() && phonemes[end] == ' ';
        phonemes.remove_prefix(std::min(end + 1, phonemes.size()));
        while (!token.empty() && kStress.find(token[0]) != std::string_view::npos) {
            Separate(out);
            if (out.empty() || kStress.find(out.back()) == std::string_view::npos) out += token[0];
            token.remove_prefix(1);
        }
        // A space before the stress mark, which has just been written.
        if (out.size() - word > kMaxGroupBytes && !token.empty()) {
            const std::size_t at = std::min(out.find_last_not_of(kStress) + 1, out.size());
            out.insert(at, 1, ' ');
            word = at + 1;
        }
        if (!token.empty()) {
            if (!IsMnemonic(token)) return wrong;
            if (!Append(voice, std::string(token), kMostSteps, out)) return wrong;
            has_sound = true;
        }
        if (is_word_end && !out.empty() && out.back() != ' ') {
            out += ' ';
            word = out.size();
        }
    }
    if (!has_sound) return wrong;
    while (out.back() == ' ') out.pop_back();
    return out;
}

}  // namespace vf::worker
