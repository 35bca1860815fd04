#pragma once
// Patterns of the rules' data, compiled.

#include <string_view>
#include <vector>

#include "text/normalise_rules.hpp"

namespace vf::text::norm {

// Names of captures, by slot.
using Slots = std::vector<std::string>;
inline constexpr std::size_t kMostSlots = 10;

// Throws std::runtime_error.
std::vector<std::vector<Element>> CompileMatch(std::string_view source, const Rules& rules,
                                               Slots& slots);
std::vector<SayPart> CompileSay(std::string_view source, const Rules& rules, const Slots& slots);

}  // namespace vf::text::norm
