#include "text/language.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "base/utf8.hpp"

namespace vf::text {
namespace {

TEST(DetectLanguage, KnowsSentencesThatNothingWasTunedOn) {
    std::ifstream file(VF_SOURCE_DIR "/src/text/testdata/languages.tsv");
    std::map<std::string, int> per_language;
    int all = 0;
    int right = 0;
    std::string wrong;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        const std::size_t tab = line.find('\t');
        const std::string expected = line.substr(0, tab);
        const std::string text = line.substr(tab + 1);
        EXPECT_GE(Utf8Count(text), 20U) << line;
        const std::string found = DetectLanguage(text);
        ++all;
        ++per_language[expected];
        if (found == expected) {
            ++right;
        } else {
            wrong += line + " -> \"" + found + "\"\n";
        }
    }
    EXPECT_GE(per_language.size(), 20U);
    for (const auto& [language, count] : per_language) EXPECT_GE(count, 10) << language;
    EXPECT_GE(right * 100, all * 95) << right << " of " << all << "\n" << wrong;
    RecordProperty("right", right);
    RecordProperty("all", all);
    std::printf("languages: %d of %d right\n%s", right, all, wrong.c_str());
}

TEST(DetectLanguage, SaysNothingWhereNothingIsSaid) {
    for (const char* text : {"", " ", "12345", "1.5 + 2 = 3.5", "?!", "a", "OK"}) {
        EXPECT_EQ(DetectLanguage(text), "") << text;
    }
}

TEST(DetectLanguage, KnowsScriptsOfOneLanguage) {
    EXPECT_EQ(DetectLanguage("สวัสดีครับ ผมชื่อสมชาย"), "th");
    EXPECT_EQ(DetectLanguage("今日はとても良い天気ですね。"), "ja");
    EXPECT_EQ(DetectLanguage("오늘 날씨가 정말 좋네요."), "ko");
    EXPECT_EQ(DetectLanguage("今天天气很好，我们去公园吧。"), "zh");
    EXPECT_EQ(DetectLanguage("დღეს ძალიან კარგი ამინდია."), "ka");
    EXPECT_EQ(DetectLanguage("Այսօր եղանակը շատ լավն է։"), "hy");
    EXPECT_EQ(DetectLanguage("היום מזג האוויר יפה מאוד"), "he");
    EXPECT_EQ(DetectLanguage("இன்று வானிலை மிகவும் நன்றாக உள்ளது"), "ta");
    EXPECT_EQ(DetectLanguage("ఈరోజు వాతావరణం చాలా బాగుంది"), "te");
    EXPECT_EQ(DetectLanguage("আজ আবহাওয়া খুব সুন্দর"), "bn");
    EXPECT_EQ(DetectLanguage("Jeg vil gjerne ha en kopp kaffe."), "nb");
}

TEST(DetectLanguage, LooksAtTheBeginningOfLongTexts) {
    std::string text;
    while (text.size() < 1'000'000) text += "Das ist ein ganz gewöhnlicher Satz. ";
    EXPECT_EQ(DetectLanguage(text), "de");
}

}  // namespace
}  // namespace vf::text
