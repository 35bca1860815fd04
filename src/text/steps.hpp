#pragma once
// The steps of Split, in the order in which they run. Each is a pure function.

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/mapped_text.hpp"
#include "text/split.hpp"

namespace vf::text {

// NFC, line ends as "\n", and without the characters that no engine may see (split.hpp).
MappedText Clean(const MappedText& text);

// The same without what Normalise still wants to see: emoji and the characters < > & stay.
MappedText CleanForRules(const MappedText& text);

// A stretch of the cleaned text that is spoken in one breath, and what stands before it.
struct Sentence {
    std::size_t begin;
    std::size_t end;
    Pause before;
};

// Paragraphs, lines of lists and sentences, in order.
std::vector<Sentence> FindSentences(const std::string& text, std::string_view language);

// Whether a full stop at the end of `before` (which ends with it) belongs to an abbreviation, an
// initial or an ordinal, so that the sentence goes on with `after`.
bool StopIsInsideSentence(std::string_view before, std::string_view after,
                          std::string_view language);

// Everything as ASCII; what has no ASCII form becomes space.
MappedText FoldToAscii(const MappedText& text);
void WarmUpTransliteration();

// One space between words, none at the ends; long runs of digits and long words taken apart.
MappedText Guard(const MappedText& text, const SplitOptions& options);

// Cuts so that no piece costs more than `max_chars`, at the best places.
std::vector<MappedText> CutLong(const MappedText& text, std::int64_t max_chars);

// What a character counts towards max_chars: digits and symbols are spoken as words.
std::int64_t Cost(char32_t code_point);

bool IsSpace(char32_t code_point);
// Letters and numbers of any script.
bool IsSpeakable(char32_t code_point);
bool HasSpeakable(std::string_view text);

}  // namespace vf::text
