#include "text/normalise_say.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "text/steps.hpp"

namespace vf::text::norm {
namespace {

std::string_view Written(const Captured& captured, std::string_view text) {
    return text.substr(captured.begin, captured.end - captured.begin);
}

std::string_view FractionOf(const Captured& captured, std::string_view text) {
    if (captured.fraction == 0) return {};
    return text.substr(captured.fraction, captured.end - captured.fraction);
}

bool IsZero(std::string_view digits) {
    return std::all_of(digits.begin(), digits.end(), [](char c) { return c == '0'; });
}

const std::string& Field(const Entry* entry, std::size_t field) {
    static const std::string none;
    return entry && field < entry->size() ? (*entry)[field] : none;
}

// "1990" as "nineteen nineties"; a language without a rule for it has none.
std::string Plural(std::string word) {
    if (word.ends_with("y")) return word.substr(0, word.size() - 1) + "ies";
    if (word.ends_with("x")) return word + "es";
    return word + "s";
}

class Sayer {
public:
    Sayer(const Rules& rules, const Found& found, std::string_view text)
        : rules_(rules), found_(found), text_(text), speller_(Speller::Of(rules)) {}

    // False: a value of it is missing or empty.
    bool Parts(const std::vector<SayPart>& parts, std::string& out) {
        bool whole = true;
        for (const SayPart& part : parts) {
            switch (part.kind) {
                case SayPart::Kind::kText: out += part.text; break;
                case SayPart::Kind::kStop:
                    if (SentenceEnds()) out += '.';
                    break;
                case SayPart::Kind::kSection: {
                    std::string inner;
                    if (Parts(part.inner, inner)) out += inner;
                    break;
                }
                case SayPart::Kind::kValue: {
                    const Captured& captured = found_.slots[static_cast<std::size_t>(part.slot)];
                    const std::string value = captured.is_set ? Value(part, captured) : "";
                    if (value.empty()) whole = false;
                    out += value;
                    break;
                }
            }
        }
        return whole;
    }

private:
    // The match took a full stop with it; whether that also ended a sentence.
    bool SentenceEnds() const {
        const std::string_view before = text_.substr(0, found_.end);
        std::string_view after = text_.substr(found_.end);
        if (!before.ends_with(".")) return false;
        std::size_t skip = 0;
        while (skip < after.size() && skip < 80 && IsSpace(Utf8Decode(after.substr(skip)))) {
            if (after[skip] == '\n') return true;
            skip += Utf8SequenceLength(after.substr(skip));
        }
        if (skip == after.size()) return true;
        if (skip == 0) {
            // A closing quote or bracket, and then the end or a new sentence.
            const std::size_t closed = after.find_first_not_of("\"')]");
            if (closed == std::string_view::npos) return true;
            if (closed == 0 || after[closed] != ' ') return false;
            skip = closed + 1;
        }
        after = after.substr(std::min(skip, after.size()));
        if (after.empty()) return true;
        const char32_t next = Utf8Decode(after);
        if (IsWordChar(next) && Fold(next) == next) return false;
        const std::size_t from = found_.end > 60 ? found_.end - 60 : 0;
        const std::string_view near = before.substr(Utf8Floor(before, from));
        return !StopIsInsideSentence(near, after, rules_.language);
    }

    bool IsOne(const Captured& number) const {
        const std::string digits = DigitsOf(number, text_);
        if (rules_.Word("plural") == "two") {  // French: less than two is one
            return digits == "1" || digits == "0";
        }
        return digits == "1" && number.fraction == 0;
    }

    // Counts what an entry names, in its gender.
    std::string Count(const Captured& number, const Entry* entry, std::size_t gender_field) {
        const bool feminine = Field(entry, gender_field) == "f";
        return speller_.Decimal(DigitsOf(number, text_), FractionOf(number, text_),
                                feminine ? "count_f" : "count");
    }

    std::string Minutes(const Captured& captured) {
        const std::string digits = DigitsOf(captured, text_);
        if (IsZero(digits)) return {};
        if (digits.size() == 2 && digits[0] == '0') {
            const std::string& zero = rules_.Word("zero_minute");
            const std::string one = speller_.Number(digits.substr(1));
            return zero.empty() ? one : zero + " " + one;
        }
        return speller_.Number(digits);
    }

    std::string Value(const SayPart& part, const Captured& captured) {
        const std::string& name = part.text;
        const auto* other =
            part.other < 0 ? nullptr : &found_.slots[static_cast<std::size_t>(part.other)];
        const auto field = static_cast<std::size_t>(part.field);
        if (name.empty() && captured.entry) return Field(captured.entry, field);
        if (name == "text") return std::string(Written(captured, text_));
        if (name == "letters") return Letters(rules_, Written(captured, text_));
        if (name == "web") return Web(rules_, Written(captured, text_));
        if (name == "phone") return Phone(rules_, Written(captured, text_));
        const std::string digits = DigitsOf(captured, text_);
        if (name == "digits") return speller_.Digits(digits);
        if (name == "minutes") return Minutes(captured);
        if (name == "count") return Count(captured, other ? other->entry : nullptr, 2);
        if (name == "plural" && other) {
            return Field(other->entry, field + (IsOne(captured) ? 0 : 1));
        }
        if (name == "money" && other && other->entry) {
            const Captured* minor = field > 0 ? &found_.slots[field] : nullptr;
            const bool has_minor = minor && minor->is_set;
            return MoneyWords(rules_, *other->entry, digits,
                              has_minor ? DigitsOf(*minor, text_) : std::string());
        }
        if (name == "fraction" && other) return Fraction(rules_, digits, DigitsOf(*other, text_));
        if (name == "decade") return Plural(speller_.Number(digits, "year"));
        if (name == "name" && part.table) {
            const std::size_t zeros = std::min(digits.find_first_not_of('0'), digits.size());
            const Entry* entry = part.table->Find(digits.substr(zeros));
            return Field(entry, field);
        }
        if (name.empty()) {
            if (digits.empty()) return std::string(Written(captured, text_));
            return speller_.Decimal(digits, FractionOf(captured, text_));
        }
        // A set of ICU's rules by its name among the words: ordinal, year, …
        const std::size_t zeros = std::min(digits.find_first_not_of('0'), digits.size() - 1);
        return speller_.Number(digits.substr(zeros), name);
    }

    const Rules& rules_;
    const Found& found_;
    std::string_view text_;
    Speller& speller_;
};

}  // namespace

std::string DigitsOf(const Captured& captured, std::string_view text) {
    const std::string_view written = Written(captured, text);
    switch (captured.kind) {
        case Element::Kind::kRoman:
        case Element::Kind::kRomanOne:
        case Element::Kind::kRomanMany:
        case Element::Kind::kRomanSmall: return std::to_string(RomanValue(written));
        default: break;
    }
    std::string digits;
    const std::size_t end = captured.fraction == 0 ? captured.end : captured.fraction;
    for (std::size_t at = captured.begin; at < end; ++at) {
        if (text[at] >= '0' && text[at] <= '9') digits += text[at];
    }
    return digits;
}

std::string MoneyWords(const Rules& rules, const Entry& names, const std::string& main,
                       std::string cents) {
    Speller& speller = Speller::Of(rules);
    const std::string counted = speller.Number(main, Field(&names, 4) == "f" ? "count_f" : "count");
    const bool one = main == "1" || (main == "0" && rules.Word("plural") == "two");
    const std::string& big = Field(&names, one ? 0 : 1);
    if (IsZero(cents)) return counted + " " + big;
    if (Field(&names, 2).empty()) return speller.Decimal(main, cents) + " " + big;
    if (cents.size() == 1) cents += '0';
    while (cents.size() > 1 && cents[0] == '0') cents.erase(0, 1);
    const std::string& small = Field(&names, cents == "1" ? 2 : 3);
    const std::string minor = speller.Number(cents, Field(&names, 5) == "f" ? "count_f" : "count");
    if (IsZero(main)) return minor + " " + small;
    std::string out = rules.Word("money");
    const auto put = [&out](std::string_view place, const std::string& value) {
        const std::size_t at = out.find(place);
        if (at != std::string::npos) out.replace(at, place.size(), value);
    };
    put("{main}", counted);
    put("{big}", big);
    put("{minor}", minor);
    put("{small}", small);
    return out;
}

std::string Fraction(const Rules& rules, const std::string& top, const std::string& bottom) {
    Speller& speller = Speller::Of(rules);
    const bool one = top == "1";
    if (const Table* names = rules.FindTable("denominator")) {
        if (const Entry* entry = names->Find(bottom)) {
            const std::string& whole = Field(entry, 2);
            if (one && !whole.empty()) return whole;
            return speller.Number(top, "count") + " " + Field(entry, one ? 0 : 1);
        }
    }
    if (rules.Word("fraction_ordinal").empty() || bottom.size() > 3) {
        return speller.Number(top) + " " + rules.Word("over") + " " + speller.Number(bottom);
    }
    std::string part = speller.Number(bottom, "ordinal");
    if (!one) part += rules.Word("fraction_ordinal");
    return speller.Number(top) + " " + part;
}

std::string Say(const Rules& rules, const Pattern& pattern, const Found& found,
                std::string_view text) {
    std::string out;
    Sayer(rules, found, text).Parts(pattern.say, out);
    return out;
}

}  // namespace vf::text::norm
