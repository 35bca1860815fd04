// Cuts a sentence that is too long for an engine at the place where a reader would breathe.
#include <unicode/brkiter.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>

#include "base/utf8.hpp"
#include "text/steps.hpp"

namespace vf::text {
namespace {

constexpr auto kConjunctions = std::to_array<std::string_view>(
    {"and ", "or ",   "but ",    "because ", "which ", "that ", "while ", "when ", "where ",
     "und ", "oder ", "aber ",   "weil ",    "dass ",  "et ",   "ou ",    "mais ", "que ",
     "y ",   "pero ", "porque ", "e ",       "ma ",    "che ",  "и ",     "но ",   "что "});

// How good it is to cut before byte `at`; 0: not here.
enum Quality { kNotHere, kCharacter, kWord, kSpace, kConjunction, kComma, kSemicolon };

Quality QualityAt(std::string_view text, std::size_t at, char32_t last, char32_t next) {
    const bool after_space = last == ' ';
    std::size_t end = at;
    while (end > 0 && text[end - 1] == ' ') --end;
    std::size_t start = end == 0 ? 0 : end - 1;
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
    const char32_t mark = end == 0 ? 0 : Utf8Decode(text.substr(start));
    if (next == ' ') return kNotHere;  // spaces stay with what is before them
    switch (mark) {
        case 0xFF1B:  // full-width semicolon, colon, exclamation mark, question mark, CJK full stop
        case 0xFF1A:
        case 0xFF01:
        case 0xFF1F:
        case 0x3002: return kSemicolon;
        case 0xFF0C:  // full-width comma, ideographic comma
        case 0x3001: return kComma;
        default: break;
    }
    if (!after_space) return kNotHere;
    switch (mark) {
        case ';':
        case ':':
        case '.':
        case '!':
        case '?':
        case 0x2014:
        case 0x2013: return kSemicolon;
        case ',':
        case ')':
        case 0x60C: return kComma;
        default: break;
    }
    const std::string_view rest = text.substr(at);
    for (const std::string_view word : kConjunctions) {
        if (rest.starts_with(word)) return kConjunction;
    }
    return kSpace;
}

class Breaks {
public:
    // kind: line breaks (between words of scripts without spaces) or characters as people see them.
    enum class Kind { kLine, kCharacter };

    Breaks(std::string_view text, Kind kind) : rules_(Rules(kind)) {
        UErrorCode error = U_ZERO_ERROR;
        utext_openUTF8(&view_, text.data(), static_cast<int64_t>(text.size()), &error);
        rules_.setText(&view_, error);
        if (U_FAILURE(error)) throw std::runtime_error("ICU refused a text");
    }
    ~Breaks() { utext_close(&view_); }
    Breaks(const Breaks&) = delete;
    Breaks& operator=(const Breaks&) = delete;

    // The last break in (low, high]; 0: none.
    std::size_t LastIn(std::size_t low, std::size_t high) {
        const auto limit = static_cast<int32_t>(high);
        const int32_t found = rules_.isBoundary(limit) ? limit : rules_.preceding(limit);
        return found > static_cast<int32_t>(low) ? static_cast<std::size_t>(found) : 0;
    }

private:
    static icu::BreakIterator& Rules(Kind kind) {
        const auto make = [](Kind which) {
            UErrorCode error = U_ZERO_ERROR;
            const icu::Locale& root = icu::Locale::getRoot();
            std::unique_ptr<icu::BreakIterator> rules(
                which == Kind::kLine ? icu::BreakIterator::createLineInstance(root, error)
                                     : icu::BreakIterator::createCharacterInstance(root, error));
            if (U_FAILURE(error) || !rules) throw std::runtime_error("ICU has no break rules");
            return rules;
        };
        thread_local const auto line = make(Kind::kLine);
        thread_local const auto character = make(Kind::kCharacter);
        return kind == Kind::kLine ? *line : *character;
    }

    UText view_ = UTEXT_INITIALIZER;
    icu::BreakIterator& rules_;
};

// Where the piece that starts at `begin` should end, in (begin, limit].
std::size_t BestCut(std::string_view text, std::size_t begin, std::size_t limit) {
    const std::size_t low = begin + (limit - begin) * 2 / 5;
    std::size_t best = 0;
    Quality quality = kNotHere;
    char32_t last = 0;
    for (std::size_t at = begin; at < limit;) {
        last = Utf8Decode(text.substr(at));
        at += Utf8SequenceLength(text.substr(at));
        if (at <= low || at > limit || at >= text.size()) continue;
        const Quality here = QualityAt(text, at, last, Utf8Decode(text.substr(at)));
        if (here != kNotHere && here >= quality) {
            quality = here;
            best = at;
        }
    }
    if (best != 0) return best;
    if (const std::size_t cut = Breaks(text, Breaks::Kind::kLine).LastIn(low, limit)) return cut;
    const std::size_t cut = Breaks(text, Breaks::Kind::kCharacter).LastIn(begin, limit);
    return cut != 0 ? cut : limit;
}

}  // namespace

std::int64_t Cost(char32_t c) {
    if (c >= 'a' && c <= 'z') return 1;
    const auto kind = U_GET_GC_MASK(static_cast<UChar32>(c));
    const bool word = (kind & (U_GC_N_MASK | U_GC_S_MASK)) != 0 || c == '%' || c == '#' ||
                      c == '@' || c == '*' || c == '/' || c == '\\';
    return word ? 4 : 1;
}

std::vector<MappedText> CutLong(const MappedText& source, std::int64_t max_chars) {
    const std::string_view text = source.text();
    std::vector<MappedText> pieces;
    std::size_t begin = 0;
    while (begin < text.size()) {
        std::int64_t cost = 0;
        std::size_t limit = begin;
        while (limit < text.size()) {
            cost += Cost(Utf8Decode(text.substr(limit)));
            if (cost > max_chars && limit > begin) break;
            limit += Utf8SequenceLength(text.substr(limit));
        }
        const std::size_t end = limit == text.size() ? limit : BestCut(text, begin, limit);
        std::size_t trimmed = end;
        while (trimmed > begin && text[trimmed - 1] == ' ') --trimmed;
        if (trimmed > begin) pieces.push_back(source.Slice(begin, trimmed));
        begin = end;
        while (begin < text.size() && text[begin] == ' ') ++begin;
    }
    return pieces;
}

}  // namespace vf::text
