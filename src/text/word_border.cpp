#include "text/word_border.hpp"

#include <unicode/uchar.h>

#include "base/utf8.hpp"

namespace vf::text {
namespace {

// Marks that belong to the character before them are passed over, but not endlessly.
constexpr int kMostMarks = 8;

int KindOf(char32_t c) {
    if (c == 0x2019) return U_WB_MIDNUMLET;
    if (u_getIntPropertyValue(static_cast<UChar32>(c), UCHAR_LINE_BREAK) == U_LB_COMPLEX_CONTEXT) {
        return U_WB_OTHER;
    }
    return u_getIntPropertyValue(static_cast<UChar32>(c), UCHAR_WORD_BREAK);
}

bool IsGlue(int kind) {
    return kind == U_WB_EXTEND || kind == U_WB_FORMAT || kind == U_WB_ZWJ;
}

// The kind of the character before `at`, which moves to its start; -1: none.
int Before(std::string_view text, std::size_t& at) {
    for (int marks = 0; at > 0; ++marks) {
        --at;
        while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
        const int kind = KindOf(Utf8Decode(text.substr(at)));
        if (!IsGlue(kind) || marks >= kMostMarks) return kind;
    }
    return -1;
}

// The kind of the character at `at`, which moves behind it and its marks; -1: none.
int After(std::string_view text, std::size_t& at) {
    if (at >= text.size()) return -1;
    const int kind = KindOf(Utf8Decode(text.substr(at)));
    at += Utf8SequenceLength(text.substr(at));
    for (int marks = 0; at < text.size() && marks < kMostMarks; ++marks) {
        if (!IsGlue(KindOf(Utf8Decode(text.substr(at))))) break;
        at += Utf8SequenceLength(text.substr(at));
    }
    return kind;
}

bool IsLetter(int kind) {
    return kind == U_WB_ALETTER || kind == U_WB_HEBREW_LETTER;
}

bool JoinsLetters(int kind) {
    return kind == U_WB_MIDLETTER || kind == U_WB_MIDNUMLET || kind == U_WB_SINGLE_QUOTE;
}

bool JoinsDigits(int kind) {
    return kind == U_WB_MIDNUM || kind == U_WB_MIDNUMLET || kind == U_WB_SINGLE_QUOTE;
}

bool IsWordy(int kind) {
    return IsLetter(kind) || kind == U_WB_NUMERIC || kind == U_WB_KATAKANA;
}

}  // namespace

bool IsWordBorder(std::string_view text, std::size_t at) {
    if (at == 0 || at >= text.size()) return true;
    // A mark never starts anything.
    if (IsGlue(KindOf(Utf8Decode(text.substr(at))))) return false;
    std::size_t left = at;
    std::size_t right = at;
    const int before = Before(text, left);
    const int after = After(text, right);
    if (IsLetter(before) || before == U_WB_NUMERIC) {
        if (IsLetter(after) || after == U_WB_NUMERIC) return false;
    }
    if (before == U_WB_KATAKANA && after == U_WB_KATAKANA) return false;
    if (before == U_WB_EXTENDNUMLET && (IsWordy(after) || after == U_WB_EXTENDNUMLET)) return false;
    if (after == U_WB_EXTENDNUMLET && IsWordy(before)) return false;
    if (IsLetter(before) && JoinsLetters(after)) return !IsLetter(After(text, right));
    if (JoinsLetters(before) && IsLetter(after)) {
        if (IsLetter(Before(text, left))) return false;
    }
    if (before == U_WB_NUMERIC && JoinsDigits(after)) return After(text, right) != U_WB_NUMERIC;
    if (JoinsDigits(before) && after == U_WB_NUMERIC) return Before(text, left) != U_WB_NUMERIC;
    return true;
}

std::size_t PossessiveLength(std::string_view text, std::size_t at) {
    const std::string_view rest = at < text.size() ? text.substr(at) : std::string_view();
    for (const std::string_view mark : {"'s", "’s"}) {
        if (rest.starts_with(mark) && IsWordBorder(text, at + mark.size())) return mark.size();
    }
    return 0;
}

bool IsWordEnd(std::string_view text, std::size_t at) {
    return IsWordBorder(text, at) || PossessiveLength(text, at) > 0;
}

}  // namespace vf::text
