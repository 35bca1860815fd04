#pragma once
// Pronunciation Lexicon Specification 1.0 (W3C Recommendation, 14 October 2008), in and out.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "text/lexicon.hpp"

namespace vf::text {

struct PlsDocument {
    std::string language;            // xml:lang
    std::string alphabet = "ipa";    // of phonemes that name none
    std::vector<LexiconRule> rules;  // one for every grapheme; alias wins over phoneme
};

// Errors, kInvalid: pls_malformed (line and column), pls_not_a_lexicon, pls_invalid_value,
// pls_too_large (more than 1 MiB or Lexicon::kMaxRules), invalid_phonemes. No DTD.
Result<PlsDocument> ReadPls(std::string_view xml);
std::string WritePls(const PlsDocument& document);

}  // namespace vf::text
