#include "text/normalise.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <random>
#include <thread>

#include "base/utf8.hpp"

namespace vf::text {
namespace {

using Row = std::vector<std::string>;

std::vector<Row> Rows(const std::string& name) {
    std::ifstream file(VF_SOURCE_DIR "/src/text/testdata/" + name);
    std::vector<Row> rows;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line.starts_with("# ")) continue;
        Row row{""};
        for (const char c : line) {
            if (c == '\t') {
                row.emplace_back();
            } else {
                row.back() += c;
            }
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

std::string Spoken(std::string_view text, std::string_view language = "en",
                   const NormaliseOptions& options = {}) {
    return Normalise(MappedText::Of(text), language, options).text();
}

class NormaliseTable : public testing::TestWithParam<const char*> {};

TEST_P(NormaliseTable, SpeaksAsTheTableSays) {
    const std::string language = GetParam();
    const std::vector<Row> rows = Rows("normalise_" + language + ".tsv");
    EXPECT_GE(rows.size(), language == "en" ? 400U : 40U);
    for (const Row& row : rows) {
        ASSERT_EQ(row.size(), 2U) << row[0];
        EXPECT_EQ(Spoken(row[0], language), row[1]) << language << ": " << row[0];
    }
}

INSTANTIATE_TEST_SUITE_P(Languages, NormaliseTable,
                         testing::Values("en", "de", "fr", "es", "it", "pt"));

TEST(Normalise, ReadsProseThatNoRuleWasMadeFor) {
    const std::vector<Row> rows = Rows("normalise_prose.tsv");
    std::size_t right = 0;
    for (const Row& row : rows) {
        const bool known = row.size() > 2 && row[2] == "known";
        const std::string spoken = Spoken(row[0]);
        if (!known && spoken == row[1]) ++right;
        if (!known) EXPECT_EQ(spoken, row[1]) << row[0];
    }
    EXPECT_GE(rows.size(), 100U);
    EXPECT_GE(right * 100, rows.size() * 95);
    std::printf("prose: %zu of %zu right\n", right, rows.size());
}

TEST(Normalise, SpeaksAsMarkupSays) {
    for (const Row& row : Rows("say_as_en.tsv")) {
        ASSERT_EQ(row.size(), 4U) << row[0];
        const SayAs say_as{row[0], row[1], ""};
        NormaliseOptions off;
        off.enabled = row[0] == "unknown";
        EXPECT_EQ(Normalise(MappedText::Of(row[2]), "en", off, say_as).text(), row[3])
            << row[0] << " " << row[1] << " " << row[2];
    }
    const SayAs date{"date", "dmy", ""};
    EXPECT_EQ(Normalise(MappedText::Of("03.10.1990"), "de", {}, date).text(),
              "dritter Oktober neunzehnhundertneunzig");
    const SayAs spell{"characters", "", ""};
    EXPECT_EQ(Normalise(MappedText::Of("äß 1"), "de", {}, spell).text(), "ä ß eins");
}

TEST(Normalise, EveryRuleCanBeSwitchedOff) {
    const std::pair<NormaliseRule, const char*> cases[] = {
        {NormaliseRule::kCardinals, "I have 5 apples"},
        {NormaliseRule::kOrdinals, "the 3rd man"},
        {NormaliseRule::kDecimals, "pi is 3.14 long"},
        {NormaliseRule::kMoney, "it is $5.50"},
        {NormaliseRule::kRoman, "Henry VIII"},
        {NormaliseRule::kAbbreviations, "Dr. Smith etc."},
        {NormaliseRule::kInitials, "J. R. R. Tolkien"},
        {NormaliseRule::kEmail, "write to ann_b@c-d.example"},
        {NormaliseRule::kUrls, "see example.com now"},
        {NormaliseRule::kVersions, "v2.3.1 is out"},
        {NormaliseRule::kDates, "on 2026-11-21"},
        {NormaliseRule::kSymbols, "you & me"},
        {NormaliseRule::kTelephone, "+44 20 7946 0958"},
    };
    for (const auto& [rule, text] : cases) {
        EXPECT_NE(Spoken(text), text);
        NormaliseOptions options;
        options.off = ~0U;
        EXPECT_EQ(Spoken(text, "en", options), text);
        options.off = ~(1U << static_cast<unsigned>(rule));
        EXPECT_NE(Spoken(text, "en", options), text) << NormaliseRuleName(rule);
        options.off = 1U << static_cast<unsigned>(rule);
        EXPECT_NE(Spoken(text, "en", options), Spoken(text)) << NormaliseRuleName(rule);
    }
    const std::pair<NormaliseRule, const char*> parts[] = {
        {NormaliseRule::kYears, "in 1984"}, {NormaliseRule::kPercentages, "5 %"},
        {NormaliseRule::kUnits, "5 km"},    {NormaliseRule::kTimes, "14:30"},
        {NormaliseRule::kFractions, "3/4"}, {NormaliseRule::kRanges, "10–20"},
    };
    for (const auto& [rule, text] : parts) {
        NormaliseOptions options;
        options.off = 1U << static_cast<unsigned>(rule);
        EXPECT_NE(Spoken(text, "en", options), Spoken(text)) << NormaliseRuleName(rule);
    }
    NormaliseOptions options;
    options.enabled = false;
    EXPECT_EQ(Spoken("**5** 🙂", "en", options), "**5** 🙂");
}

TEST(Normalise, RulesHaveNames) {
    for (unsigned i = 0; i < static_cast<unsigned>(NormaliseRule::kCount); ++i) {
        const auto rule = static_cast<NormaliseRule>(i);
        EXPECT_EQ(FindNormaliseRule(NormaliseRuleName(rule)), rule);
    }
    EXPECT_FALSE(FindNormaliseRule("numbers"));
    EXPECT_FALSE(FindNormaliseRule(""));
    EXPECT_FALSE(NormaliserVersion().empty());
}

TEST(Normalise, MapsWhatItReplacesToTheOriginal) {
    const MappedText spoken = Normalise(MappedText::Of("I paid $12.50 now"), "en", {});
    EXPECT_EQ(spoken.text(), "I paid twelve dollars and fifty cents now");
    EXPECT_EQ(spoken.Original(7, 37), (TextRange{7, 13}));
    EXPECT_EQ(spoken.Original(38, 41), (TextRange{14, 17}));
    EXPECT_EQ(spoken.Original(2, 6), (TextRange{2, 6}));
    // Context that decides stays as it is written.
    const MappedText king = Normalise(MappedText::Of("Henry VIII"), "en", {});
    EXPECT_EQ(king.Original(0, 5), (TextRange{0, 5}));
    EXPECT_EQ(king.Original(6, king.text().size()), (TextRange{6, 10}));
}

TEST(Normalise, RemovesOrReadsEmojiAndMarkdown) {
    EXPECT_EQ(Spoken("**bold**, _it_ and `code`"), "bold, it and code");
    EXPECT_EQ(Spoken("# Title\n> quote\n---\nend"), "Title\nquote\n\nend");
    EXPECT_EQ(Spoken("[the link](http://x.org) ![alt](a.png)"), "the link alt");
    EXPECT_EQ(Spoken("snake_case 2 * x"), "snake_case two * x");
    EXPECT_EQ(Spoken("ok\U0001F44D\U0001F3FDyes"), "ok yes");
    NormaliseOptions read;
    read.emoji = read.markdown = Symbols::kRead;
    EXPECT_EQ(Spoken("**bold**", "en", read), "**bold**");
    EXPECT_EQ(Spoken("nice \U0001F44D\U0001F3FD!", "en", read), "nice thumbs up sign!");
    EXPECT_EQ(Spoken("go \U0001F1E9\U0001F1EA", "en", read), "go flag: Germany");
    EXPECT_EQ(Spoken("gut \U0001F44D", "de", read), "gut ");
}

TEST(Normalise, OtherLanguagesKeepTheirNumbers) {
    EXPECT_EQ(Spoken("Jag har 5 äpplen", "sv"), "Jag har 5 äpplen");
    EXPECT_EQ(Spoken("5 кг", "ru"), "5 кг");
    EXPECT_EQ(Spoken("5 apples", "en-GB"), "five apples");
    EXPECT_EQ(Spoken("5 apples", "EN_us"), "five apples");
    EXPECT_EQ(Spoken("5 apples", ""), "five apples");
}

TEST(Normalise, SurvivesAnything) {
    const char* parts[] = {
        "1",   "2026",    ".",          ",",          ":",      "-",   "/", " ",
        "$",   "€",       "%",          "km",         "Dr.",    "pm",  "@", "a",
        "com", "http://", "(",          ")",          "[",      "]",   "*", "_",
        "`",   "#",       "|",          "\n",         "½",      "–",   "'", "’",
        "IV",  "é",       "\U0001F600", "\U0001F1E9", "\u200D", "Mai", "+", "999999999999",
        "th",  "漢",      "<",          ">",          "&"};
    std::mt19937 random(7);
    for (int i = 0; i < 3000; ++i) {
        std::string text;
        for (std::size_t n = random() % 14; n > 0; --n) text += parts[random() % std::size(parts)];
        for (const char* language : {"en", "de", "fr", "es", "it", "pt"}) {
            const MappedText spoken = Normalise(MappedText::Of(text), language, {});
            ASSERT_FALSE(Utf8FindInvalid(spoken.text())) << text;
            std::size_t last = 0;
            for (std::size_t at = 0; at < spoken.text().size(); ++at) {
                const TextRange range = spoken.Original(at, at + 1);
                ASSERT_LE(range.begin, range.end) << text;
                ASSERT_LE(range.end, text.size()) << text;
                ASSERT_GE(range.end, last) << text;
                last = range.begin;
            }
        }
    }
}

TEST(Normalise, TakesTimeInProportionToTheText) {
    WarmUpNormaliser();
    for (const char* part : {"1", "1,234,", "a.", "a@", "(", "[", "*", "1/", "1:", "-", "$1-",
                             "http://", "IV ", "\U0001F600", "U.", "'", "| ", "1 1"}) {
        std::string text;
        while (text.size() < 20'000) text += part;
        const auto start = std::chrono::steady_clock::now();
        Spoken(text);
        const auto took = std::chrono::steady_clock::now() - start;
        // Far above what it takes, far below what a square of it would.
        EXPECT_LT(took, std::chrono::seconds(3)) << part;
    }
}

TEST(Normalise, MayRunInSeveralThreads) {
    std::vector<std::thread> threads;
    std::vector<std::string> results(4);
    for (std::size_t i = 0; i < results.size(); ++i) {
        threads.emplace_back([&results, i] {
            for (int n = 0; n < 50; ++n) results[i] = Spoken("On 2026-11-21 we paid $12.50.");
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::string& result : results) {
        EXPECT_EQ(result,
                  "On November twenty-first, twenty twenty-six we paid twelve dollars and fifty "
                  "cents.");
    }
}

}  // namespace
}  // namespace vf::text
