#pragma once
// Written text as it is spoken: "$12.50" becomes "twelve dollars and fifty cents". Rules stand in
// data files (data/normalise/<language>.toml), numbers are spelled by ICU. What a rule does not
// know stays as it is. Pure after WarmUpNormaliser(); any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "text/mapped_text.hpp"
#include "text/script.hpp"

namespace vf::text {

// Each can be switched off by its name.
enum class NormaliseRule : std::uint8_t {
    kCardinals,      // "cardinals"
    kOrdinals,       // "ordinals"
    kYears,          // "years"
    kDecimals,       // "decimals"
    kMoney,          // "money"
    kPercentages,    // "percentages"
    kUnits,          // "units"
    kDates,          // "dates"
    kTimes,          // "times"
    kTelephone,      // "telephone"
    kRanges,         // "ranges"
    kFractions,      // "fractions"
    kRoman,          // "roman"
    kAbbreviations,  // "abbreviations"
    kInitials,       // "initials"
    kEmail,          // "email"
    kUrls,           // "urls"
    kVersions,       // "versions"
    kSymbols,        // "symbols": & + = @ # × / ~ < > and their like between words and numbers
    kCount
};
std::string_view NormaliseRuleName(NormaliseRule rule);
std::optional<NormaliseRule> FindNormaliseRule(std::string_view name);

enum class Symbols : std::uint8_t { kRemove, kRead };

struct NormaliseOptions {
    bool enabled = true;    // false: the text goes to the engine as it is written
    std::uint32_t off = 0;  // bit per NormaliseRule that is switched off
    Symbols emoji = Symbols::kRemove;     // read: by its short name
    Symbols markdown = Symbols::kRemove;  // of markup characters; read: left in the text

    bool is_on(NormaliseRule rule) const {
        return enabled && (off >> static_cast<unsigned>(rule) & 1U) == 0;
    }
};

// `text` is cleaned already (NFC, no control characters). `language` is BCP 47: rules exist for en,
// de, fr, es, it and pt; for others only emoji and markdown are touched. With a `say_as` the whole
// text is read as it says, whatever is switched off; text that does not fit it (letters as a date)
// is spelled or left as SSML's note on say-as allows.
MappedText Normalise(const MappedText& text, std::string_view language,
                     const NormaliseOptions& options, const SayAs& say_as = {});

// Another one with every change of the rules or of what they spell: part of a cache's key.
std::string_view NormaliserVersion();

// Loads the rules, and ICU's formats for the calling thread.
void WarmUpNormaliser();

}  // namespace vf::text
