#pragma once
// Unicode's word boundaries (UAX #29, rules WB4 to WB13) at one place of a text, told from the
// characters around it alone: a search can ask at any place without walking the whole text. Between
// characters of scripts that are written without spaces (Thai, Lao, Khmer, Burmese) every place is
// a border. Pure; any thread.

#include <cstddef>
#include <string_view>

namespace vf::text {

// Whether no word goes on over byte `at`, which must be a character border of valid UTF-8.
bool IsWordBorder(std::string_view text, std::size_t at);

// The same; and before an English possessive "'s", which is no part of the word it follows.
bool IsWordEnd(std::string_view text, std::size_t at);

// Bytes of the possessive "'s" (or "’s") at `at`, when a word ends behind it; else 0.
std::size_t PossessiveLength(std::string_view text, std::size_t at);

}  // namespace vf::text
