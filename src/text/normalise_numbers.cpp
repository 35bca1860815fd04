// Numbers as words.
#include <unicode/rbnf.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "base/utf8.hpp"
#include "text/normalise_say.hpp"

namespace vf::text::norm {
namespace {

// One digit more and some languages' rules give up.
constexpr std::size_t kMostDigits = 15;

}  // namespace

struct Speller::Impl {
    explicit Impl(const icu::Locale& locale, UErrorCode& error)
        : format(icu::URBNF_SPELLOUT, locale, error) {}
    icu::RuleBasedNumberFormat format;
};

Speller::Speller(const Rules& rules) : rules_(rules) {
    UErrorCode error = U_ZERO_ERROR;
    impl_ = std::make_unique<Impl>(icu::Locale(rules.language.c_str()), error);
    if (U_FAILURE(error)) throw std::runtime_error("ICU spells no numbers in " + rules.language);
}

Speller::~Speller() = default;

Speller& Speller::Of(const Rules& rules) {
    thread_local std::map<const Rules*, std::unique_ptr<Speller>> all;
    auto& speller = all[&rules];
    if (!speller) speller = std::make_unique<Speller>(rules);
    return *speller;
}

bool Speller::Has(std::string_view words_key) const {
    return !rules_.Word(words_key).empty();
}

std::string Speller::Digits(std::string_view digits) {
    std::string out;
    for (const char c : digits) {
        if (!out.empty()) out += ' ';
        out += Number(std::string_view(&c, 1));
    }
    return out;
}

std::string Speller::Number(std::string_view digits, std::string_view words_key) {
    if (digits.empty()) return {};
    const bool zeros = digits.size() > 1 && digits[0] == '0' && words_key == "cardinal";
    if (zeros || digits.size() > kMostDigits) return Digits(digits);
    const std::string& named = rules_.Word(words_key);
    const icu::UnicodeString rule_set =
        icu::UnicodeString::fromUTF8(named.empty() ? rules_.Word("cardinal") : named);
    UErrorCode error = U_ZERO_ERROR;
    icu::UnicodeString wide;
    icu::FieldPosition position;
    const std::int64_t value = std::stoll(std::string(digits));
    impl_->format.format(value, rule_set, wide, position, error);
    if (U_FAILURE(error)) throw std::runtime_error("ICU has no rules " + named);
    wide.findAndReplace(icu::UnicodeString(static_cast<UChar>(0xAD)), icu::UnicodeString());
    std::string out;
    wide.toUTF8String(out);
    return out;
}

std::string Speller::Decimal(std::string_view digits, std::string_view fraction,
                             std::string_view words_key) {
    if (fraction.empty()) return Number(digits, words_key);
    std::string out = Number(digits) + " " + rules_.Word("point") + " ";
    // Some languages read what stands behind the comma as a number, its zeros before it.
    const bool as_number = rules_.Word("fraction") == "number" && fraction.size() <= 3;
    if (!as_number) return out + Digits(fraction);
    while (fraction.size() > 1 && fraction[0] == '0') {
        out += Number("0") + " ";
        fraction.remove_prefix(1);
    }
    return out + Number(fraction);
}

}  // namespace vf::text::norm
