#pragma once
// What ICU knows, for those who may not include it. Pure; any thread.

#include <string>
#include <string_view>

namespace vf::text {

// For comparing without regard to case: Unicode's default folding.
std::string FoldCase(std::string_view text);

// "German" for "de".
std::string EnglishLanguageName(const std::string& tag);

}  // namespace vf::text
