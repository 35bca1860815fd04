#include "text/lexicon.hpp"

#include <gtest/gtest.h>

#include "text/word_border.hpp"

namespace vf::text {
namespace {

using Rules = std::vector<LexiconRule>;

LexiconRule Alias(std::string grapheme, std::string value) {
    LexiconRule rule;
    rule.grapheme = std::move(grapheme);
    rule.value = std::move(value);
    return rule;
}

LexiconRule Phonemes(std::string grapheme, std::string ipa) {
    LexiconRule rule = Alias(std::move(grapheme), std::move(ipa));
    rule.kind = LexiconRule::Kind::kPhoneme;
    return rule;
}

std::shared_ptr<const Lexicon> Made(Rules rules) {
    auto made = Lexicon::Make(std::move(rules));
    if (!made) throw std::runtime_error(made.error().message());
    return *made;
}

Piece Text(std::string_view text) {
    Piece piece;
    piece.text = MappedText::Of(text);
    return piece;
}

// Pieces between bars, phonemes behind a slash.
std::string Applied(std::string_view text, std::vector<std::shared_ptr<const Lexicon>> lexicons) {
    std::string out;
    for (const Piece& piece : ApplyLexicons(Text(text), lexicons)) {
        if (!out.empty()) out += '|';
        out += piece.text.text();
        if (!piece.phonemes.empty()) out += "/" + piece.phonemes;
    }
    return out;
}

std::string Applied(std::string_view text, Rules rules) {
    return Applied(text, {Made(std::move(rules))});
}

TEST(Lexicon, ReplacesWholeWordsOnly) {
    const Rules rules{Alias("cat", "feline")};
    EXPECT_EQ(Applied("The cat sat. concat cats cat", rules), "The feline sat. concat cats feline");
    EXPECT_EQ(Applied("cat", rules), "feline");
    EXPECT_EQ(Applied("(cat)-cat, cat_x cat1", rules), "(feline)-feline, cat_x cat1");
    EXPECT_EQ(Applied("Cat CAT", rules), "Cat CAT");
}

TEST(Lexicon, CaseAndBoundariesAreOptions) {
    LexiconRule rule = Alias("Café", "coffee house");
    rule.case_sensitive = false;
    EXPECT_EQ(Applied("CAFÉ café Cafés", Rules{rule}), "coffee house coffee house Cafés");
    rule.word_boundaries = false;
    EXPECT_EQ(Applied("Cafés", Rules{rule}), "coffee houses");
}

TEST(Lexicon, ComparesInNfc) {
    EXPECT_EQ(Applied("Caf\xC3\xA9", Rules{Alias("Cafe\xCC\x81", "x")}), "x");
}

TEST(Lexicon, SpacesInGraphemesAreFlexible) {
    const Rules rules{Alias("New  York", "Big Apple")};
    EXPECT_EQ(Applied("New York, New \n\t York, NewYork", rules), "Big Apple, Big Apple, NewYork");
}

TEST(Lexicon, LongestWinsThenDictionaryThenRule) {
    const auto first = Made({Alias("New York", "A"), Alias("York", "B"), Alias("York", "C")});
    const auto second = Made({Alias("New York City", "D"), Alias("New York", "E")});
    EXPECT_EQ(Applied("New York City New York York", {first, second}), "D A B");
    EXPECT_EQ(Applied("New York", {second, first}), "E");
}

TEST(Lexicon, TellsRulesApartThatDifferInCase) {
    LexiconRule any = Alias("us", "anyhow");
    any.case_sensitive = false;
    EXPECT_EQ(Applied("US us Us", Rules{Alias("US", "United States"), any}),
              "United States anyhow anyhow");
}

TEST(Lexicon, NeverLooksAtWhatItPutIn) {
    EXPECT_EQ(Applied("a b", Rules{Alias("a", "a b a"), Alias("b", "a")}), "a b a a");
}

TEST(Lexicon, PhonemesMakePiecesOfTheirOwn) {
    EXPECT_EQ(Applied("I like tomato soup", Rules{Phonemes("tomato", "təˈmɑːtoʊ")}),
              "I like |tomato/təˈmɑːtoʊ| soup");
}

TEST(Lexicon, AnEnglishPossessiveDoesNotHideTheWord) {
    EXPECT_EQ(Applied("Nguyen's cat", Rules{Alias("Nguyen", "Win")}), "Win's cat");
    EXPECT_EQ(Applied("Nguyen’s", Rules{Phonemes("Nguyen", "wɪn")}), "Nguyen’s/wɪnz");
    EXPECT_EQ(Applied("Bosch's", Rules{Phonemes("Bosch", "bɒʃ")}), "Bosch's/bɒʃɪz");
    EXPECT_EQ(Applied("Nguyen's", Rules{Alias("Nguyen", "Win"), Alias("Nguyen’s", "Whose")}),
              "Whose");
    EXPECT_EQ(Applied("can't", Rules{Alias("can", "x")}), "can't");
}

TEST(Lexicon, WorksInScriptsWithoutSpaces) {
    EXPECT_EQ(Applied("我住在北京市", Rules{Alias("北京", "X")}), "我住在X市");
    EXPECT_EQ(Applied("ผมรักกรุงเทพมาก", Rules{Alias("กรุงเทพ", "X")}), "ผมรักXมาก");
}

TEST(Lexicon, GraphemesMayEndInSigns) {
    EXPECT_EQ(Applied("C++ and C", Rules{Alias("C++", "see plus plus")}), "see plus plus and C");
    EXPECT_EQ(Applied(".NET is", Rules{Alias(".NET", "dot net")}), "dot net is");
}

TEST(Lexicon, MapsReplacementsToTheOriginal) {
    const auto lexicon = Made({Alias("SQL", "sequel")});
    const auto pieces = ApplyLexicons(Text("my SQL db"), std::vector{lexicon});
    ASSERT_EQ(pieces.size(), 1U);
    EXPECT_EQ(pieces[0].text.text(), "my sequel db");
    EXPECT_EQ(pieces[0].text.Original(3, 9), (TextRange{3, 6}));
    EXPECT_EQ(pieces[0].text.Original(10, 12), (TextRange{7, 9}));
}

TEST(Lexicon, LeavesPiecesThatSayHowTheyAreSpoken) {
    Piece piece = Text("cat");
    piece.phonemes = "kæt";
    const auto lexicon = Made({Alias("cat", "x")});
    EXPECT_EQ(ApplyLexicons(piece, std::vector{lexicon})[0].text.text(), "cat");
    piece.phonemes.clear();
    piece.say_as.interpret_as = "characters";
    EXPECT_EQ(ApplyLexicons(piece, std::vector{lexicon})[0].text.text(), "cat");
    Piece pause;
    pause.kind = Piece::Kind::kPause;
    EXPECT_EQ(ApplyLexicons(pause, std::vector{lexicon}).size(), 1U);
}

TEST(Lexicon, NamesTheWrongRule) {
    const auto code = [](Rules rules) {
        const auto made = Lexicon::Make(std::move(rules));
        return made ? "" : made.error().code() + " " + made.error().fields().at(0).path;
    };
    EXPECT_EQ(code({Alias("a", "b"), Alias("  ", "b")}), "required /rules/1/grapheme");
    EXPECT_EQ(code({Alias("a", "")}), "required /rules/0/value");
    EXPECT_EQ(code({Alias(std::string(201, 'a'), "b")}), "too_long /rules/0/grapheme");
    EXPECT_EQ(code({Alias("a", std::string(1001, 'a'))}), "too_long /rules/0/value");
    EXPECT_EQ(code({Alias("a", "\xFF")}), "invalid_utf8 /rules/0/value");
    EXPECT_EQ(code({Phonemes("a", "9!9")}), "invalid_phonemes /rules/0/value");
    EXPECT_EQ(code(Rules(10'001, Alias("a", "b"))), "too_many_rules /rules");
    EXPECT_EQ(code(Rules(10'000, Alias("a", "b"))), "");
}

TEST(WordBorder, FollowsUnicode) {
    const auto borders = [](std::string_view text) {
        std::string out;
        for (std::size_t at = 0; at <= text.size(); ++at) out += IsWordBorder(text, at) ? '|' : '.';
        return out;
    };
    EXPECT_EQ(borders("ab c"), "|.|||");
    EXPECT_EQ(borders("a'b"), "|..|");
    EXPECT_EQ(borders("a' b"), "|||||");
    EXPECT_EQ(borders("3.14"), "|...|");
    EXPECT_EQ(borders("a.b"), "|..|");
    EXPECT_EQ(borders("a_1"), "|..|");
    EXPECT_EQ(borders("A-b"), "||||");
    EXPECT_EQ(borders("3. a"), "|||||");
}

}  // namespace
}  // namespace vf::text
