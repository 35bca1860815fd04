#pragma once
// What languages are called. Of ICU's data: constant for a build, any thread.

#include <string>
#include <string_view>

namespace vf::text {

// The canonical form of a BCP 47 tag: "EN-gb" -> "en-GB", "cmn" -> "zh". Empty when it is none.
std::string CanonicalTag(std::string_view tag);

// The name of a tag's language in the language `in`, both BCP 47: ("de", "en") -> "German",
// ("pt-BR", "pt-BR") -> "português (Brasil)". Where it has none in `in`: the English one, else the
// tag itself.
std::string LanguageName(std::string_view tag, std::string_view in);

// In the language itself: "Deutsch".
inline std::string NativeLanguageName(std::string_view tag) {
    return LanguageName(tag, tag);
}

}  // namespace vf::text
