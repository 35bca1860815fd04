// Full stops that do not end a sentence.
#include <unicode/uchar.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/utf8.hpp"
#include "text/steps.hpp"

namespace vf::text {
namespace {

// A name or a number follows these, so that the sentence always goes on. Lower case, without the
// last stop.
constexpr auto kAlways = std::to_array<std::string_view>(
    {// English
     "mr", "mrs", "ms", "mx", "dr", "prof", "st", "rev", "hon", "capt", "cmdr", "col", "gen", "lt",
     "maj", "sgt", "gov", "sen", "rep", "pres", "messrs", "mt", "ft", "vs", "e.g", "i.e", "cf",
     "viz", "approx", "ca",
     // German
     "hr", "fr", "frl", "z.b", "d.h", "u.a", "bzw", "vgl", "ggf", "evtl", "sog", "z.t", "geb",
     "dipl", "ing", "str",
     // French
     "mme", "mlle", "m", "mgr", "env", "av",
     // Spanish, Portuguese, Italian
     "sr", "sra", "srta", "dra", "ud", "uds", "d.a", "p.ej", "sig", "sigg", "dott", "avv", "exmo",
     // Dutch, Swedish, Polish
     "dhr", "mevr", "bijv", "t.ex", "np", "im", "ul"});

// Only a number makes the sentence go on.
constexpr auto kBeforeNumber = std::to_array<std::string_view>(
    {"no",   "nos", "nr",   "num", "núm",  "n.o", "fig", "figs", "p",   "pp",  "vol",
     "vols", "ch",  "chap", "sec", "sect", "art", "par", "eq",   "op",  "ed",  "jan",
     "feb",  "mar", "apr",  "jun", "jul",  "aug", "sep", "sept", "oct", "nov", "dec",
     "abb",  "kap", "bd",   "s",   "abs",  "tab", "ver", "tel",  "ext", "pág", "cap"});

// After these and after dotted letters ("U.S.") the next word decides: these words begin sentences.
constexpr auto kMaybe = std::to_array<std::string_view>(
    {"etc",  "inc",  "ltd", "co",  "corp", "jr",  "sr",   "bros", "ave", "blvd", "rd", "dept",
     "univ", "assn", "al",  "a.m", "p.m",  "usw", "gmbh", "ph.d", "m.d", "b.a",  "m.a"});
constexpr auto kStarters = std::to_array<std::string_view>(
    {"the",   "a",     "an",       "he",      "she",   "it",     "they",   "we",   "you",
     "i",     "this",  "that",     "these",   "those", "there",  "here",   "but",  "and",
     "so",    "then",  "when",     "while",   "after", "before", "if",     "in",   "on",
     "at",    "for",   "from",     "however", "yet",   "now",    "his",    "her",  "its",
     "their", "my",    "our",      "your",    "what",  "who",    "why",    "how",  "where",
     "is",    "are",   "was",      "do",      "does",  "did",    "please", "no",   "yes",
     "as",    "since", "although", "because", "today", "later",  "er",     "sie",  "es",
     "wir",   "ich",   "der",      "die",     "das",   "ein",    "eine",   "aber", "und",
     "dann",  "il",    "elle",     "le",      "la",    "les",    "nous",   "vous", "el",
     "los",   "las",   "ella"});

constexpr auto kGermanAfterOrdinal = std::to_array<std::string_view>(
    {"januar",     "februar",    "märz",    "april",    "mai",      "juni",        "juli",
     "august",     "september",  "oktober", "november", "dezember", "jahrhundert", "jahrhunderts",
     "kapitel",    "klasse",     "platz",   "etage",    "stock",    "auflage",     "weltkrieg",
     "weltkriegs", "geburtstag", "tag",     "woche",    "mal"});

constexpr std::size_t kLookAhead = 80;

template <class List>
bool Contains(const List& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

std::string Lower(std::string_view word) {
    std::string lower;
    while (!word.empty()) {
        const auto c = static_cast<UChar32>(Utf8Decode(word));
        Utf8Append(lower, static_cast<char32_t>(u_tolower(c)));
        word.remove_prefix(Utf8SequenceLength(word));
    }
    return lower;
}

// Up to the next space; leading quotes and brackets do not count.
std::string FirstWord(std::string_view text) {
    while (!text.empty() && !IsSpeakable(Utf8Decode(text))) {
        text.remove_prefix(Utf8SequenceLength(text));
    }
    std::size_t end = 0;
    while (end < text.size() && IsSpeakable(Utf8Decode(text.substr(end)))) {
        end += Utf8SequenceLength(text.substr(end));
    }
    return std::string(text.substr(0, end));
}

// The last word without its stop and without what stands before its first letter or digit.
std::string LastWord(std::string_view text) {
    text.remove_suffix(1);
    const std::size_t space = text.find_last_of(" \n\t([\"'/-");
    if (space != std::string_view::npos) text.remove_prefix(space + 1);
    while (!text.empty() && !IsSpeakable(Utf8Decode(text))) {
        text.remove_prefix(Utf8SequenceLength(text));
    }
    // A whole word longer than that is none of ours.
    return text.size() <= 40 ? std::string(text) : std::string();
}

bool IsDigits(std::string_view word) {
    return !word.empty() &&
           std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "U.S", "e.g", "J.R.R": single letters with stops between them.
bool IsDottedLetters(std::string_view word) {
    bool dotted = false;
    while (!word.empty()) {
        if (!u_isalpha(static_cast<UChar32>(Utf8Decode(word)))) return false;
        word.remove_prefix(Utf8SequenceLength(word));
        if (word.empty()) return dotted;
        if (word.front() != '.') return false;
        dotted = true;
        word.remove_prefix(1);
    }
    return dotted;
}

}  // namespace

bool StopIsInsideSentence(std::string_view before, std::string_view after,
                          std::string_view language) {
    if (before.empty() || before.back() != '.') return false;
    // One word is enough to decide.
    after = after.substr(0, Utf8Floor(after, kLookAhead));
    const std::string word = LastWord(before);
    const std::string next = FirstWord(after);
    if (word.empty() || next.empty()) return false;
    const std::string lower = Lower(word);
    const std::string next_lower = Lower(next);
    const bool before_number = next[0] >= '0' && next[0] <= '9';
    if (Contains(kAlways, lower)) {
        // "I am." and the like: capitals make the title, except for the Latin ones.
        return lower.size() > 2 || word != lower || lower == "vs" || lower == "cf" || lower == "ca";
    }
    if (Contains(kBeforeNumber, lower)) return before_number;
    if (IsDottedLetters(word) || Contains(kMaybe, lower)) return !Contains(kStarters, next_lower);
    const char32_t first = Utf8Decode(word);
    if (Utf8SequenceLength(word) == word.size() && u_isupper(static_cast<UChar32>(first))) {
        // An initial, but "I" and a starter of a sentence: "It was I. Then he left."
        return word != "I" || !Contains(kStarters, next_lower);
    }
    const bool whole_line = before.find_first_of(" \n\t") == std::string_view::npos;
    if (IsDigits(word) && word.size() <= 3 && whole_line) return true;  // "1. Mix the flour."
    if (IsDigits(word) && word.size() <= 2 && language.starts_with("de")) {
        return Contains(kGermanAfterOrdinal, next_lower);
    }
    return false;
}

}  // namespace vf::text
