#include "text/language.hpp"

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

#include <algorithm>
#include <array>

#include "base/utf8.hpp"
#include "text/steps.hpp"

namespace vf::text {
namespace {

constexpr std::size_t kEnough = 2000;  // bytes that are looked at
constexpr int kFewestLetters = 4;      // and one for a script that writes words in a sign
// Of the text that is in the language found; below it the text is a mixture.
constexpr int kFewestPercent = 60;
// Answer for short texts too (CLD2's "best effort").
constexpr int kBestEffort = 0x4000;

// Old and vendor's codes as BCP 47 has them today.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kModern{
    {{"iw", "he"}, {"in", "id"}, {"jw", "jv"}, {"no", "nb"}, {"tl", "fil"}, {"mo", "ro"}}};

}  // namespace

std::string DetectLanguage(std::string_view text) {
    text = text.substr(0, Utf8Floor(text, kEnough));
    int letters = 0;
    for (std::size_t at = 0; at < text.size() && letters < kFewestLetters;) {
        const char32_t c = Utf8Decode(text.substr(at));
        if (IsSpeakable(c) && !(c >= '0' && c <= '9')) letters += c >= 0x2E80 ? 2 : 1;
        at += Utf8SequenceLength(text.substr(at));
    }
    if (letters < kFewestLetters) return {};
    std::array<CLD2::Language, 3> languages{};
    std::array<int, 3> percents{};
    std::array<double, 3> scores{};
    int bytes = 0;
    bool is_reliable = false;
    const CLD2::CLDHints no_hints{nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE};
    const CLD2::Language found = CLD2::ExtDetectLanguageSummary(
        text.data(), static_cast<int>(text.size()), true, &no_hints, kBestEffort, languages.data(),
        percents.data(), scores.data(), nullptr, &bytes, &is_reliable);
    if (found == CLD2::UNKNOWN_LANGUAGE || found == CLD2::TG_UNKNOWN_LANGUAGE) return {};
    if (!is_reliable && percents[0] < kFewestPercent) return {};
    std::string_view code = CLD2::LanguageCode(found);
    code = code.substr(0, code.find('-'));
    // CLD2 has codes of its own for scripts and for joke languages.
    if (code.size() > 3 || code.empty()) return {};
    const auto modern = std::find_if(kModern.begin(), kModern.end(),
                                     [code](const auto& pair) { return pair.first == code; });
    return std::string(modern == kModern.end() ? code : modern->second);
}

}  // namespace vf::text
