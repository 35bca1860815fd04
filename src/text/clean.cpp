// What engines must not see leaves the text here, before anything else looks at it.
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include <stdexcept>

#include "base/utf8.hpp"
#include "text/steps.hpp"

namespace vf::text {
namespace {

// Of a stack of marks on one letter so many stay; more than any language writes.
constexpr int kMostMarks = 8;
// Marks are normalised with their letter; a longer run is cut (UAX #15, stream-safe text format,
// has 30 characters).
constexpr std::size_t kLongestCluster = 256;

const icu::Normalizer2& Nfc() {
    UErrorCode error = U_ZERO_ERROR;
    const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(error);
    if (U_FAILURE(error)) throw std::runtime_error("ICU has no NFC data");
    return *nfc;
}

// Persian, Urdu and the scripts of India spell with the joiners; elsewhere they are only noise.
bool JoinsLetters(char32_t code_point) {
    UErrorCode error = U_ZERO_ERROR;
    switch (uscript_getScript(static_cast<UChar32>(code_point), &error)) {
        case USCRIPT_ARABIC:
        case USCRIPT_SYRIAC:
        case USCRIPT_MONGOLIAN:
        case USCRIPT_DEVANAGARI:
        case USCRIPT_BENGALI:
        case USCRIPT_GURMUKHI:
        case USCRIPT_GUJARATI:
        case USCRIPT_ORIYA:
        case USCRIPT_TAMIL:
        case USCRIPT_TELUGU:
        case USCRIPT_KANNADA:
        case USCRIPT_MALAYALAM:
        case USCRIPT_SINHALA:
        case USCRIPT_KHMER: return true;
        default: return false;
    }
}

bool IsEmoji(char32_t c) {
    if (c < 0x80 || c == 0xA9 || c == 0xAE || c == 0x2122) return false;
    const auto code_point = static_cast<UChar32>(c);
    return u_hasBinaryProperty(code_point, UCHAR_EXTENDED_PICTOGRAPHIC) ||
           u_hasBinaryProperty(code_point, UCHAR_EMOJI_PRESENTATION) ||
           u_hasBinaryProperty(code_point, UCHAR_EMOJI_MODIFIER);
}

enum class Fate { kKeep, kSpace, kVanish, kLine, kParagraph };

enum class Keep { kNothing, kSymbols };

Fate FateOf(char32_t c, Keep keep) {
    if (keep == Keep::kSymbols && (c == '<' || c == '>' || c == '&' || IsEmoji(c))) {
        return Fate::kKeep;
    }
    switch (c) {
        case '\n':
        case '\v':
        case '\f':
        case '\r':
        case 0x85:
        case 0x2028: return Fate::kLine;
        case 0x2029: return Fate::kParagraph;
        case '<':
        case '>':
        case '&':
        case 0xFFFC:
        case 0xFFFD: return Fate::kSpace;
        case 0x20E3: return Fate::kVanish;  // the frame of a keycap emoji
        default: break;
    }
    if (c < 0x7F) return c < 0x20 ? Fate::kSpace : Fate::kKeep;
    const auto code_point = static_cast<UChar32>(c);
    if (u_hasBinaryProperty(code_point, UCHAR_VARIATION_SELECTOR)) return Fate::kVanish;
    switch (u_charType(code_point)) {
        case U_FORMAT_CHAR: return Fate::kVanish;
        case U_CONTROL_CHAR:
        case U_PRIVATE_USE_CHAR:
        case U_UNASSIGNED:
        case U_SURROGATE: return Fate::kSpace;
        default: break;
    }
    if (IsEmoji(c)) return Fate::kSpace;
    if (u_hasBinaryProperty(code_point, UCHAR_DEFAULT_IGNORABLE_CODE_POINT)) return Fate::kVanish;
    return Fate::kKeep;
}

bool IsMark(char32_t c) {
    return (U_GET_GC_MASK(static_cast<UChar32>(c)) & U_GC_M_MASK) != 0;
}

// First pass: drops, spaces and line ends, code point by code point.
MappedText Filter(const MappedText& source, Keep keep) {
    const std::string_view text = source.text();
    MappedText out;
    char32_t last = 0;
    int marks = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = Utf8SequenceLength(text.substr(at));
        const char32_t c = Utf8Decode(text.substr(at));
        std::size_t end = at + length;
        Fate fate = FateOf(c, keep);
        if ((c == 0x200C || c == 0x200D) && JoinsLetters(last) && end < text.size() &&
            JoinsLetters(Utf8Decode(text.substr(end)))) {
            fate = Fate::kKeep;
        }
        marks = IsMark(c) ? marks + 1 : 0;
        if (marks > kMostMarks) fate = Fate::kVanish;
        if (c == '\r' && end < text.size() && text[end] == '\n') ++end;
        switch (fate) {
            case Fate::kKeep: out.Append(source, at, end); break;
            case Fate::kSpace: out.AppendReplaced(source, at, end, " "); break;
            case Fate::kLine: out.AppendReplaced(source, at, end, "\n"); break;
            case Fate::kParagraph: out.AppendReplaced(source, at, end, "\n\n"); break;
            case Fate::kVanish: break;
        }
        if (fate != Fate::kVanish) last = c;
        at = end;
    }
    return out;
}

// Second pass: NFC, in pieces that do not influence each other, so that the map stays fine.
MappedText Compose(const MappedText& source) {
    const icu::Normalizer2& nfc = Nfc();
    const std::string_view text = source.text();
    MappedText out;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at + Utf8SequenceLength(text.substr(at));
        while (end < text.size() && end - at < kLongestCluster) {
            const auto next = static_cast<UChar32>(Utf8Decode(text.substr(end)));
            if (nfc.hasBoundaryBefore(next)) break;
            end += Utf8SequenceLength(text.substr(end));
        }
        const std::string_view piece = text.substr(at, end - at);
        UErrorCode error = U_ZERO_ERROR;
        std::string composed;
        if (piece.size() == 1) {
            composed = piece;
        } else {
            const auto wide = icu::UnicodeString::fromUTF8(
                icu::StringPiece(piece.data(), static_cast<int32_t>(piece.size())));
            nfc.normalize(wide, error).toUTF8String(composed);
        }
        if (U_FAILURE(error) || composed == piece) {
            out.Append(source, at, end);
        } else {
            out.AppendReplaced(source, at, end, composed);
        }
        at = end;
    }
    return out;
}

}  // namespace

bool IsSpace(char32_t code_point) {
    return code_point == ' ' || u_isUWhiteSpace(static_cast<UChar32>(code_point)) != 0;
}

bool IsSpeakable(char32_t code_point) {
    return (U_GET_GC_MASK(static_cast<UChar32>(code_point)) & (U_GC_L_MASK | U_GC_N_MASK)) != 0;
}

bool HasSpeakable(std::string_view text) {
    while (!text.empty()) {
        if (IsSpeakable(Utf8Decode(text))) return true;
        text.remove_prefix(Utf8SequenceLength(text));
    }
    return false;
}

MappedText Clean(const MappedText& text) {
    return Compose(Filter(text, Keep::kNothing));
}

MappedText CleanForRules(const MappedText& text) {
    return Compose(Filter(text, Keep::kSymbols));
}

}  // namespace vf::text
