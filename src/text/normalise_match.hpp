#pragma once
// Looking for one variant of a pattern at one place of a text. Every element takes what it can and
// nothing is tried twice, so that a look costs no more than the pattern is long. Pure; any thread.

#include <array>
#include <cstddef>
#include <string_view>

#include "text/normalise_pattern.hpp"
#include "text/normalise_rules.hpp"

namespace vf::text::norm {

struct Captured {
    bool is_set = false;
    Element::Kind kind = Element::Kind::kLiteral;
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t fraction = 0;  // of a decimal: where its digits begin; 0: it has none
    const Entry* entry = nullptr;
};

struct Found {
    std::size_t begin = 0;  // what is replaced
    std::size_t end = 0;
    std::array<Captured, kMostSlots> slots;
};

bool Match(const Rules& rules, const Variant& variant, std::string_view text, std::size_t at,
           Found& found);

// The value of a Roman numeral as people write them (I to MMMCMXCIX); 0: it is none.
int RomanValue(std::string_view text);

}  // namespace vf::text::norm
