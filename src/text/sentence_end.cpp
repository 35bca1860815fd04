#include "text/sentence_end.hpp"

#include <unicode/uchar.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "text/steps.hpp"

namespace vf::text {
namespace {

bool IsEndMark(char32_t c) {
    switch (c) {
        case '.':
        case '!':
        case '?':
        case 0x2026:  // …
        case 0x3002:  // 。
        case 0xFF01:
        case 0xFF1F:
        case 0x061F:  // ؟
        case 0x06D4:  // ۔
        case 0x0964:  // ।
            return true;
        default: return false;
    }
}

// Written without a space behind it.
bool IsWideEndMark(char32_t c) {
    return c == 0x3002 || c == 0xFF01 || c == 0xFF1F;
}

char32_t LastOf(std::string_view text) {
    std::size_t at = text.size();
    while (at > 0 && (static_cast<unsigned char>(text[at - 1]) & 0xC0) == 0x80) --at;
    return at == 0 ? 0 : Utf8Decode(text.substr(at - 1));
}

bool IsClosing(char32_t c) {
    return c == '"' || c == '\'' || c == ')' || c == ']' || c == 0x201D || c == 0x2019 ||
           c == 0xBB || c == 0x300D || c == 0x300F;
}

bool IsWhole(std::string_view sentence, std::string_view language) {
    std::string_view done = sentence;
    while (!done.empty() && IsSpace(LastOf(done))) {
        done.remove_suffix(Utf8SequenceLength(done.substr(Utf8Floor(done, done.size() - 1))));
    }
    const bool has_space = done.size() < sentence.size();
    const bool has_line = sentence.substr(done.size()).find('\n') != std::string_view::npos;
    if (has_line) return true;
    std::string_view core = done;
    while (!core.empty() && IsClosing(LastOf(core))) {
        core.remove_suffix(Utf8SequenceLength(core.substr(Utf8Floor(core, core.size() - 1))));
    }
    const char32_t last = LastOf(core);
    if (!IsEndMark(last)) return false;
    if (IsWideEndMark(last)) return true;
    // A name may follow an abbreviation: "Xy" stands for it.
    return has_space && !StopIsInsideSentence(core, "Xy", language);
}

}  // namespace

bool IsPunctuation(char32_t code_point) {
    switch (code_point) {
        case '%':
        case '&':
        case '#':
        case '@':
        case '*':
        case 0xA7: return false;  // spoken, whatever Unicode counts them among
        default: break;
    }
    const auto mask = U_GET_GC_MASK(static_cast<UChar32>(code_point));
    return (mask & (U_GC_P_MASK | U_GC_Z_MASK | U_GC_CC_MASK)) != 0;
}

std::vector<std::size_t> SentenceEnds(const std::string& text, std::string_view language) {
    std::vector<std::size_t> ends;
    const std::vector<Sentence> sentences = FindSentences(text, language);
    for (std::size_t i = 0; i < sentences.size(); ++i) {
        const bool is_last = i + 1 == sentences.size();
        const std::string_view sentence =
            std::string_view(text).substr(sentences[i].begin, std::string::npos);
        if (!is_last) {
            ends.push_back(sentences[i + 1].begin);
        } else if (IsWhole(sentence, language)) {
            ends.push_back(text.size());
        }
    }
    std::reverse(ends.begin(), ends.end());
    return ends;
}

}  // namespace vf::text
