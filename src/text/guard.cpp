// What would make an engine choke: other scripts where it knows ASCII only, long digit runs, long
// words.
#include <unicode/translit.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "base/utf8.hpp"
#include "text/steps.hpp"

namespace vf::text {
namespace {

// The rules for Latin letters and punctuation are built in a millisecond, those for every script in
// twenty: most texts never need them. Using one object from two threads is not promised to be safe.
enum class Rules { kLatin, kAny };

icu::Transliterator& ToAscii(Rules rules) {
    const auto make = [](const char* id) {
        UErrorCode error = U_ZERO_ERROR;
        std::unique_ptr<icu::Transliterator> made(
            icu::Transliterator::createInstance(id, UTRANS_FORWARD, error));
        if (U_FAILURE(error) || !made) throw std::runtime_error("ICU has no Latin-ASCII rules");
        return made;
    };
    if (rules == Rules::kLatin) {
        thread_local const auto latin = make("Latin-ASCII");
        return *latin;
    }
    thread_local const auto any = make("Any-Latin; Latin-ASCII");
    return *any;
}

bool IsAscii(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Chinese characters have thousands of rules (32 us a character): a voice that knows ASCII only
// could not say them anyway, and a long text of them would hold up everybody else.
void DropHan(icu::UnicodeString& text) {
    for (int32_t at = 0; at < text.length(); at = text.moveIndex32(at, 1)) {
        UErrorCode error = U_ZERO_ERROR;
        const UChar32 c = text.char32At(at);
        if (uscript_getScript(c, &error) == USCRIPT_HAN) {
            text.replace(at, U16_LENGTH(c), static_cast<char16_t>(' '));
        }
    }
}

std::string Transliterate(std::string_view word) {
    auto wide = icu::UnicodeString::fromUTF8(
        icu::StringPiece(word.data(), static_cast<int32_t>(word.size())));
    std::string narrow;
    ToAscii(Rules::kLatin).transliterate(wide);
    wide.toUTF8String(narrow);
    if (!IsAscii(narrow) && HasSpeakable(narrow)) {
        DropHan(wide);
        ToAscii(Rules::kAny).transliterate(wide);
        narrow.clear();
        wide.toUTF8String(narrow);
    }
    std::string ascii;
    for (const char c : narrow) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80) {
            if ((byte & 0xC0) != 0x80) ascii += ' ';
        } else {
            // The guillemets come out as markup signs.
            const bool dropped = byte < 0x20 || byte == 0x7F || c == '<' || c == '>' || c == '&';
            ascii += dropped ? ' ' : c;
        }
    }
    return ascii;
}

// Written without spaces between words, so that the length of a "word" means nothing.
bool HasNoSpaces(char32_t c) {
    if (c < 0x0E00) return false;
    UErrorCode error = U_ZERO_ERROR;
    switch (uscript_getScript(static_cast<UChar32>(c), &error)) {
        case USCRIPT_HAN:
        case USCRIPT_HIRAGANA:
        case USCRIPT_KATAKANA:
        case USCRIPT_BOPOMOFO:
        case USCRIPT_THAI:
        case USCRIPT_LAO:
        case USCRIPT_KHMER:
        case USCRIPT_MYANMAR: return true;
        default: return false;
    }
}

bool IsDigit(char32_t c) {
    return u_isdigit(static_cast<UChar32>(c)) != 0;
}

// Appends the word [begin, end) of `source`, digit by digit where it is told.
void AppendDigits(const MappedText& source, std::size_t begin, std::size_t end, MappedText& out) {
    const std::string_view text = source.text();
    for (std::size_t at = begin; at < end;) {
        const std::size_t length = Utf8SequenceLength(text.substr(at));
        if (at > begin) out.AppendReplaced(source, at, at, " ");
        out.Append(source, at, at + length);
        at += length;
    }
}

MappedText TakeDigitsApart(const MappedText& source, std::int64_t most) {
    const std::string_view text = source.text();
    MappedText out;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        std::int64_t digits = 0;
        while (end < text.size() && IsDigit(Utf8Decode(text.substr(end)))) {
            end += Utf8SequenceLength(text.substr(end));
            ++digits;
        }
        if (digits > most) {
            AppendDigits(source, at, end, out);
        } else {
            if (digits == 0) end = at + Utf8SequenceLength(text.substr(at));
            out.Append(source, at, end);
        }
        at = end;
    }
    return out;
}

// Where [begin, end) with `most` characters and more should be cut: after punctuation in its second
// half, else at the end of its last whole character (with its marks).
std::size_t WordCut(std::string_view text, std::size_t begin, std::size_t end, std::int64_t most) {
    std::size_t at = begin;
    std::size_t best = begin;
    std::size_t whole = begin;
    for (std::int64_t count = 0; count < most && at < end; ++count) {
        const char32_t c = Utf8Decode(text.substr(at));
        if (count > 0 && (U_GET_GC_MASK(static_cast<UChar32>(c)) & U_GC_M_MASK) == 0) whole = at;
        at += Utf8SequenceLength(text.substr(at));
        if (count > most / 2 && u_ispunct(static_cast<UChar32>(c))) best = at;
    }
    if (best > begin) return best;
    const bool splits_letter =
        at < end &&
        (U_GET_GC_MASK(static_cast<UChar32>(Utf8Decode(text.substr(at)))) & U_GC_M_MASK) != 0;
    return splits_letter && whole > begin ? whole : at;
}

// Appends one word, with spaces in it when it is too long.
void AppendWord(const MappedText& source, std::size_t begin, std::size_t end, std::int64_t most,
                MappedText& out) {
    const std::string_view text = source.text();
    while (begin < end) {
        std::int64_t length = 0;
        std::size_t at = begin;
        while (at < end && length <= most) {
            const char32_t c = Utf8Decode(text.substr(at));
            at += Utf8SequenceLength(text.substr(at));
            if (HasNoSpaces(c)) break;
            ++length;
        }
        if (length > most) {
            at = WordCut(text, begin, end, most);
            out.Append(source, begin, at);
            out.AppendReplaced(source, at, at, " ");
        } else {
            out.Append(source, begin, at);
        }
        begin = at;
    }
}

// The end of a piece that is transliterated together: a word, or so much of it that the map stays
// fine and no text is expensive.
std::size_t FoldPiece(std::string_view text, std::size_t begin) {
    constexpr int kLongest = 24;
    constexpr int kLongestWithoutSpaces = 6;
    std::size_t end = begin;
    int most = kLongest;
    for (int count = 0; end < text.size(); ++count) {
        const char32_t c = Utf8Decode(text.substr(end));
        const bool mark = (U_GET_GC_MASK(static_cast<UChar32>(c)) & U_GC_M_MASK) != 0;
        const bool no_spaces = HasNoSpaces(c);
        if (count > 0 && !mark && (count >= most || c == ' ' || no_spaces != (most < kLongest))) {
            break;
        }
        if (count == 0 && no_spaces) most = kLongestWithoutSpaces;
        end += Utf8SequenceLength(text.substr(end));
        if (c == ' ') break;
    }
    return end;
}

}  // namespace

void WarmUpTransliteration() {
    ToAscii(Rules::kLatin);
    ToAscii(Rules::kAny);
}

MappedText FoldToAscii(const MappedText& source) {
    const std::string_view text = source.text();
    MappedText out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = FoldPiece(text, at);
        const std::string_view piece = text.substr(at, end - at);
        if (IsAscii(piece)) {
            out.Append(source, at, end);
        } else {
            std::string ascii = Transliterate(piece);
            if (HasNoSpaces(Utf8Decode(piece))) ascii += ' ';
            out.AppendReplaced(source, at, end, ascii);
        }
        at = end;
    }
    return out;
}

MappedText Guard(const MappedText& source, const SplitOptions& options) {
    const MappedText digits = TakeDigitsApart(source, options.max_digits_per_token);
    const std::string_view text = digits.text();
    MappedText out;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        while (end < text.size() && IsSpace(Utf8Decode(text.substr(end)))) {
            end += Utf8SequenceLength(text.substr(end));
        }
        if (end > at) {
            if (!out.empty() && end < text.size()) {
                if (end - at == 1 && text[at] == ' ') {
                    out.Append(digits, at, end);
                } else {
                    out.AppendReplaced(digits, at, end, " ");
                }
            }
            at = end;
            continue;
        }
        while (end < text.size() && !IsSpace(Utf8Decode(text.substr(end)))) {
            end += Utf8SequenceLength(text.substr(end));
        }
        AppendWord(digits, at, end, options.max_token_chars, out);
        at = end;
    }
    return out;
}

}  // namespace vf::text
