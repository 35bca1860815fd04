#pragma once
// Phonemes in the alphabets that callers and engines write them in. IPA is what stands between.
// Pure; any thread.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vf::text {

enum class PhonemeAlphabet {
    kIpa,
    kXSampa,
    kCmu,     // ARPAbet as in the CMU dictionary: "HH AH0 L OW1", stress digits optional
    kFlite,   // flite's US phone set: "hh ax l ow1"
    kEspeak,  // espeak-ng's mnemonics as between [[ and ]]: "h@l'oU"; written "h|@|l|'oU"
};

// "ipa", "x-sampa", "cmu-arpabet" (also "cmu", "arpabet"), "flite", "espeak".
std::optional<PhonemeAlphabet> FindPhonemeAlphabet(std::string_view name);

// Into IPA with stress marks before the syllable's onset and "." or space between syllables or
// words kept. Error: kInvalid "invalid_phonemes" that names the symbol and its place.
Result<std::string> ToIpa(PhonemeAlphabet from, std::string_view phonemes);

// From IPA. Sounds that the alphabet lacks become its nearest one (documented in the table); what
// is no IPA at all is an error as above.
Result<std::string> FromIpa(PhonemeAlphabet to, std::string_view ipa);

// An engine's name of one phoneme as IPA; "" for silence ("pau", "_:"), the name itself when it is
// not known.
std::string EnginePhonemeToIpa(PhonemeAlphabet engine, std::string_view phoneme);

// One IPA string as its phones, each with its diacritics and length mark, without stress marks and
// what is no IPA. The usual diphthongs (aɪ, oʊ, …) and tʃ, dʒ are one phone; so is what a tie
// joins.
std::vector<std::string> SplitIpa(std::string_view ipa);

// Azure's viseme id of one IPA phone, 0 (silence, or nothing that is IPA) to 21 (speech-services
// documentation, "Map phonemes to visemes"); phones of other languages go to the nearest in place
// of articulation.
int VisemeOf(std::string_view ipa_phone);

}  // namespace vf::text
