#include "text/normalise_match.hpp"

#include <unicode/uchar.h>

#include <algorithm>
#include <cctype>

#include "base/utf8.hpp"
#include "text/steps.hpp"

namespace vf::text::norm {
namespace {

constexpr std::size_t kLongestAddress = 1000;
constexpr std::size_t kLongestWord = 60;

bool IsDigit(char c) {
    return c >= '0' && c <= '9';
}

char32_t At(std::string_view text, std::size_t at) {
    if (at >= text.size()) return 0;
    const auto byte = static_cast<unsigned char>(text[at]);
    return byte < 0x80 ? byte : Utf8Decode(text.substr(at));
}

std::size_t Width(char32_t c) {
    return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

char32_t Before(std::string_view text, std::size_t at) {
    if (at == 0) return 0;
    --at;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    return Utf8Decode(text.substr(at));
}

bool IsLineSpace(char32_t c) {
    return c != '\n' && c != 0 && IsSpace(c);
}

std::size_t Digits(std::string_view text, std::size_t at) {
    std::size_t end = at;
    while (end < text.size() && IsDigit(text[end])) ++end;
    return end - at;
}

// Behind "1,234,567" from its first digit; `at` when it is not grouped so.
std::size_t Grouped(const Rules& rules, std::string_view text, std::size_t at) {
    const std::size_t head = Digits(text, at);
    if (head == 0 || head > 3 || text[at] == '0') return at;
    for (const std::u32string& separators : rules.groups) {
        const char32_t separator = separators[0];
        std::size_t end = at + head;
        std::size_t groups = 0;
        while (At(text, end) == separator) {
            const std::size_t next = end + Width(separator);
            if (Digits(text, next) != 3) break;
            end = next + 3;
            ++groups;
        }
        if (groups > 0) return end;
    }
    return at;
}

std::size_t Letters(std::string_view text, std::size_t at) {
    std::size_t end = at;
    while (end < text.size() && end - at < kLongestWord) {
        const char32_t c = At(text, end);
        if (!IsWordChar(c) || (c >= '0' && c <= '9')) break;
        end += Width(c);
    }
    return end;
}

bool IsAddressByte(char c) {
    const auto byte = static_cast<unsigned char>(c);
    constexpr std::string_view kAllowed = "-._~:/?#[]@!$&'()*+,;=%";
    return byte >= 0x80 || std::isalnum(byte) || kAllowed.find(c) != std::string_view::npos;
}

// The end of what looks like an address, without the punctuation of the sentence around it.
std::size_t AddressEnd(std::string_view text, std::size_t at) {
    std::size_t end = at;
    while (end < text.size() && end - at < kLongestAddress && IsAddressByte(text[end])) ++end;
    end = Utf8Floor(text, end);
    const bool opened = text.substr(at, end - at).find('(') != std::string_view::npos;
    while (end > at) {
        const char last = text[end - 1];
        const bool closes = last == ')' && !opened;
        if (!closes && std::string_view(".,;:!?'*[]").find(last) == std::string_view::npos) break;
        --end;
    }
    return end;
}

// Letters, digits and hyphens with stops between them, the last one a known top domain.
std::size_t HostEnd(const Rules& rules, std::string_view text, std::size_t at, std::size_t limit,
                    bool any_domain) {
    std::size_t end = at;
    std::size_t label = at;
    bool dotted = false;
    while (end < limit) {
        const auto c = static_cast<unsigned char>(text[end]);
        if (c == '.') {
            if (end == label || end + 1 >= limit ||
                std::isalnum(static_cast<unsigned char>(text[end + 1])) == 0) {
                break;
            }
            dotted = true;
            label = end + 1;
        } else if (!std::isalnum(c) && c != '-' && c < 0x80) {
            break;
        }
        ++end;
    }
    if (end == label) return at;
    if (any_domain) return end;
    const Table* domains = rules.FindTable("domain");
    const std::string_view last = text.substr(label, end - label);
    return dotted && domains && domains->Find(last) ? end : at;
}

// `start` is ASCII in small letters.
bool StartsFolded(std::string_view text, std::string_view start) {
    if (text.size() <= start.size()) return false;
    for (std::size_t i = 0; i < start.size(); ++i) {
        if (Fold(static_cast<unsigned char>(text[i])) != static_cast<unsigned char>(start[i])) {
            return false;
        }
    }
    return true;
}

std::size_t Url(const Rules& rules, std::string_view text, std::size_t at) {
    const std::string_view rest = text.substr(at);
    std::size_t host = at;
    bool certain = false;
    for (const std::string_view scheme : {"https://", "http://", "ftp://", "wss://", "ws://"}) {
        if (StartsFolded(rest, scheme)) {
            host += scheme.size();
            certain = true;
            break;
        }
    }
    // Most words have no stop in them: decided before anything is walked.
    if (!certain) {
        std::size_t dot = at;
        while (dot < text.size() && dot - at < 64 &&
               (std::isalnum(static_cast<unsigned char>(text[dot])) || text[dot] == '-' ||
                text[dot] == '_')) {
            ++dot;
        }
        if (dot + 1 >= text.size() || text[dot] != '.') return at;
        // A file's name.
        std::size_t length = 0;
        const Table* extensions = rules.FindTable("extension");
        if (extensions && extensions->Longest(text.substr(dot + 1), length)) {
            return dot + 1 + length;
        }
        certain = StartsFolded(rest, "www.");
    }
    const std::size_t limit = AddressEnd(text, at);
    const std::size_t end = HostEnd(rules, text, host, limit, certain);
    if (end == host) return at;
    const char next = end < limit ? text[end] : ' ';
    if (next == '@') return at;
    const bool goes_on = next == '/' || next == ':' || next == '?' || next == '#';
    return goes_on ? limit : end;
}

std::size_t Email(const Rules& rules, std::string_view text, std::size_t at) {
    std::size_t local = at;
    while (local < text.size() && local - at < 64) {
        const auto c = static_cast<unsigned char>(text[local]);
        if (!std::isalnum(c) && std::string_view("._%+-").find(text[local]) == std::string_view::npos) {
            break;
        }
        ++local;
    }
    if (local == at || local >= text.size() || text[local] != '@') return at;
    const std::size_t limit = AddressEnd(text, at);
    if (limit <= local + 1) return at;
    const std::size_t end = HostEnd(rules, text, local + 1, limit, true);
    return text.substr(local, end - local).find('.') == std::string_view::npos ? at : end;
}

// "+44 20 7946 0958", "(555) 123-4567": 7 to 15 digits in groups, with a sign that it is a number
// to call: a plus or brackets in front.
std::size_t Phone(std::string_view text, std::size_t at) {
    std::size_t end = at;
    std::size_t digits = 0;
    bool marked = false;
    if (At(text, end) == '+') {
        marked = true;
        ++end;
    }
    std::size_t last = at;
    bool open = false;
    while (end < text.size() && end - at < 32) {
        const char c = text[end];
        if (IsDigit(c)) {
            ++digits;
            last = ++end;
        } else if (c == '(' && !open) {
            marked = marked || digits == 0;
            open = true;
            ++end;
        } else if (c == ')' && open) {
            open = false;
            last = ++end;
        } else if ((c == ' ' || c == '-' || c == '.' || c == '/') && digits > 0) {
            const std::size_t next = end + 1;
            if (next >= text.size() || (!IsDigit(text[next]) && text[next] != '(' &&
                                        (text[next] != ' ' || text[end] == ' '))) {
                break;
            }
            ++end;
        } else {
            break;
        }
    }
    return marked && !open && digits >= 7 && digits <= 15 ? last : at;
}

class Matcher {
public:
    Matcher(const Rules& rules, std::string_view text, std::size_t at, Found& found)
        : rules_(rules), text_(text), at_(at), found_(found) {}

    bool Run(const std::vector<Element>& elements) {
        found_.begin = at_;
        bool ends = false;
        for (const Element& element : elements) {
            if (element.kind == Element::Kind::kCoreBegins) {
                found_.begin = at_;
            } else if (element.kind == Element::Kind::kCoreEnds) {
                found_.end = at_;
                ends = true;
            } else if (!One(element)) {
                return false;
            }
        }
        context_end_ = at_;
        if (!ends) found_.end = at_;
        return true;
    }

    std::size_t context_end() const { return context_end_; }

private:
    bool One(const Element& element) {
        const std::size_t begin = at_;
        Captured captured;
        switch (element.kind) {
            case Element::Kind::kLiteral: return Literal(element);
            case Element::Kind::kSpaces:
            case Element::Kind::kMaySpaces:
                while (IsLineSpace(At(text_, at_))) at_ += Width(At(text_, at_));
                return at_ > begin || element.kind == Element::Kind::kMaySpaces;
            case Element::Kind::kSet: {
                const char32_t c = At(text_, at_);
                if (c == 0 || element.literal.find(c) == std::u32string::npos) return false;
                at_ += Width(c);
                break;
            }
            case Element::Kind::kInteger:
            case Element::Kind::kNumber:
            case Element::Kind::kDecimal:
            case Element::Kind::kFraction:
                if (!Number(element, captured)) return false;
                break;
            case Element::Kind::kTable: {
                std::size_t length = 0;
                captured.entry = element.table->Longest(text_.substr(at_), length);
                if (!captured.entry) return false;
                at_ += length;
                break;
            }
            case Element::Kind::kUrl: at_ = Url(rules_, text_, at_); break;
            case Element::Kind::kEmail: at_ = Email(rules_, text_, at_); break;
            case Element::Kind::kPhone: at_ = Phone(text_, at_); break;
            default:
                if (!Word(element.kind)) return false;
                break;
        }
        if (at_ == begin) return false;
        if (element.slot >= 0) {
            captured.is_set = true;
            captured.kind = element.kind;
            captured.begin = begin;
            captured.end = at_;
            found_.slots[static_cast<std::size_t>(element.slot)] = captured;
        }
        return true;
    }

    bool Literal(const Element& element) {
        for (const char32_t wanted : element.literal) {
            const char32_t c = At(text_, at_);
            if (c != wanted && (element.exact || Fold(c) != wanted)) return false;
            at_ += Width(c);
        }
        return true;
    }

    bool Word(Element::Kind kind) {
        const char32_t first = At(text_, at_);
        if (kind == Element::Kind::kUpper) {
            if (first == 0 || !u_isupper(static_cast<UChar32>(first))) return false;
            at_ += Width(first);
            return true;
        }
        if (kind == Element::Kind::kLower && !u_islower(static_cast<UChar32>(first))) return false;
        if (kind == Element::Kind::kCapital && !u_isupper(static_cast<UChar32>(first))) return false;
        std::size_t end = Letters(text_, at_);
        const bool roman = kind == Element::Kind::kRoman || kind == Element::Kind::kRomanOne ||
                           kind == Element::Kind::kRomanMany || kind == Element::Kind::kRomanSmall;
        if (roman) {
            // What follows may belong to it: "XIXe", "XXth".
            end = std::min(end, text_.find_first_not_of("IVXLCDM", at_));
            const int value = RomanValue(text_.substr(at_, end - at_));
            const bool small = value == 1 || value == 5 || value == 10;
            const bool one = end - at_ == 1;
            if (value == 0 || (kind == Element::Kind::kRomanOne && !(one && small)) ||
                (kind == Element::Kind::kRomanMany && one) ||
                (kind == Element::Kind::kRomanSmall && (one || value > 30))) {
                return false;
            }
        }
        at_ = end;
        return true;
    }

    bool Number(const Element& element, Captured& captured) {
        const std::size_t begin = at_;
        const std::size_t plain = Digits(text_, at_);
        if (plain == 0) return false;
        if (element.kind == Element::Kind::kInteger) {
            if (plain < static_cast<std::size_t>(element.fewest) ||
                plain > static_cast<std::size_t>(element.most)) {
                return false;
            }
            std::int64_t value = 0;
            for (std::size_t i = 0; i < plain; ++i) value = value * 10 + (text_[begin + i] - '0');
            if (value < element.low || value > element.high) return false;
            at_ = begin + plain;
            return true;
        }
        at_ = Grouped(rules_, text_, begin);
        if (at_ == begin) at_ = begin + plain;
        if (element.kind != Element::Kind::kNumber && At(text_, at_) == rules_.decimal) {
            const std::size_t fraction = at_ + Width(rules_.decimal);
            const std::size_t digits = Digits(text_, fraction);
            if (digits > 0) {
                captured.fraction = fraction;
                at_ = fraction + digits;
            }
        }
        return element.kind != Element::Kind::kFraction || captured.fraction != 0;
    }

    const Rules& rules_;
    std::string_view text_;
    std::size_t at_;
    Found& found_;
    std::size_t context_end_ = 0;
};

// "3.14" does not go on in "3.14.15", nor does "10" in "10:30".
bool JoinsDigits(char32_t c) {
    return c == '.' || c == ',' || c == ':' || c == '/' || c == '-' || c == 0x2013 || c == '\'' ||
           c == 0x2019;
}

bool LeftIsFree(std::string_view text, std::size_t at) {
    const char32_t before = Before(text, at);
    const char32_t first = At(text, at);
    if (before == 0 || !IsWordChar(first)) return true;
    if (IsWordChar(before) || before == '_') return false;
    if (first >= '0' && first <= '9') {
        return !JoinsDigits(before) || !IsDigit(static_cast<char>(
                                           Before(text, at - Width(before)) & 0x7F)) ||
               Before(text, at - Width(before)) >= 0x80;
    }
    return before != '@';
}

bool IsApart(std::string_view text, std::size_t at) {
    const char32_t before = Before(text, at);
    constexpr std::u32string_view kOpeners = U"([{\"'“‘«„‚";
    return before == 0 || IsSpace(before) || kOpeners.find(before) != std::u32string_view::npos;
}

bool IsBehindWord(std::string_view text, std::size_t at) {
    for (int spaces = 0; at > 0 && text[at - 1] == ' ' && spaces < 3; ++spaces) --at;
    const char32_t before = Before(text, at);
    constexpr std::u32string_view kClosers = U")]}\"'”’»%°";
    return before != 0 && (IsWordChar(before) || kClosers.find(before) != std::u32string_view::npos);
}

bool RightIsFree(std::string_view text, std::size_t at) {
    const char32_t last = Before(text, at);
    const char32_t after = At(text, at);
    if (after == 0 || !IsWordChar(last)) return true;
    if (IsWordChar(after) || after == '_') return false;
    if (last >= '0' && last <= '9' && JoinsDigits(after)) {
        const char32_t next = At(text, at + Width(after));
        return next < '0' || next > '9';
    }
    return true;
}

}  // namespace

bool Match(const Rules& rules, const Variant& variant, std::string_view text, std::size_t at,
           Found& found) {
    const Pattern& pattern = rules.patterns[variant.pattern];
    if (pattern.check_left && !LeftIsFree(text, at)) return false;
    if (pattern.apart && !IsApart(text, at)) return false;
    if (pattern.between && !IsBehindWord(text, at)) return false;
    found.slots = {};
    Matcher matcher(rules, text, at, found);
    if (!matcher.Run(variant.elements) || found.end == found.begin) return false;
    return !pattern.check_right || RightIsFree(text, matcher.context_end());
}

int RomanValue(std::string_view text) {
    struct Step {
        std::string_view digits;
        int value;
    };
    constexpr Step kSteps[] = {{"M", 1000}, {"CM", 900}, {"D", 500}, {"CD", 400}, {"C", 100},
                               {"XC", 90},  {"L", 50},   {"XL", 40}, {"X", 10},   {"IX", 9},
                               {"V", 5},    {"IV", 4},   {"I", 1}};
    if (text.empty() || text.size() > 15) return 0;
    int value = 0;
    for (const Step& step : kSteps) {
        int times = 0;
        while (text.starts_with(step.digits)) {
            text.remove_prefix(step.digits.size());
            value += step.value;
            if (++times > 3 || (times > 1 && (step.digits.size() > 1 || step.value == 5 ||
                                              step.value == 50 || step.value == 500))) {
                return 0;
            }
        }
    }
    return text.empty() ? value : 0;
}

}  // namespace vf::text::norm
