#pragma once
// A text of several languages as a script: each sentence in the style of its own language.

#include <string>
#include <string_view>

#include "text/script.hpp"

namespace vf::text {

// One piece a sentence, its style's language detected (language.hpp); a sentence that does not say
// goes with the one before it, the first ones with the first that says. `original` is valid UTF-8.
// Script::language is the first one's; empty: nothing in the text says.
Script AutoLanguageScript(std::string_view original);

}  // namespace vf::text
