#include "text/normalise.hpp"

#include <unicode/uvernum.h>

#include <array>

#include "base/utf8.hpp"
#include "text/normalise_match.hpp"
#include "text/normalise_markup.hpp"
#include "text/normalise_rules.hpp"
#include "text/normalise_say.hpp"
#include "text/normalise_say_as.hpp"
#include "text/steps.hpp"

namespace vf::text {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(NormaliseRule::kCount)> kNames{
    "cardinals", "ordinals",  "years",  "decimals",      "money",    "percentages", "units",
    "dates",     "times",     "telephone", "ranges",     "fractions", "roman",      "abbreviations",
    "initials",  "email",     "urls",   "versions",      "symbols"};

const std::vector<std::uint32_t>* VariantsAt(const norm::Rules& rules, char32_t c) {
    const char32_t folded = norm::Fold(c);
    if (folded < 128) return &rules.by_ascii[folded];
    const auto found = rules.by_other.find(folded);
    return found == rules.by_other.end() ? nullptr : &found->second;
}

// Templates put spaces around a word for a sign; where some stand already they are not needed.
std::string_view WithoutDoubleSpaces(std::string_view spoken, std::string_view before,
                                     std::string_view text, std::size_t end) {
    if (spoken.starts_with(' ') && (before.empty() || IsSpace(static_cast<unsigned char>(before.back())))) {
        spoken.remove_prefix(1);
    }
    if (spoken.ends_with(' ') && (end >= text.size() || text[end] == ' ')) spoken.remove_suffix(1);
    return spoken;
}

// One walk over the text. At the start of every word and number, and at every sign, the patterns
// that can begin there are tried in the order of the data; the first that fits is spoken.
MappedText ApplyRules(const MappedText& source, const norm::Rules& rules,
                      const NormaliseOptions& options) {
    const std::string_view text = source.text();
    MappedText out;
    norm::Found found;
    std::size_t kept = 0;
    bool in_word = false;
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = static_cast<unsigned char>(text[at]);
        const char32_t c = byte < 0x80 ? byte : Utf8Decode(text.substr(at));
        const std::size_t next = at + (byte < 0x80 ? 1 : Utf8SequenceLength(text.substr(at)));
        const bool was_in_word = in_word;
        in_word = norm::IsWordChar(c);
        const auto* variants =
            c == ' ' || (in_word && was_in_word) ? nullptr : VariantsAt(rules, c);
        bool replaced = false;
        if (variants) {
            for (const std::uint32_t index : *variants) {
                const norm::Variant& variant = rules.variants[index];
                const norm::Pattern& pattern = rules.patterns[variant.pattern];
                if (!options.is_on(pattern.rule)) continue;
                if (!norm::Match(rules, variant, text, at, found)) continue;
                out.Append(source, kept, found.begin);
                const std::string spoken = norm::Say(rules, pattern, found, text);
                out.AppendReplaced(source, found.begin, found.end,
                                   WithoutDoubleSpaces(spoken, out.text(), text, found.end));
                at = kept = found.end;
                in_word = false;
                replaced = true;
                break;
            }
        }
        if (!replaced) at = next;
    }
    out.Append(source, kept, text.size());
    return out;
}

}  // namespace

std::string_view NormaliseRuleName(NormaliseRule rule) {
    return kNames[static_cast<std::size_t>(rule)];
}

std::optional<NormaliseRule> FindNormaliseRule(std::string_view name) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames[i] == name) return static_cast<NormaliseRule>(i);
    }
    return std::nullopt;
}

MappedText Normalise(const MappedText& text, std::string_view language,
                     const NormaliseOptions& options, const SayAs& say_as) {
    const norm::Rules* rules = norm::RulesFor(language.empty() ? "en" : language);
    if (!say_as.interpret_as.empty()) {
        const norm::Rules* spelling = rules ? rules : norm::RulesFor("en");
        if (auto spoken = norm::SpeakAs(*spelling, text.text(), say_as)) {
            MappedText out;
            out.AppendReplaced(text, 0, text.text().size(), *spoken);
            return out;
        }
        if (rules && norm::KnowsSayAs(say_as)) return ApplyRules(text, *rules, {});
    }
    if (!options.enabled) return text;
    const MappedText plain = norm::TreatMarkup(text, language, options);
    return rules ? ApplyRules(plain, *rules, options) : plain;
}

std::string_view NormaliserVersion() {
    static const std::string version = [] {
        std::uint64_t hash = 0xCBF29CE484222325U;
        for (const auto& [language, text] : norm::RuleDocuments()) {
            for (const char c : text) {
                hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
            }
        }
        // The first number grows with the code that reads the rules.
        return "1." + std::to_string(hash) + "." U_ICU_VERSION;
    }();
    return version;
}

void WarmUpNormaliser() {
    for (const auto& [language, text] : norm::RuleDocuments()) {
        const norm::Rules* rules = norm::RulesFor(language);
        norm::Speller::Of(*rules).Number("1");
    }
    Normalise(MappedText::Of("1 🙂"), "en", {.emoji = Symbols::kRead});
}

}  // namespace vf::text
