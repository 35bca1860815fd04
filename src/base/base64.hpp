#pragma once
// Base64 of RFC 4648, section 4, with padding.

#include <optional>
#include <string>
#include <string_view>

namespace vf {

std::string Base64(std::string_view bytes);
// No value: not Base64, or not padded.
std::optional<std::string> FromBase64(std::string_view text);

}  // namespace vf
