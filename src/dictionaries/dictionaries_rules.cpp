#include "dictionaries/dictionaries_rules.hpp"

#include <stdexcept>

#include "text/phonemes.hpp"

namespace vf::dictionaries {
namespace {

using Kind = text::LexiconRule::Kind;

json::object Stored(const text::LexiconRule& rule) {
    json::object out{{"g", rule.grapheme}, {"v", rule.value}};
    if (rule.kind == Kind::kPhoneme) {
        out["a"] = rule.alphabet;
        out["s"] = rule.source;
    }
    if (!rule.case_sensitive) out["c"] = false;
    if (!rule.word_boundaries) out["w"] = false;
    return out;
}

std::string TextOf(const json::object& object, std::string_view name) {
    return std::string(object.at(name).as_string());
}

text::LexiconRule FromStored(const json::object& object) {
    text::LexiconRule rule;
    rule.grapheme = TextOf(object, "g");
    rule.value = TextOf(object, "v");
    if (object.contains("a")) {
        rule.kind = Kind::kPhoneme;
        rule.alphabet = TextOf(object, "a");
        rule.source = TextOf(object, "s");
    }
    rule.case_sensitive = !object.contains("c");
    rule.word_boundaries = !object.contains("w");
    return rule;
}

}  // namespace

std::string PrintRules(const Rules& rules) {
    json::array out;
    out.reserve(rules.size());
    for (const text::LexiconRule& rule : rules) out.push_back(Stored(rule));
    return json::Print(out);
}

Rules StoredRules(std::string_view text) {
    const Result<json::Parsed> parsed = json::Parse(text);
    if (!parsed || !parsed->root.is_array()) {
        throw std::runtime_error("stored rules of a dictionary cannot be read");
    }
    Rules rules;
    rules.reserve(parsed->root.get_array().size());
    for (const json::value& one : parsed->root.get_array()) {
        rules.push_back(FromStored(one.as_object()));
    }
    return rules;
}

json::object RuleJson(const text::LexiconRule& rule) {
    json::object out{{"grapheme", rule.grapheme}};
    if (rule.kind == Kind::kAlias) {
        out["alias"] = rule.value;
    } else {
        out["phoneme"] = rule.source;
        out["alphabet"] = rule.alphabet;
    }
    out["case_sensitive"] = rule.case_sensitive;
    out["word_boundaries"] = rule.word_boundaries;
    return out;
}

Result<text::LexiconRule> PhonemeRule(std::string grapheme, std::string phonemes,
                                      std::string alphabet, std::string_view path) {
    const std::string at(path);
    const auto known = text::FindPhonemeAlphabet(alphabet);
    if (!known) {
        const std::string words =
            "must be ipa, x-sampa or cmu-arpabet; \"" + alphabet + "\" is no alphabet here.";
        return Error(ErrorKind::kInvalid, "unknown_alphabet", "The alphabet of " + at + " " + words,
                     {{at + "/alphabet", "unknown_alphabet", words}});
    }
    Result<std::string> ipa = text::ToIpa(*known, phonemes);
    if (!ipa) {
        const std::string words = ipa.error().message();
        return Error(ErrorKind::kInvalid, "invalid_phonemes", at + ": " + words,
                     {{at + "/phoneme", "invalid_phonemes", words}});
    }
    text::LexiconRule rule;
    rule.grapheme = std::move(grapheme);
    rule.kind = Kind::kPhoneme;
    rule.value = *std::move(ipa);
    rule.alphabet = std::move(alphabet);
    rule.source = std::move(phonemes);
    return rule;
}

}  // namespace vf::dictionaries
