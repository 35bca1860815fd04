#pragma once
// SSML's say-as. Pure; any thread.

#include <optional>
#include <string>
#include <string_view>

#include "text/normalise_rules.hpp"

namespace vf::text::norm {

// What is spoken for all of `text`; no value: it does not fit what it is said to be (letters as a
// number, no such month) or interpret-as is not known; it is then read as any text.
std::optional<std::string> SpeakAs(const Rules& rules, std::string_view text, const SayAs& say_as);

// Whether SpeakAs or the rules for text read this interpret-as.
bool KnowsSayAs(const SayAs& say_as);

}  // namespace vf::text::norm
