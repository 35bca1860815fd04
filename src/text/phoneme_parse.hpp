#pragma once
// IPA as units: what phonemes.hpp's conversions work on.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "text/phoneme_table.hpp"

namespace vf::text {

struct IpaUnit {
    enum class Kind { kSound, kPrimary, kSecondary, kSyllableEnd, kWordEnd };
    Kind kind = Kind::kSound;
    const Sound* sound = nullptr;    // of kSound
    std::vector<const Mark*> marks;  // of kSound, in order
    std::string text;                // as written, in the usual spelling

    bool is_vowel() const { return sound != nullptr && IsVowel(*sound); }
    bool is_long() const { return Has("ː"); }
    bool is_nasal() const { return Has("\u0303"); }
    bool is_syllabic() const { return Has("\u0329"); }

private:
    bool Has(std::string_view mark) const;
};

// Error: kInvalid invalid_phonemes, which names the first symbol that is no IPA and its place.
Result<std::vector<IpaUnit>> ParseIpa(std::string_view ipa);
// The same, without what is no IPA.
std::vector<IpaUnit> ParseIpaLeniently(std::string_view ipa);

// "The symbol "%" at character 3 is no <alphabet>." `at` counts bytes of `text`.
Error NoPhoneme(std::string_view text, std::size_t at, std::string_view alphabet);

}  // namespace vf::text
