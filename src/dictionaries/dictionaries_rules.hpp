#pragma once
// Rules as JSON: as they are stored, and as the native routes show them. Pure; any thread.

#include <string>
#include <string_view>

#include "base/json.hpp"
#include "dictionaries/dictionaries.hpp"

namespace vf::dictionaries {

// A whole array, compact. StoredRules throws std::runtime_error for what PrintRules did not write.
std::string PrintRules(const Rules& rules);
Rules StoredRules(std::string_view text);

// {"grapheme", "alias" | "phoneme" + "alphabet", "case_sensitive", "word_boundaries"}
json::object RuleJson(const text::LexiconRule& rule);

// One phoneme rule from what was written. `path` is a JSON pointer to the rule; errors are kInvalid
// "invalid_phonemes" and "unknown_alphabet" with it.
Result<text::LexiconRule> PhonemeRule(std::string grapheme, std::string phonemes,
                                      std::string alphabet, std::string_view path);

}  // namespace vf::dictionaries
