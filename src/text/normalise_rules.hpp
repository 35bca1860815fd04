#pragma once
// The rules of one language, read from data/normalise/<language>.toml and compiled. How they are
// written stands in docs/normalisation.md. Immutable once read; any thread.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/normalise.hpp"

namespace vf::text::norm {

// What a table says about one of its words: a currency's names, a month's, …
using Entry = std::vector<std::string>;

class Table {
public:
    explicit Table(bool fold) : fold_(fold) {}
    void Add(std::string key, Entry entry);

    // The longest key that `text` starts with; a key that ends in a letter ends a word.
    const Entry* Longest(std::string_view text, std::size_t& length) const;
    const Entry* Find(std::string_view key) const;
    const std::unordered_map<std::string, Entry>& entries() const { return entries_; }
    bool fold() const { return fold_; }

private:
    bool fold_;  // whatever the case; keys are lower case
    std::unordered_map<std::string, Entry> entries_;
    std::vector<std::size_t> lengths_;  // of keys, in bytes, longest first
};

struct Element {
    enum class Kind : std::uint8_t {
        kLiteral,    // lower case: in any case; with a capital: exactly so
        kSpaces,     // at least one, on one line
        kMaySpaces,  // any number
        kSet,        // one of some characters
        kInteger,    // digits
        kNumber,     // digits, grouped or not
        kDecimal,    // … with or without a fraction
        kFraction,   // … with one
        kTable,
        kRoman,
        kRomanOne,    // I, V or X
        kRomanMany,   // of two letters or more
        kRomanSmall,  // … of I, V and X only, at most 30
        kLetters,  // a word of letters
        kLower,    // a word that begins with a small letter
        kCapital,  // a word that begins with a capital
        kUpper,    // one capital letter
        kUrl,
        kEmail,
        kPhone,
        kCoreBegins,  // what is replaced begins here
        kCoreEnds,
    };
    Kind kind = Kind::kLiteral;
    std::u32string literal;  // kLiteral, kSet
    bool exact = false;      // kLiteral: case matters
    const Table* table = nullptr;
    std::int64_t low = 0;  // kInteger: bounds of the value
    std::int64_t high = INT64_MAX;
    int fewest = 1;  // kInteger: digits
    int most = 18;
    int slot = -1;
};

struct SayPart {
    enum class Kind : std::uint8_t { kText, kValue, kSection, kStop };
    Kind kind = Kind::kText;
    std::string text;  // kText; kValue: the function's name
    int slot = -1;
    int other = -1;  // the argument, when it is a slot
    int field = 0;   // of an entry
    const Table* table = nullptr;
    std::vector<SayPart> inner;  // kSection
};

struct Pattern {
    NormaliseRule rule = NormaliseRule::kCount;
    std::vector<SayPart> say;
    bool check_left = true;
    bool check_right = true;
    bool apart = false;    // only at the start of a word: behind a space, a bracket or a quote
    bool between = false;  // only behind a word or a number
    std::string source;  // for messages about the rules
};

// One way through a pattern, optional parts and alternatives decided.
struct Variant {
    std::uint32_t pattern = 0;
    std::vector<Element> elements;
};

struct Rules {
    std::string language;
    std::map<std::string, std::string, std::less<>> words;  // "point", "minus", rule sets, …
    std::map<std::string, std::unique_ptr<Table>, std::less<>> tables;
    std::vector<std::u32string> groups;  // separators of thousands
    char32_t decimal = '.';
    std::vector<Pattern> patterns;
    std::vector<Variant> variants;
    // By the first character, folded: variants in the order in which they are tried.
    std::vector<std::uint32_t> by_ascii[128];
    std::unordered_map<char32_t, std::vector<std::uint32_t>> by_other;

    const std::string& Word(std::string_view name) const;  // "" when there is none
    const Table* FindTable(std::string_view name) const;
};

// Throws std::runtime_error that names the rule: a mistake in the data.
std::unique_ptr<Rules> ReadRules(std::string_view toml);

// nullptr: no rules for the language. `language` is BCP 47.
const Rules* RulesFor(std::string_view language);

// The data as they are built in: one document for each language.
std::vector<std::pair<std::string_view, std::string_view>> RuleDocuments();

// Small letters; one code point for one.
char32_t Fold(char32_t c);
std::string Folded(std::string_view text);
bool IsWordChar(char32_t c);  // letters, marks and decimal digits

}  // namespace vf::text::norm
