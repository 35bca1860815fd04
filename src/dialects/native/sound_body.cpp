#include "dialects/native/sound_body.hpp"

namespace vf::native {
namespace {

std::optional<dictionaries::Locator> ReadLocator(std::string_view text) {
    const std::size_t at = text.find('@');
    const auto id = dictionaries::DictionaryId::Parse(text.substr(0, at));
    if (!id) return std::nullopt;
    if (at == std::string_view::npos) return dictionaries::Locator{*id, std::nullopt};
    const auto version = dictionaries::VersionId::Parse(text.substr(at + 1));
    if (!version) return std::nullopt;
    return dictionaries::Locator{*id, *version};
}

bool IsSymbols(const std::optional<std::string>& value) {
    return !value || *value == "remove" || *value == "read";
}

}  // namespace

void CheckBody(const NormalisationBody& body, json::Checker& check) {
    for (std::size_t i = 0; i < body.off.size(); ++i) {
        if (text::FindNormaliseRule(body.off[i])) continue;
        std::string names;
        for (unsigned rule = 0; rule < static_cast<unsigned>(text::NormaliseRule::kCount); ++rule) {
            if (!names.empty()) names += ", ";
            names += text::NormaliseRuleName(static_cast<text::NormaliseRule>(rule));
        }
        check.Fail("off", "unknown_rule", fmt::format("entry {} must be one of {}.", i, names));
    }
    if (!IsSymbols(body.emoji)) {
        check.Fail("emoji", "invalid_value", "must be \"remove\" or \"read\".");
    }
    if (!IsSymbols(body.markdown)) {
        check.Fail("markdown", "invalid_value", "must be \"remove\" or \"read\".");
    }
}

text::NormaliseOptions OptionsOf(const NormalisationBody& body) {
    text::NormaliseOptions options;
    options.enabled = body.enabled.value_or(true);
    for (const std::string& name : body.off) {
        options.off |= 1U << static_cast<unsigned>(*text::FindNormaliseRule(name));
    }
    if (body.emoji == "read") options.emoji = text::Symbols::kRead;
    if (body.markdown == "read") options.markdown = text::Symbols::kRead;
    return options;
}

std::string FormatNames() {
    std::string names;
    for (const audio::FormatInfo& info : audio::Formats()) {
        if (!names.empty()) names += ", ";
        names += info.name;
    }
    return names;
}

void CheckLocators(const std::vector<std::string>& texts, json::Checker& check) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (ReadLocator(texts[i])) continue;
        check.Fail(
            "dictionaries", "invalid_id",
            fmt::format("entry {} must be the id of a dictionary (dict_…), with \"@\" and the "
                        "id of a version (dver_…) behind it if need be.",
                        i));
    }
}

std::vector<dictionaries::Locator> LocatorsOf(const std::vector<std::string>& texts) {
    std::vector<dictionaries::Locator> locators;
    for (const std::string& text : texts) locators.push_back(*ReadLocator(text));
    return locators;
}

}  // namespace vf::native
