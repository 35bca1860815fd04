#pragma once
// The values that SSML's attributes have: text to numbers, within what is possible. Each returns
// nothing for what it cannot read. docs/ssml.md has the table.

#include <chrono>
#include <optional>
#include <string_view>

#include "text/script.hpp"

namespace vf::text {

// "500ms", "1.5s", "+2s"; not negative.
std::optional<std::chrono::milliseconds> ReadTime(std::string_view value);
// "none", "x-weak", … "x-strong".
std::optional<std::chrono::milliseconds> ReadStrength(std::string_view value);

// Changes one member of a style that has its surroundings' value; false: not understood.
// Factor ("1.5"), percent ("150%", "+50%"), words ("slow").
bool ApplyRate(std::string_view value, Style& style);
// "+2st", "-10%", "+20Hz", "180Hz", words ("high"). Hertz are taken from a voice of 150 Hz.
bool ApplyPitch(std::string_view value, Style& style);
// "+50%", "150%", "1.5", "+2st", words.
bool ApplyRange(std::string_view value, Style& style);
// "+6dB", "80" (of 100), "+10", "-20%", words.
bool ApplyVolume(std::string_view value, Style& style);
// "strong", "moderate", "reduced", "none".
bool ApplyEmphasis(std::string_view level, Style& style);

// Like a BCP 47 tag: parts of 1 to 8 letters and digits with "-" between them.
bool IsLanguageTag(std::string_view value);

std::string_view Trim(std::string_view text);

}  // namespace vf::text
