// Split cases as data: the text, and what each engine call should get. A segment that begins with
// "|" starts after a paragraph, one with "~" goes on after a cut.
#include "text/split.hpp"

#include <gtest/gtest.h>

namespace vf::text {
namespace {

using namespace std::string_literals;

struct Case {
    std::string text;
    std::vector<std::string> segments;
    std::string language = "en";
};

std::vector<std::string> Render(const std::vector<Segment>& segments) {
    std::vector<std::string> out;
    for (const Segment& segment : segments) {
        const char* mark = segment.before == Pause::kParagraph ? "|"
                           : segment.before == Pause::kClause  ? "~"
                                                               : "";
        out.push_back(mark + segment.text);
    }
    return out;
}

void Check(const std::vector<Case>& cases, bool ascii = false) {
    for (const Case& one : cases) {
        const SplitOptions options{.language = one.language, .ascii = ascii};
        EXPECT_EQ(Render(Split(one.text, options)), one.segments) << one.text;
    }
}

TEST(Split, Sentences) {
    Check({
        {"Hello.", {"Hello."}},
        {"Hello world", {"Hello world"}},
        {"One. Two. Three.", {"One.", "Two.", "Three."}},
        {"Really? Yes! Fine.", {"Really?", "Yes!", "Fine."}},
        {"  spaces   around  ", {"spaces around"}},
        {"Tabs\tare\tspaces. So.", {"Tabs are spaces.", "So."}},
        {"No space.After a stop.", {"No space.After a stop."}},
        {"What?! No way.", {"What?!", "No way."}},
        {"Stop!!! Now.", {"Stop!!!", "Now."}},
        {"Wait... what is it?", {"Wait... what is it?"}},
        {"Wait... What is it?", {"Wait...", "What is it?"}},
        {"Well… maybe not.", {"Well… maybe not."}},
        {"One; two: three.", {"One; two: three."}},
        {"hello. lower case goes on.", {"hello. lower case goes on."}},
        {"hi! how are you?", {"hi!", "how are you?"}},
    });
}

TEST(Split, Abbreviations) {
    Check({
        {"Mr. Smith met Mrs. Jones.", {"Mr. Smith met Mrs. Jones."}},
        {"Dr. Who is here. He waits.", {"Dr. Who is here.", "He waits."}},
        {"Prof. Higgins and Gen. Lee.", {"Prof. Higgins and Gen. Lee."}},
        {"St. Petersburg is cold.", {"St. Petersburg is cold."}},
        {"Fruit, e.g. Apples, is good.", {"Fruit, e.g. Apples, is good."}},
        {"The rule, i.e. Rule one.", {"The rule, i.e. Rule one."}},
        {"Ali vs. Frazier was a fight.", {"Ali vs. Frazier was a fight."}},
        {"J. R. R. Tolkien wrote it.", {"J. R. R. Tolkien wrote it."}},
        {"J.R.R. Tolkien wrote it.", {"J.R.R. Tolkien wrote it."}},
        {"George W. Bush spoke.", {"George W. Bush spoke."}},
        {"The U.S. Army came.", {"The U.S. Army came."}},
        {"He lives in the U.S. She does not.", {"He lives in the U.S.", "She does not."}},
        {"It is 5 p.m. Eastern time.", {"It is 5 p.m. Eastern time."}},
        {"It is 5 p.m. He waits.", {"It is 5 p.m.", "He waits."}},
        {"Apple Inc. Announced it.", {"Apple Inc. Announced it."}},
        {"He works for Apple Inc. The firm grew.", {"He works for Apple Inc.", "The firm grew."}},
        {"Pens, ink, etc. are sold.", {"Pens, ink, etc. are sold."}},
        {"Pens, ink, etc. The shop sells it.", {"Pens, ink, etc.", "The shop sells it."}},
        {"Jane Doe Ph.D. Wrote it.", {"Jane Doe Ph.D. Wrote it."}},
        {"It was I. Then he left.", {"It was I.", "Then he left."}},
        {"I am. Bob is too.", {"I am.", "Bob is too."}},
        {"Yes, I'm. Bob too.", {"Yes, I'm.", "Bob too."}},
    });
}

TEST(Split, Numbers) {
    Check({
        {"Pi is 3.14. Good.", {"Pi is 3.14.", "Good."}},
        {"No. 5 is alive.", {"No. 5 is alive."}},
        {"See Fig. 3 and p. 12.", {"See Fig. 3 and p. 12."}},
        {"I say no. Five left.", {"I say no.", "Five left."}},
        {"It costs $12.50. Cheap!", {"It costs $12.50.", "Cheap!"}},
        {"In 1999. Then 2000 came.", {"In 1999.", "Then 2000 came."}},
        {"Version 1.2.3 is out. Get it.", {"Version 1.2.3 is out.", "Get it."}},
        {"On Jan. 5 we met. It rained.", {"On Jan. 5 we met.", "It rained."}},
        {"192.168.0.1 is home. Yes.", {"192.168.0.1 is home.", "Yes."}},
        {"See example.com. Then go.", {"See example.com.", "Then go."}},
    });
}

TEST(Split, QuotesAndBrackets) {
    Check({
        {"\"Go.\" he said.", {"\"Go.\" he said."}},
        {"\"Go!\" he said. She went.", {"\"Go!\" he said.", "She went."}},
        {"\"Go.\" She went.", {"\"Go.\"", "She went."}},
        {"(Stop.) Then go.", {"(Stop.)", "Then go."}},
        {"“Really?” “Yes.”", {"“Really?”", "“Yes.”"}},
        {"He said “Stop!” and left.", {"He said “Stop!” and left."}},
        {"A (see p. 4) fine day. Ok.", {"A (see p. 4) fine day.", "Ok."}},
        {"«Oui.» Il part.", {"«Oui.»", "Il part."}, "fr"},
    });
}

TEST(Split, LinesAndParagraphs) {
    Check({
        {"One line\ngoes on here.", {"One line goes on here."}},
        {"One.\nTwo.", {"One.", "Two."}},
        {"One\r\ngoes on.", {"One goes on."}},
        {"Title\n\nText here.", {"Title", "|Text here."}},
        {"One.\n\n\n\nTwo.", {"One.", "|Two."}},
        {"One.\n \t \nTwo.", {"One.", "|Two."}},
        {"One.\r\n\r\nTwo.", {"One.", "|Two."}},
        {"\n\nOne.", {"One."}},
        {"One.\n\n***\n\nTwo.", {"One.", "|Two."}},
        {"One.\u2029Two.", {"One.", "|Two."}},
        {"Buy:\n- milk\n- eggs", {"Buy:", "milk", "eggs"}},
        {"* one\n* two", {"one", "two"}},
        {"• eins\n• zwei", {"eins", "zwei"}},
        {"1. Mix it.\n2. Bake it.", {"1. Mix it.", "2. Bake it."}},
        {"1) mix\n2) bake", {"1) mix", "2) bake"}},
        {"a) mix\nb) bake", {"a) mix", "b) bake"}},
        {"- a long item\n  that goes on\n- next", {"a long item that goes on", "next"}},
    });
}

TEST(Split, Languages) {
    Check({
        {"Am 3. Oktober ist frei. Gut.", {"Am 3. Oktober ist frei.", "Gut."}, "de"},
        {"Das ist z.B. Unsinn. Ja.", {"Das ist z.B. Unsinn.", "Ja."}, "de-DE"},
        {"Hr. Maier und Dr. Huber.", {"Hr. Maier und Dr. Huber."}, "de"},
        {"Er ist 12. Sie ist elf.", {"Er ist 12.", "Sie ist elf."}, "de"},
        {"Mme. Curie est là. Oui.", {"Mme. Curie est là.", "Oui."}, "fr"},
        {"¿Qué tal? ¡Muy bien!", {"¿Qué tal?", "¡Muy bien!"}, "es"},
        {"El Sr. Pérez llega. Bien.", {"El Sr. Pérez llega.", "Bien."}, "es"},
        {"Привет. Как дела?", {"Привет.", "Как дела?"}, "ru"},
        {"今天很好。明天呢?", {"今天很好。", "明天呢?"}, "zh"},
        {"そうです。はい!いいえ。", {"そうです。", "はい!", "いいえ。"}, "ja"},
        {"यह अच्छा है। हाँ।", {"यह अच्छा है।", "हाँ।"}, "hi"},
        {"كيف حالك؟ بخير.", {"كيف حالك؟", "بخير."}, "ar"},
        {"Πού πας; Σπίτι.", {"Πού πας;", "Σπίτι."}, "el"},
        {"می‌خواهم", {"می‌خواهم"}, "fa"},
    });
}

TEST(Split, NothingToSpeak) {
    for (const auto& text : {""s, " "s, "\n\n"s, "..."s, "?!"s, "😀😀"s, "\0\0"s, "\u200B\uFEFF"s,
                             "<>&"s, "— – -"s, "\uE000"s, "***"s, "👨‍👩‍👧"s, "$%"s}) {
        EXPECT_TRUE(Split(text, {}).empty()) << text;
        EXPECT_TRUE(Split(text, {.ascii = true}).empty()) << text;
    }
}

TEST(Split, AsciiEnginesGetNoChinese) {
    EXPECT_TRUE(Split("你好。", {.ascii = true}).empty());
    EXPECT_EQ(Split("你好。", {}).size(), 1U);
    WarmUp();
}

TEST(Split, RemovesWhatEnginesMustNotSee) {
    Check({
        {"a\0b"s, {"a b"}},
        {"bell\x07ring", {"bell ring"}},
        {"\uFEFFHello.", {"Hello."}},
        {"zero\u200Bwidth", {"zerowidth"}},
        {"soft\u00ADhyphen", {"softhyphen"}},
        {"\u202Ebackwards\u202C", {"backwards"}},
        {"private\uE123use", {"private use"}},
        {"Nice 👍🏽 work!", {"Nice work!"}},
        {"Family 👨‍👩‍👧 day.", {"Family day."}},
        {"Flags 🇩🇪 too.", {"Flags too."}},
        {"\u0065\u0301t\u00e9", {"été"}},
        {"AT&T", {"AT T"}},
        {"1 < 2 > 0", {"1 2 0"}},
        {"<speak>Hello <break time=\"1s\"/> you</speak>",
         {"speak Hello break time=\"1s\"/ you /speak"}},
        {"<speak><audio src=\"/tmp/x;touch /tmp/y\"/></speak>",
         {"speak audio src=\"/tmp/x;touch /tmp/y\"/ /speak"}},
    });
}

TEST(Split, FoldsToAscii) {
    Check(
        {
            {"“Smart” quotes — and dashes…", {"\"Smart\" quotes - and dashes..."}},
            {"It’s naïve café.", {"It's naive cafe."}},
            {"«Oui», dit-il.", {"Oui , dit-il."}},
            {"Straße", {"Strasse"}},
            {"Привет мир", {"Privet mir"}},
            {"I see 北京 now", {"I see now"}},
            {"ひらがな", {"hiragana"}},
            {"Ελλάδα", {"Ellada"}},
            {"fullwidth ＜b＞ ＆", {"fullwidth b"}},
            {"‹a› ⟨b⟩", {"a b"}},
            {"x ≤ y", {"x y"}},
        },
        true);
}

TEST(Split, LongDigitRunsAreSpokenDigitByDigit) {
    const auto segments = Split(std::string(2000, '7'), {});
    std::size_t sevens = 0;
    for (const Segment& segment : segments) {
        EXPECT_LE(segment.text.size(), 400U);
        EXPECT_EQ(segment.text.find("77"), std::string::npos);
        const auto here = std::count(segment.text.begin(), segment.text.end(), '7');
        EXPECT_LE(here, 100);
        EXPECT_EQ(segment.end - segment.begin, static_cast<std::size_t>(here));
        sevens += static_cast<std::size_t>(here);
    }
    EXPECT_EQ(sevens, 2000U);
    const std::string forty(40, '7');
    EXPECT_EQ(Split(forty, {}).at(0).text, forty);
    // Other digits than ASCII ones too.
    std::string arabic;
    for (int i = 0; i < 100; ++i) arabic += "٧";
    EXPECT_EQ(Split(arabic, {.language = "ar"}).at(0).text.find("٧٧"), std::string::npos);
}

TEST(Split, LongWordsAreTakenApart) {
    std::size_t letters = 0;
    for (const Segment& segment : Split(std::string(5000, 'a'), {})) {
        EXPECT_LE(segment.text.size(), 400U);
        EXPECT_EQ(segment.text.find(std::string(61, 'a')), std::string::npos);
        letters +=
            static_cast<std::size_t>(std::count(segment.text.begin(), segment.text.end(), 'a'));
    }
    EXPECT_EQ(letters, 5000U);
    const std::string url =
        "https://example.com/" + std::string(30, 'x') + "/" + std::string(30, 'y');
    EXPECT_EQ(Split(url, {}).at(0).text,
              "https://example.com/" + std::string(30, 'x') + "/ " + std::string(30, 'y'));
}

TEST(Split, CutsLongSentencesWhereAReaderBreathes) {
    const std::string filler = "word word word word word word word word word word ";
    const SplitOptions options{.max_chars = 100};
    const auto first = [&](const std::string& text) { return Split(text, options).at(0).text; };
    EXPECT_EQ(first(filler + "here; word, " + filler + filler), filler + "here;");
    EXPECT_EQ(first(filler + "here, word " + filler + filler), filler + "here,");
    EXPECT_EQ(first(filler + "here and " + filler + filler), filler + "here");
    const auto plain = Split(filler + filler + filler, options);
    EXPECT_EQ(plain.at(0).text.size(), 99U);
    EXPECT_EQ(plain.at(1).before, Pause::kClause);
    std::string chinese;
    for (int i = 0; i < 300; ++i) chinese += "中";
    for (const Segment& segment : Split(chinese, options)) EXPECT_LE(segment.text.size(), 300U);
    // A letter keeps its marks.
    std::string marked;
    for (int i = 0; i < 300; ++i) marked += "x\u0323\u0302";
    for (const Segment& segment : Split(marked, {.max_chars = 100})) {
        EXPECT_EQ(segment.text.front(), 'x');
    }
}

TEST(Split, RangesPointIntoTheOriginal) {
    const std::string text = "\uFEFF“Hi,”  he\u200B said 😀. Naïve 12345!";
    const auto segments = Split(text, {.max_digits_per_token = 3, .ascii = true});
    ASSERT_EQ(segments.size(), 2U);
    EXPECT_EQ(segments[0].text, "\"Hi,\" he said .");
    EXPECT_EQ(segments[1].text, "Naive 1 2 3 4 5!");
    const auto original = [&](const Segment& segment, std::string_view word) {
        const std::size_t at = segment.text.find(word);
        const TextRange range = segment.Original(at, at + word.size());
        return text.substr(range.begin, range.end - range.begin);
    };
    EXPECT_EQ(original(segments[0], "he"), "he");
    EXPECT_EQ(original(segments[0], "said"), "said");
    EXPECT_EQ(original(segments[1], "Naive"), "Naïve");
    EXPECT_EQ(original(segments[1], "2 3"), "23");
    EXPECT_EQ(text.substr(segments[1].begin, segments[1].end - segments[1].begin), "Naïve 12345!");
}

}  // namespace
}  // namespace vf::text
