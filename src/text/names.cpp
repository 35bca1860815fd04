#include "text/names.hpp"

#include <unicode/locid.h>
#include <unicode/unistr.h>

namespace vf::text {

std::string FoldCase(std::string_view text) {
    std::string out;
    icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())})
        .foldCase()
        .toUTF8String(out);
    return out;
}

std::string EnglishLanguageName(const std::string& tag) {
    icu::UnicodeString name;
    icu::Locale(tag.c_str()).getDisplayLanguage(icu::Locale::getEnglish(), name);
    std::string out;
    name.toUTF8String(out);
    return out;
}

}  // namespace vf::text
