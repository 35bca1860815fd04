#pragma once
// Pronunciation dictionaries: words or phrases, and what is spoken in their place. Immutable once
// made; shared by any number of requests and threads.
//
// All dictionaries of a request look at the text as it is written. At each place the longest match
// wins, among equals the dictionary that comes first, then the rule that comes first; the search
// goes on behind it. What was put in is never looked at again, so nothing can loop.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "text/script.hpp"

namespace vf::text {

struct LexiconRule {
    enum class Kind { kAlias, kPhoneme };
    std::string grapheme;  // 1 to 200 characters, compared in NFC
    Kind kind = Kind::kAlias;
    std::string value;  // kAlias: text, 1 to 1,000 characters; kPhoneme: IPA
    // How the phonemes were written, to give them back so; FindPhonemeAlphabet's names.
    std::string alphabet;  // kPhoneme
    std::string source;    // kPhoneme: as written
    bool case_sensitive = true;
    bool word_boundaries = true;  // false: also inside a word

    bool operator==(const LexiconRule&) const = default;
};

class Lexicon {
public:
    static constexpr std::size_t kMaxRules = 10'000;

    // Errors, kInvalid with the path of the rule ("/rules/3/…"): too_many_rules, empty grapheme or
    // value, too long, invalid_phonemes.
    static Result<std::shared_ptr<const Lexicon>> Make(std::vector<LexiconRule> rules);
    ~Lexicon();

    const std::vector<LexiconRule>& rules() const;

    // The longest match that begins at `at`, if any.
    const LexiconRule* LongestAt(std::string_view text, std::size_t at, std::size_t& end) const;

private:
    struct Impl;
    explicit Lexicon(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// One text piece as pieces with the dictionaries applied: aliases replaced in the text, phonemes in
// pieces of their own. Pieces that have phonemes or a say-as already stay as they are.
std::vector<Piece> ApplyLexicons(const Piece& piece,
                                 std::span<const std::shared_ptr<const Lexicon>> lexicons);

}  // namespace vf::text
