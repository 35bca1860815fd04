#pragma once
// Which language a sentence is written in. Pure; any thread.

#include <string>
#include <string_view>

namespace vf::text {

// A primary BCP 47 tag ("en", "de", "zh"), or "" when the text does not say: too short, of no
// language in particular, or too mixed. Trust it from 20 characters on; whoever asks has a language
// of their own to fall back to. `text` is valid UTF-8; of a long one the beginning is enough.
std::string DetectLanguage(std::string_view text);

}  // namespace vf::text
