#pragma once
// What is spoken for a match: the templates of the rules, and numbers spelled by ICU.

#include <cstdint>
#include <string>
#include <string_view>

#include "text/normalise_match.hpp"
#include "text/normalise_rules.hpp"

namespace vf::text::norm {

// Spells numbers in one language. ICU's formats keep state while they run: one for each thread.
class Speller {
public:
    static Speller& Of(const Rules& rules);  // this thread's

    // `digits` may be of any length and begin with zeros; what ICU cannot spell, and what begins
    // with a zero, is read digit by digit.
    std::string Number(std::string_view digits, std::string_view words_key = "cardinal");
    std::string Decimal(std::string_view digits, std::string_view fraction,
                        std::string_view words_key = "cardinal");
    std::string Digits(std::string_view digits);
    bool Has(std::string_view words_key) const;

    explicit Speller(const Rules& rules);
    ~Speller();

private:
    struct Impl;
    const Rules& rules_;
    std::unique_ptr<Impl> impl_;
};

// `text`: where the match was found.
std::string Say(const Rules& rules, const Pattern& pattern, const Found& found,
                std::string_view text);

// Only its digits: of a number with separators, of a Roman numeral.
std::string DigitsOf(const Captured& captured, std::string_view text);

// "one half", "three quarters".
std::string Fraction(const Rules& rules, const std::string& top, const std::string& bottom);
// An amount; `names` is a currency's entry. `cents` empty: whole.
std::string MoneyWords(const Rules& rules, const Entry& names, const std::string& main,
                       std::string cents);
// Letter by letter, with spaces between them, signs by their names.
std::string Letters(const Rules& rules, std::string_view text);
// Groups of digits with commas between them; a plus by its name.
std::string Phone(const Rules& rules, std::string_view text);
// An address of the web or of mail.
std::string Web(const Rules& rules, std::string_view text);

}  // namespace vf::text::norm
