// Every row of the phoneme table, words of six languages, and what is no phoneme.
#include "text/phonemes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "text/phoneme_table.hpp"

namespace vf::text {
namespace {

using enum PhonemeAlphabet;
using testing::ElementsAre;
using testing::HasSubstr;

std::string To(PhonemeAlphabet from, std::string_view text) {
    const Result<std::string> ipa = ToIpa(from, text);
    return ipa ? *ipa : ipa.error().code() + ": " + ipa.error().message();
}

std::string From(PhonemeAlphabet to, std::string_view ipa) {
    const Result<std::string> text = FromIpa(to, ipa);
    return text ? *text : text.error().code() + ": " + text.error().message();
}

TEST(Phonemes, AlphabetsHaveNames) {
    EXPECT_EQ(FindPhonemeAlphabet("ipa"), kIpa);
    EXPECT_EQ(FindPhonemeAlphabet("X-SAMPA"), kXSampa);
    for (const char* name : {"cmu-arpabet", "cmu", "arpabet"}) {
        EXPECT_EQ(FindPhonemeAlphabet(name), kCmu);
    }
    EXPECT_EQ(FindPhonemeAlphabet("flite"), kFlite);
    EXPECT_EQ(FindPhonemeAlphabet("espeak"), kEspeak);
    EXPECT_EQ(FindPhonemeAlphabet("sapi"), std::nullopt);
    EXPECT_EQ(FindPhonemeAlphabet(""), std::nullopt);
}

TEST(Phonemes, EveryRowComesBackFromXSampa) {
    std::set<std::string_view> ipa, xsampa;
    for (const Sound& sound : Sounds()) {
        EXPECT_TRUE(ipa.insert(sound.ipa).second) << sound.ipa;
        EXPECT_TRUE(xsampa.insert(sound.xsampa).second) << sound.xsampa;
        EXPECT_EQ(From(kXSampa, sound.ipa), sound.xsampa);
        EXPECT_EQ(To(kXSampa, sound.xsampa), sound.ipa);
        EXPECT_EQ(To(kIpa, sound.ipa), sound.ipa);
        EXPECT_EQ(SplitIpa(sound.ipa).size(), 1U) << sound.ipa;
    }
    for (const Mark& mark : Marks()) {
        const std::string with = "t" + std::string(mark.ipa);
        EXPECT_EQ(From(kXSampa, with), "t" + std::string(mark.xsampa));
        EXPECT_THAT(SplitIpa(with), ElementsAre(with));
    }
    for (const Spelling& spelling : Spellings()) {
        const std::string written = "a" + std::string(spelling.written) + "a";
        EXPECT_EQ(To(kIpa, written), "a" + std::string(spelling.ipa) + "a");
    }
}

TEST(Phonemes, EveryRowIsSpokenByTheEngines) {
    std::set<std::string_view> flite;
    for (const Sound& sound : Sounds()) {
        const Result<std::string> mnemonics = FromIpa(kEspeak, sound.ipa);
        ASSERT_TRUE(mnemonics) << sound.ipa;
        EXPECT_TRUE(ToIpa(kEspeak, *mnemonics)) << *mnemonics;
        if (sound.flite.empty()) continue;
        const Result<std::string> phones = FromIpa(kFlite, sound.ipa);
        ASSERT_TRUE(phones) << sound.ipa;
        EXPECT_TRUE(ToIpa(kFlite, *phones)) << *phones;
        const Result<std::string> cmu = FromIpa(kCmu, sound.ipa);
        ASSERT_TRUE(cmu) << sound.ipa;
        EXPECT_TRUE(ToIpa(kCmu, *cmu)) << *cmu;
        if (sound.flite.find(' ') == std::string_view::npos) flite.insert(sound.flite);
    }
    EXPECT_EQ(flite.size(), 40U) << "all of flite's phones";
}

TEST(Phonemes, EveryEnglishPhoneComesBack) {
    for (const char* phone :
         {"aa", "ae", "ah", "ao", "aw", "ax", "ay", "b", "ch", "d", "dh", "eh", "er", "ey",
          "f",  "g",  "hh", "ih", "iy", "jh", "k",  "l", "m",  "n", "ng", "ow", "oy", "p",
          "r",  "s",  "sh", "t",  "th", "uh", "uw", "v", "w",  "y", "z",  "zh"}) {
        const std::string ipa = EnginePhonemeToIpa(kFlite, phone);
        EXPECT_NE(ipa, phone == std::string("aa") ? "aa" : "") << phone;
        std::string back = From(kFlite, ipa);
        if (back.ends_with('1') || back.ends_with('0')) back.pop_back();
        EXPECT_EQ(back, phone == std::string("ax") ? "ah" : phone);
        EXPECT_EQ(SplitIpa(ipa).size(), 1U);
    }
    EXPECT_EQ(EnginePhonemeToIpa(kFlite, "pau"), "");
    EXPECT_EQ(EnginePhonemeToIpa(kEspeak, "_:"), "");
    EXPECT_EQ(EnginePhonemeToIpa(kEspeak, ""), "");
    EXPECT_EQ(EnginePhonemeToIpa(kEspeak, "oʊ"), "oʊ");
    EXPECT_EQ(EnginePhonemeToIpa(kFlite, "zz"), "zz");
    EXPECT_EQ(EnginePhonemeToIpa(kCmu, "AH0"), "ə");
    EXPECT_EQ(EnginePhonemeToIpa(kIpa, "ŋ"), "ŋ");
}

TEST(Phonemes, Words) {
    struct Word {
        const char *ipa, *xsampa, *cmu, *flite, *espeak;
    };
    for (const Word& word : std::vector<Word>{
             {"həˈloʊ", "h@\"loU", "HH AH0 L OW1", "hh ax0 l ow1", "h|@|l|'oU"},
             {"təˈmeɪtoʊ", "t@\"meItoU", "T AH0 M EY1 T OW0", "t ax0 m ey1 t ow0",
              "t|@|m|'eI|t|oU"},
             {"ˈtʃɝtʃ", "\"tS3`tS", "CH ER1 CH", "ch er1 ch", "tS|'3:|tS"},
             {"ˈʃøːn", "\"S2:n", "SH ER1 N", "sh er1 n", "S|'Y:|n"},
             {"ɛksˈtʁɛm", "Eks\"tREm", "EH0 K S T R EH1 M", "eh0 k s t r eh1 m",
              "E|k|s|t|Q\"|'E|m"},
             {"bɔ̃ˈʒuʁ", "bO~\"ZuR", "B OW0 N ZH UW1 R", "b ow0 n zh uw1 r", "b|O~|Z|'u|Q\""},
             {"ˈaɲo", "\"aJo", "AA1 N Y OW0", "aa1 n y ow0", "'a|n^|o"},
             {"ˈɡrattsje", "\"grattsje", "G R AA1 T T S Y EY0", "g r aa1 t t s y ey0",
              "g|R|'a|t|t|s|j|e"},
             {"kɔɾɐˈsɐ̃w", "kO46\"s6~w", "K AO0 D AH0 S AH1 N W", "k ao0 d ax0 s ah1 n w",
              "k|O|*|a#|s|'a#|n|w"},
             {"ˈbʌtn̩", "\"bVtn=", "B AH1 T AH0 N", "b ah1 t ax0 n", "b|'V|t|n-"},
             {"ˌʌndɚˈstænd", "%Vnd@`\"st{nd", "AH2 N D ER0 S T AE1 N D", "ah1 n d er0 s t ae1 n d",
              ",V|n|d|3|s|t|'a|n|d"},
         }) {
        EXPECT_EQ(From(kXSampa, word.ipa), word.xsampa);
        EXPECT_EQ(To(kXSampa, word.xsampa), word.ipa);
        EXPECT_EQ(From(kCmu, word.ipa), word.cmu);
        EXPECT_EQ(From(kFlite, word.ipa), word.flite);
        EXPECT_EQ(From(kEspeak, word.ipa), word.espeak);
    }
}

TEST(Phonemes, StressStandsBeforeTheOnset) {
    EXPECT_EQ(To(kCmu, "HH AH0 L OW1"), "həˈloʊ");
    EXPECT_EQ(To(kCmu, "hh ah0 l ow1"), "həˈloʊ");
    EXPECT_EQ(To(kCmu, "EH2 K S T R AH0 P AH0 L EY1 T"), "ˌɛkstɹəpəˈleɪt");
    EXPECT_EQ(To(kCmu, "IH0 K S T R IY1 M"), "ɪkˈstɹim");
    EXPECT_EQ(To(kCmu, "S IH1 NG ER0"), "ˈsɪŋɚ");
    EXPECT_EQ(To(kCmu, "S T R EH1 NG K TH"), "ˈstɹɛŋkθ");
    EXPECT_EQ(To(kCmu, "AH0 T L AE1 N T AH0"), "ətˈlæntə");
    EXPECT_EQ(To(kCmu, "AH B AW T"), "ʌbaʊt");
    EXPECT_EQ(To(kFlite, "pau hh ax l ow1 pau"), "həˈloʊ");
}

TEST(Phonemes, EnginesGetAStressWhereNoneIsWritten) {
    EXPECT_EQ(From(kFlite, "təmeɪtoʊ"), "t ax0 m ey1 t ow0");
    EXPECT_EQ(From(kFlite, "ðə"), "dh ah1");
    EXPECT_EQ(From(kFlite, "pst"), "p s t");
}

TEST(Phonemes, EspeakMnemonicsAreReadGreedily) {
    EXPECT_EQ(To(kEspeak, "h@l'oU"), "həlˈoʊ");
    EXPECT_EQ(To(kEspeak, "h|@|l|'oU"), "həlˈoʊ");
    EXPECT_EQ(To(kEspeak, "f'i:||g#").substr(0, 16), "invalid_phonemes");
    EXPECT_EQ(To(kEspeak, "tS'i:z"), "tʃˈiːz");
    EXPECT_EQ(To(kEspeak, "b,On||Z'u"), "bˌɔn ʒˈu");
}

TEST(Phonemes, UsualSpellingsAreUnderstood) {
    EXPECT_EQ(To(kIpa, "/ˈɡɪvən/"), "ˈɡɪvən");
    EXPECT_EQ(To(kIpa, "[gud]"), "ɡud");
    EXPECT_EQ(To(kIpa, "'fi:l"), "ˈfiːl");
    EXPECT_EQ(To(kIpa, "ʤʌʤ"), "d͡ʒʌd͡ʒ");
    EXPECT_EQ(From(kCmu, "ʤʌʤ"), "JH AH1 JH");
    EXPECT_EQ(To(kIpa, "ə.ˈbaʊt ðæt"), "ə.ˈbaʊt ðæt");
}

TEST(Phonemes, WhatIsNoneIsNamed) {
    EXPECT_THAT(To(kIpa, "həl%"), HasSubstr("invalid_phonemes: The symbol \"%\" at character 4"));
    EXPECT_THAT(To(kIpa, "ʤ你"), HasSubstr("\"你\" at character 2"));
    EXPECT_THAT(To(kIpa, ""), HasSubstr("no phonemes"));
    EXPECT_THAT(To(kIpa, "ˈ . "), HasSubstr("no phonemes"));
    EXPECT_THAT(To(kIpa, "ːa"), HasSubstr("\"ː\" at character 1"));
    EXPECT_THAT(To(kIpa, "a\xFF"), HasSubstr("UTF-8"));
    EXPECT_THAT(To(kXSampa, "h@l$"),
                HasSubstr("\"$\" at character 4 of the phonemes is no X-SAMPA"));
    EXPECT_THAT(To(kCmu, "HH AX9"), HasSubstr("\"AX9\" at character 4"));
    EXPECT_THAT(To(kCmu, "HH1"), HasSubstr("\"HH1\" at character 1"));
    EXPECT_THAT(To(kCmu, "hello"), HasSubstr("\"hello\" at character 1"));
    EXPECT_THAT(To(kFlite, "  "), HasSubstr("no phonemes"));
    EXPECT_THAT(To(kEspeak, "a]]"), HasSubstr("\"]\" at character 2"));
    EXPECT_THAT(From(kFlite, "ʔ"), HasSubstr("no phonemes in English"));
    EXPECT_THAT(From(kEspeak, "x]]<"), HasSubstr("\"]\" at character 2"));
}

TEST(Phonemes, SplitIntoPhones) {
    EXPECT_THAT(SplitIpa("ˌtʃeɪˈn̩ʒːː"), ElementsAre("tʃ", "eɪ", "n̩", "ʒːː"));
    EXPECT_THAT(SplitIpa("t͡sa͡ɪ t s"), ElementsAre("t͡s", "a͡", "ɪ", "t", "s"));
    EXPECT_THAT(SplitIpa("kæts"), ElementsAre("k", "æ", "t", "s"));
    EXPECT_THAT(SplitIpa("(fr)"), ElementsAre("f", "r"));
    EXPECT_TRUE(SplitIpa("").empty());
    EXPECT_THAT(SplitIpa("\xFF\x80p"), ElementsAre("p"));
}

TEST(Phonemes, VisemesAreAzures) {
    struct Row {
        int viseme;
        std::vector<const char*> phones;
    };
    for (const Row& row : std::vector<Row>{{0, {"", "…", "1"}},
                                           {1, {"æ", "ə", "ʌ"}},
                                           {2, {"ɑ", "ɑː"}},
                                           {3, {"ɔ", "ɔː"}},
                                           {4, {"ɛ", "ʊ", "eɪ"}},
                                           {5, {"ɝ", "ɚ", "ɜː"}},
                                           {6, {"j", "i", "ɪ", "iː"}},
                                           {7, {"w", "u", "uː", "yː"}},
                                           {8, {"o", "oʊ", "øː"}},
                                           {9, {"aʊ"}},
                                           {10, {"ɔɪ"}},
                                           {11, {"aɪ"}},
                                           {12, {"h"}},
                                           {13, {"ɹ", "r"}},
                                           {14, {"l", "ɫ", "l̩"}},
                                           {15, {"s", "z"}},
                                           {16, {"ʃ", "tʃ", "dʒ", "ʒ"}},
                                           {17, {"ð"}},
                                           {18, {"f", "v"}},
                                           {19, {"d", "t", "n", "θ"}},
                                           {20, {"k", "ɡ", "ŋ", "x"}},
                                           {21, {"p", "b", "m", "pʰ"}}}) {
        for (const char* phone : row.phones) EXPECT_EQ(VisemeOf(phone), row.viseme) << phone;
    }
    for (const Sound& sound : Sounds()) {
        EXPECT_GE(sound.viseme, 1) << sound.ipa;
        EXPECT_LE(sound.viseme, 21) << sound.ipa;
        EXPECT_EQ(VisemeOf(sound.ipa), sound.viseme) << sound.ipa;
    }
}

}  // namespace
}  // namespace vf::text
