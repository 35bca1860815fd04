#include "text/normalise_say_as.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/utf8.hpp"
#include "text/normalise_say.hpp"
#include "text/steps.hpp"

namespace vf::text::norm {
namespace {

using Spoken = std::optional<std::string>;

bool IsDigit(char c) {
    return c >= '0' && c <= '9';
}

bool IsDigits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit);
}

std::string_view Trim(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\n");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1);
}

// The groups of digits in a text, and the words.
std::vector<std::string> Fields(std::string_view text) {
    std::vector<std::string> fields;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        const bool digits = IsDigit(text[at]);
        while (end < text.size()) {
            const char32_t c = Utf8Decode(text.substr(end));
            if (!IsWordChar(c) || (c < 0x80 && IsDigit(static_cast<char>(c))) != digits) break;
            end += Utf8SequenceLength(text.substr(end));
        }
        if (end > at) {
            fields.emplace_back(text.substr(at, end - at));
            at = end;
        } else {
            at += Utf8SequenceLength(text.substr(at));
        }
    }
    return fields;
}

std::string WithoutZeros(std::string_view digits) {
    const std::size_t zeros = std::min(digits.find_first_not_of('0'), digits.size() - 1);
    return std::string(digits.substr(zeros));
}

// "-1,234.5" as sign, digits and fraction.
struct Parsed {
    bool negative = false;
    std::string digits;
    std::string fraction;
};

std::optional<Parsed> ParseNumber(const Rules& rules, std::string_view text) {
    Parsed parsed;
    if (text.starts_with("-") || text.starts_with("−")) {
        parsed.negative = true;
        text.remove_prefix(text.starts_with("-") ? 1 : 3);
    } else if (text.starts_with("+")) {
        text.remove_prefix(1);
    }
    std::string decimal;
    Utf8Append(decimal, rules.decimal);
    bool behind = false;
    while (!text.empty()) {
        const char32_t c = Utf8Decode(text);
        const bool group = std::any_of(rules.groups.begin(), rules.groups.end(),
                                       [c](const std::u32string& g) { return g[0] == c; });
        if (c < 0x80 && IsDigit(static_cast<char>(c))) {
            (behind ? parsed.fraction : parsed.digits) += static_cast<char>(c);
        } else if (text.starts_with(decimal) && !behind) {
            behind = true;
        } else if (!group || behind) {
            return std::nullopt;
        }
        text.remove_prefix(Utf8SequenceLength(text));
    }
    if (parsed.digits.empty()) return std::nullopt;
    return parsed;
}

Spoken Cardinal(const Rules& rules, std::string_view text) {
    const auto parsed = ParseNumber(rules, text);
    if (!parsed) {
        const int roman = RomanValue(text);
        if (roman == 0) return std::nullopt;
        return Speller::Of(rules).Number(std::to_string(roman));
    }
    const std::string spoken =
        Speller::Of(rules).Decimal(WithoutZeros(parsed->digits), parsed->fraction);
    return parsed->negative ? rules.Word("minus") + " " + spoken : spoken;
}

Spoken Ordinal(const Rules& rules, std::string_view text) {
    std::size_t end = 0;
    while (end < text.size() && (IsDigit(text[end]) || text[end] == ',')) ++end;
    std::string digits(text.substr(0, end));
    std::erase(digits, ',');
    if (digits.empty()) {
        const int roman = RomanValue(text);
        if (roman == 0) return std::nullopt;
        digits = std::to_string(roman);
    }
    // "3rd", "3.", "3º"
    if (text.size() - end > 4) return std::nullopt;
    return Speller::Of(rules).Number(WithoutZeros(digits), "ordinal");
}

Spoken DigitByDigit(const Rules& rules, std::string_view text) {
    const std::string spoken = Phone(rules, text);
    return spoken.empty() ? std::nullopt : Spoken(spoken);
}

Spoken FractionOf(const Rules& rules, std::string_view text) {
    std::string whole;
    if (const std::size_t plus = text.find_first_of("+ "); plus != std::string_view::npos) {
        whole = Trim(text.substr(0, plus));
        text = Trim(text.substr(plus + 1));
        if (!IsDigits(whole)) return std::nullopt;
    }
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const std::string top(Trim(text.substr(0, slash)));
    const std::string bottom(Trim(text.substr(slash + 1)));
    if (!IsDigits(top) || !IsDigits(bottom)) return std::nullopt;
    const std::string part = Fraction(rules, WithoutZeros(top), WithoutZeros(bottom));
    if (whole.empty()) return part;
    return Speller::Of(rules).Number(WithoutZeros(whole)) + " " + rules.Word("and") + " " + part;
}

struct Date {
    std::string year;
    std::string month;
    std::string day;
};

// Which field of the text is what; "yyyymmdd" and the like are one field.
std::optional<Date> ParseDate(std::string_view text, std::string format, const Rules& rules) {
    std::vector<std::string> fields = Fields(text);
    std::erase_if(fields, [&](const std::string& field) {
        if (IsDigits(field)) return false;
        const Table* months = rules.FindTable("month");
        return !months || !months->Find(field);
    });
    if (format.empty()) {
        format = rules.Word("date_order");
        if (!fields.empty() && fields[0].size() == 4 && IsDigits(fields[0])) format = "ymd";
        if (fields.size() == 2) std::erase(format, 'y');
        if (fields.size() == 1 && fields[0].size() == 4) format = "y";
    }
    if (fields.size() == 1 && format.size() > 1 && IsDigits(fields[0])) {
        const std::string all = fields[0];
        const bool long_year = all.size() == 2 * format.size() + 2;
        if (!long_year && all.size() != 2 * format.size()) return std::nullopt;
        fields.clear();
        std::size_t at = 0;
        for (const char c : format) {
            const std::size_t size = c == 'y' && long_year ? 4 : 2;
            fields.push_back(all.substr(at, size));
            at += size;
        }
    }
    if (fields.size() != format.size()) return std::nullopt;
    Date date;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        (format[i] == 'y' ? date.year : format[i] == 'm' ? date.month : date.day) = fields[i];
    }
    return date;
}

Spoken SpeakDate(const Rules& rules, std::string_view text, const std::string& format) {
    std::string order;
    for (const char c : format) {
        // "yyyymmdd" and "mdy" say the same; "." and "-" between them nothing.
        if ((c == 'y' || c == 'm' || c == 'd') && (order.empty() || order.back() != c)) order += c;
    }
    if (order.empty() && !format.empty()) return std::nullopt;
    const auto date = ParseDate(text, order, rules);
    if (!date) return std::nullopt;
    Speller& speller = Speller::Of(rules);
    std::string month;
    if (!date->month.empty()) {
        const bool digits = IsDigits(date->month);
        const Table* table = rules.FindTable(digits ? "month_number" : "month");
        const Entry* entry =
            table ? table->Find(digits ? WithoutZeros(date->month) : date->month) : nullptr;
        if (!entry) return std::nullopt;
        month = entry->front();
    }
    std::string day;
    if (!date->day.empty()) {
        if (!IsDigits(date->day) || date->day.size() > 2 || std::stoi(date->day) > 31 ||
            std::stoi(date->day) < 1) {
            return std::nullopt;
        }
        const std::string number = WithoutZeros(date->day);
        const bool first = number == "1" && speller.Has("day_first");
        day = first                          ? rules.Word("day_first")
              : rules.Word("day") == "ordinal" ? speller.Number(number, "day_ordinal")
                                             : speller.Number(number);
    }
    std::string year;
    if (!date->year.empty()) {
        if (!IsDigits(date->year) || date->year.size() > 4) return std::nullopt;
        year = date->year.size() == 2 && date->year[0] == '0' ? speller.Digits(date->year)
                                                              : speller.Number(date->year, "year");
    }
    std::string out;
    const auto put = [&out](const std::string& part, const std::string& join) {
        if (part.empty()) return;
        if (!out.empty()) out += join;
        out += part;
    };
    if (rules.Word("date_order") == "mdy") {
        put(month, " ");
        put(day, " ");
        put(year, day.empty() ? " " : ", ");
    } else {
        put(day, " ");
        put(month, rules.Word("before_month"));
        put(year, rules.Word("before_year"));
    }
    return out.empty() ? std::nullopt : Spoken(out);
}

// "14:30", "2:05 pm", "1'21\"": hours first, or minutes and seconds when quotes say so.
Spoken SpeakTime(const Rules& rules, std::string_view text) {
    if (text.find_first_of("'\"") != std::string_view::npos) {
        const std::vector<std::string> fields = Fields(text);
        if (fields.empty() || fields.size() > 2 || !IsDigits(fields[0])) return std::nullopt;
        const Table* units = rules.FindTable("duration");
        std::string out;
        std::size_t unit = text.find('\'') == std::string_view::npos ? 1 : 0;
        for (const std::string& field : fields) {
            const Entry* entry = units ? units->Find(unit++ == 0 ? "m" : "s") : nullptr;
            if (!entry || !IsDigits(field)) return std::nullopt;
            const std::string number = WithoutZeros(field);
            if (!out.empty()) out += " ";
            out += Speller::Of(rules).Number(number, "count") + " " +
                   (*entry)[number == "1" ? 0 : 1];
        }
        return out;
    }
    return std::nullopt;  // the rules for text know times of day
}

Spoken Characters(const Rules& rules, std::string_view text) {
    const std::string spoken = Letters(rules, text);
    return spoken.empty() ? std::nullopt : Spoken(spoken);
}

// "1-800-FLOWERS" is dialled by its letters.
Spoken Telephone(const Rules& rules, std::string_view text) {
    const bool letters = std::any_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    });
    if (!letters) return DigitByDigit(rules, text);
    std::string out;
    for (const std::string& field : Fields(text)) {
        if (!out.empty()) out += ", ";
        out += IsDigits(field) ? Speller::Of(rules).Digits(field) : Letters(rules, field);
    }
    return out.empty() ? std::nullopt : Spoken(out);
}

// "12.50" with the currency's code as format or detail.
Spoken Currency(const Rules& rules, std::string_view text, const std::string& code) {
    const Table* money = rules.FindTable("money");
    const Entry* entry = money && !code.empty() ? money->Find(code) : nullptr;
    const auto parsed = ParseNumber(rules, text);
    if (!entry || !parsed) return std::nullopt;
    return MoneyWords(rules, *entry, parsed->digits, parsed->fraction);
}

}  // namespace

std::optional<std::string> SpeakAs(const Rules& rules, std::string_view written,
                                   const SayAs& say_as) {
    const std::string_view text = Trim(written);
    if (text.empty()) return std::nullopt;
    const std::string as = Folded(say_as.interpret_as);
    const std::string format = Folded(say_as.format);
    if (as == "characters" || as == "spell-out" || as == "verbatim" || as == "letters") {
        return Characters(rules, text);
    }
    if (as == "cardinal" || as == "number") {
        if (as == "number" && format == "ordinal") return Ordinal(rules, text);
        if (as == "number" && format == "digits") return DigitByDigit(rules, text);
        if (as == "number" && format == "telephone") return Telephone(rules, text);
        return Cardinal(rules, text);
    }
    if (as == "ordinal") return Ordinal(rules, text);
    if (as == "digits" || as == "number_digit") return DigitByDigit(rules, text);
    if (as == "telephone") return Telephone(rules, text);
    if (as == "currency") {
        return Currency(rules, text, say_as.format.empty() ? say_as.detail : say_as.format);
    }
    if (as == "fraction") return FractionOf(rules, text);
    if (as == "date") return SpeakDate(rules, text, format);
    if (as == "time") return SpeakTime(rules, text);
    if (as == "expletive") return std::string("beep");
    if (as == "name") return std::string(text);
    return std::nullopt;  // unit, address and the rest: the rules for text say them best
}

bool KnowsSayAs(const SayAs& say_as) {
    constexpr std::array<std::string_view, 18> kKnown{
        "characters", "spell-out", "verbatim",     "letters",  "cardinal", "number",
        "ordinal",    "digits",    "number_digit", "fraction", "unit",     "date",
        "time",       "telephone", "currency",     "address",  "name",     "expletive"};
    return std::find(kKnown.begin(), kKnown.end(), Folded(say_as.interpret_as)) != kKnown.end();
}

}  // namespace vf::text::norm
