#pragma once
// What both directions of PLS share, and the look at a document before any parser gets it.

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vf::text {

inline constexpr std::string_view kPlsNamespace = "http://www.w3.org/2005/01/pronunciation-lexicon";
// What PLS cannot say about a rule, as attributes of a vocabulary of ours that others skip.
inline constexpr std::string_view kOwnNamespace = "urn:voiceflow:pls";
inline constexpr const char* kCaseAttribute = "vf:case-sensitive";
inline constexpr const char* kBoundaryAttribute = "vf:word-boundaries";

// "Line 3, column 14: " for byte `at`; columns are characters from 1.
std::string PlaceIn(std::string_view xml, std::size_t at);

Error Malformed(std::string_view xml, std::size_t at, const std::string& what);

// Valid UTF-8, no document type, no entity but XML's five and numbers, elements that nest at most
// 16 deep, close in order and stand in one outermost element. Errors: pls_malformed.
Result<> GuardXml(std::string_view xml);

}  // namespace vf::text
