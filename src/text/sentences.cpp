// Paragraphs by blank lines, list lines, and sentences by ICU's rules (UAX #29) with our own care
// for abbreviations and quotes.
#include <unicode/brkiter.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>

#include <memory>
#include <stdexcept>

#include "base/utf8.hpp"
#include "text/steps.hpp"

namespace vf::text {
namespace {

// Greek alone has rules of its own (";" asks), so that two iterators serve every language. They
// keep state while they run: one pair for each thread.
icu::BreakIterator& SentenceRules(std::string_view language) {
    const auto make = [](const char* locale) {
        UErrorCode error = U_ZERO_ERROR;
        std::unique_ptr<icu::BreakIterator> rules(
            icu::BreakIterator::createSentenceInstance(icu::Locale(locale), error));
        if (U_FAILURE(error) || !rules) throw std::runtime_error("ICU has no sentence rules");
        return rules;
    };
    thread_local const auto common = make("en");
    thread_local const auto greek = make("el");
    return language.starts_with("el") ? *greek : *common;
}

// What ICU should see: line ends are spaces, since a line may end anywhere in a sentence. Same
// length, so that positions hold.
std::string OneLine(std::string_view text) {
    std::string line(text);
    for (char& c : line) {
        if (c == '\n') c = ' ';
    }
    return line;
}

std::size_t SkipSpaces(std::string_view text, std::size_t at) {
    while (at < text.size() && IsSpace(Utf8Decode(text.substr(at)))) {
        at += Utf8SequenceLength(text.substr(at));
    }
    return at;
}

// The length of "- ", "* ", "• ", "12. ", "3) ", "a) " at the start of a line; 0: none.
std::size_t ListMarker(std::string_view line) {
    for (const std::string_view bullet : {"-", "*", "+", "•", "‣", "◦", "–", "·"}) {
        if (line.starts_with(bullet) && line.substr(bullet.size()).starts_with(" ")) {
            return bullet.size();
        }
    }
    std::size_t digits = 0;
    while (digits < line.size() && line[digits] >= '0' && line[digits] <= '9') ++digits;
    const bool letter = digits == 0 && !line.empty() && line[0] >= 'a' && line[0] <= 'z';
    const std::size_t end = letter ? 1 : digits;
    if (end == 0 || end > 3 || end + 1 >= line.size()) return 0;
    const bool closes = line[end] == ')' || (line[end] == '.' && !letter);
    return closes && line[end + 1] == ' ' ? end + 1 : 0;
}

// Whether `text` ends with a stop and then a closing quote or bracket.
bool EndsWithClosingQuote(std::string_view text) {
    std::size_t closers = 0;
    while (!text.empty()) {
        std::size_t start = text.size() - 1;
        while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
        const char32_t c = Utf8Decode(text.substr(start));
        const auto kind = U_GET_GC_MASK(static_cast<UChar32>(c));
        if (c != '"' && c != '\'' && (kind & (U_GC_PE_MASK | U_GC_PF_MASK | U_GC_PI_MASK)) == 0) {
            return closers > 0 && u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_S_TERM);
        }
        ++closers;
        text = text.substr(0, start);
    }
    return false;
}

bool StartsLower(std::string_view text) {
    return !text.empty() && u_islower(static_cast<UChar32>(Utf8Decode(text)));
}

std::string_view TrimEnd(std::string_view text) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
    return text;
}

// Sentences of one block [begin, end), the first one with `before`.
void AddSentences(const std::string& line, std::size_t begin, std::size_t end, Pause before,
                  std::string_view language, std::vector<Sentence>& out) {
    const std::string_view block = std::string_view(line).substr(begin, end - begin);
    UErrorCode error = U_ZERO_ERROR;
    UText view = UTEXT_INITIALIZER;
    utext_openUTF8(&view, block.data(), static_cast<int64_t>(block.size()), &error);
    icu::BreakIterator& rules = SentenceRules(language);
    rules.setText(&view, error);
    if (U_FAILURE(error)) throw std::runtime_error("ICU refused a text");
    std::size_t start = 0;
    rules.first();
    for (int32_t found = rules.next(); found != icu::BreakIterator::DONE; found = rules.next()) {
        const auto stop = static_cast<std::size_t>(found);
        if (stop < block.size()) {
            const std::string_view done = TrimEnd(block.substr(start, stop - start));
            const std::string_view rest = block.substr(SkipSpaces(block, stop));
            if (!HasSpeakable(done)) continue;
            if (StopIsInsideSentence(done, rest, language)) continue;
            if (StartsLower(rest) && EndsWithClosingQuote(done)) continue;
        }
        out.push_back({begin + start, begin + stop, before});
        before = Pause::kSentence;
        start = stop;
    }
    utext_close(&view);
}

}  // namespace

std::vector<Sentence> FindSentences(const std::string& text, std::string_view language) {
    const std::string line = OneLine(text);
    std::vector<Sentence> out;
    std::size_t block = 0;
    Pause before = Pause::kNone;
    const auto close = [&](std::size_t end, Pause next) {
        if (HasSpeakable(std::string_view(text).substr(block, end - block))) {
            AddSentences(line, block, end, before, language, out);
            before = next;
        } else if (before != Pause::kNone && next == Pause::kParagraph) {
            before = next;
        }
        block = end;
    };
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = text.find('\n', at);
        end = end == std::string::npos ? text.size() : end;
        const std::size_t word = SkipSpaces(std::string_view(text).substr(0, end), at);
        if (word == end) {
            close(end, Pause::kParagraph);
        } else if (const std::size_t marker =
                       ListMarker(std::string_view(text).substr(word, end - word));
                   marker > 0) {
            close(at, Pause::kSentence);
            // A bullet is not spoken, a number is.
            const char first = text[word];
            const bool spoken = (first >= '0' && first <= '9') || (first >= 'a' && first <= 'z');
            if (!spoken) block = word + marker;
        }
        at = end + 1;
    }
    close(text.size(), Pause::kSentence);
    return out;
}

}  // namespace vf::text
