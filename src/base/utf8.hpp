#pragma once
// UTF-8 without a library: validity, counting, and cutting at character borders. "Character" means
// Unicode code point, as everywhere in the product.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vf {

// Length in bytes (1 to 4) of the well-formed sequence that `text` starts with; 0 when `text` is
// empty or does not start with one (overlong forms, surrogates and values above U+10FFFF are not
// well-formed: Unicode 15, table 3-7).
std::size_t Utf8SequenceLength(std::string_view text);

// Byte position of the first malformed sequence, or no value when all of `text` is valid.
std::optional<std::size_t> Utf8FindInvalid(std::string_view text);

// Number of code points; `text` must be valid.
std::size_t Utf8Count(std::string_view text);

// The largest character border that is not above `limit`.
std::size_t Utf8Floor(std::string_view text, std::size_t limit);

// Decodes the sequence at the start of `text`, which must be valid and not empty.
char32_t Utf8Decode(std::string_view text);

void Utf8Append(std::string& out, char32_t code_point);

}  // namespace vf
