#include "text/language_names.hpp"

#include <unicode/locid.h>
#include <unicode/unistr.h>

namespace vf::text {
namespace {

icu::Locale LocaleOf(std::string_view tag) {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Locale locale =
        icu::Locale::forLanguageTag({tag.data(), static_cast<std::int32_t>(tag.size())}, status);
    if (U_FAILURE(status) || locale.isBogus()) return icu::Locale::getRoot();
    return locale;
}

// What a subtag of private use means ICU does not know, and would write it as it is stored.
std::string_view WithoutPrivateUse(std::string_view tag) {
    return tag.substr(0, tag.find("-x-"));
}

std::string DisplayName(const icu::Locale& locale, const icu::Locale& in) {
    icu::UnicodeString name;
    locale.getDisplayName(in, name);
    std::string out;
    name.toUTF8String(out);
    return out;
}

}  // namespace

std::string CanonicalTag(std::string_view tag) {
    UErrorCode status = U_ZERO_ERROR;
    icu::Locale locale =
        icu::Locale::forLanguageTag({tag.data(), static_cast<std::int32_t>(tag.size())}, status);
    if (U_FAILURE(status) || locale.isBogus()) return "";
    locale.canonicalize(status);
    std::string out = locale.toLanguageTag<std::string>(status);
    return U_FAILURE(status) || out == "und" ? "" : out;
}

std::string LanguageName(std::string_view tag, std::string_view in) {
    const std::string_view known = WithoutPrivateUse(tag);
    const icu::Locale locale = LocaleOf(known);
    const std::string plain(locale.getLanguage());
    if (plain.empty()) return std::string(tag);
    for (const icu::Locale& target : {LocaleOf(WithoutPrivateUse(in)), icu::Locale::getEnglish()}) {
        icu::UnicodeString language;
        locale.getDisplayLanguage(target, language);
        std::string name;
        language.toUTF8String(name);
        if (!name.empty() && name != plain) return DisplayName(locale, target);
    }
    return std::string(tag);
}

}  // namespace vf::text
