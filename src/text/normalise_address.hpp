#pragma once
// Addresses and numbers to call, as they stand in a text. Each gives the byte behind what begins at
// `at`, or `at` when nothing of the kind begins there. Pure; any thread.

#include <cstddef>
#include <string_view>

#include "text/normalise_rules.hpp"

namespace vf::text::norm {

// With or without a scheme; without one the end must be a known top domain. Names of files too.
std::size_t UrlEnd(const Rules& rules, std::string_view text, std::size_t at);
std::size_t EmailEnd(const Rules& rules, std::string_view text, std::size_t at);
// "+44 20 7946 0958", "(555) 123-4567": 7 to 15 digits in groups, with a sign that it is a number
// to call: a plus or brackets in front.
std::size_t PhoneEnd(std::string_view text, std::size_t at);

}  // namespace vf::text::norm
