// SSML that is not well-formed, too deep, too big or meant to hurt: each is refused with its place
// and what was expected there.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "text/ssml.hpp"

namespace vf::text {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string ErrorOf(std::string_view ssml) {
    const Result<Script> script = ReadSsml(ssml);
    return script ? "accepted" : script.error().code() + ": " + script.error().message();
}

TEST(SsmlWrong, NotWellFormed) {
    struct Case {
        const char *ssml, *place, *message;
    };
    for (const Case& wrong : std::vector<Case>{
             {"<speak>a", "line 1, column 9",
              "expected </speak> for the <speak> at line 1, column 1"},
             {"<speak><p>a</speak>", "line 1, column 12",
              "expected </p> for the <p> at line 1, column 8, found </speak>"},
             {"<speak>a</speak>b", "line 1, column 17",
              "expected nothing after </speak>, found \"b\""},
             {"<speak/><speak/>", "line 1, column 9", "expected nothing after </speak>"},
             {"<speak>\n\xC3\xA4\xC3\xB6 <break time=500ms/></speak>", "line 2, column 16",
              "expected a quote before the value of time, found \"5\""},
             {"<speak><break time/></speak>", "line 1, column 19",
              "expected \"=\" after the attribute time, found \"/\""},
             {"<speak><break time='1s' time='2s'/></speak>", "line 1, column 25",
              "the attribute time stands twice in <break>"},
             {"<speak><break time='1s'strength='none'/></speak>", "line 1, column 24",
              "expected a space, \">\" or \"/>\" in the tag <break"},
             {"<speak><break time='1s/></speak>", "line 1, column 25",
              "is its closing quote missing?"},
             {"<speak><sub alias='a", "line 1, column 19", "expected a closing ' after the value"},
             {"<speak><break <p/></speak>", "line 1, column 8",
              "expected \">\" at the end of the tag"},
             {"<speak>a < b</speak>", "line 1, column 11", "write &lt; for \"<\" itself"},
             {"<speak>a & b</speak>", "line 1, column 10", "write &amp; for \"&\" itself"},
             {"<speak>&nbsp;</speak>", "line 1, column 8", "unknown entity; expected &amp;"},
             {"<speak>&#xZZ;</speak>", "line 1, column 8", "expected a character's number"},
             {"<speak>&#;</speak>", "line 1, column 8", "expected a character's number"},
             {"<speak>&#-5;</speak>", "line 1, column 8", "expected a character's number"},
             {"<speak>&#0;</speak>", "line 1, column 8", "not allowed in XML"},
             {"<speak>&#xFFFE;</speak>", "line 1, column 8", "not allowed in XML"},
             {"<speak>&#xD800;</speak>", "line 1, column 8", "not allowed in XML"},
             {"<speak>&#x1FFFE;</speak>", "line 1, column 8", "not allowed in XML"},
             {"<speak>&#x110000;</speak>", "line 1, column 8", "not allowed in XML"},
             {"<speak>&#99999999999;</speak>", "line 1, column 8", "expected a character's number"},
             {"<speak>a\x01</speak>", "line 1, column 9", "U+0001 is not allowed in XML"},
             {"<speak a='\x02'/>", "line 1, column 11", "U+0002 is not allowed in XML"},
             {"<speak>\xEF\xBF\xBF</speak>", "line 1, column 8", "U+FFFF is not allowed"},
             {"<speak>]]></speak>", "line 1, column 8", "write ]]&gt;"},
             {"<speak><!-- a -- b --></speak>", "line 1, column 15",
              "not allowed inside of a comment"},
             {"<speak><!-- a", "line 1, column 8", "expected \"-->\""},
             {"<speak><![CDATA[a", "line 1, column 8", "expected \"]]>\""},
             {"<speak><?x", "line 1, column 8", "expected \"?>\""},
             {"<speak><? x?></speak>", "line 1, column 10",
              "expected a processing instruction's name"},
             {"<speak><?xml version='1.0'?></speak>", "line 1, column 8",
              "only at the very beginning"},
             {"\n<?xml version='1.0'?><speak/>", "line 2, column 1", "only at the very beginning"},
             {"<?xml version='2.0'?><speak/>", "line 1, column 1", "needs version"},
             {"<?xml version='1.0' encoding='latin1'?><speak/>", "line 1, column 1", "send UTF-8"},
             {"<?xml version='1.0'", "line 1, column 1", "expected \"?>\""},
             {"<speak></speak", "line 1, column 15", "expected \">\" at the end of </speak"},
             {"<speak></></speak>", "line 1, column 10", "expected an element's name after \"</\""},
             {"<speak><1/></speak>", "line 1, column 9", "expected an element's name after \"<\""},
             {"</speak>", "line 1, column 1", "ends nothing that has begun"},
             {"<![CDATA[a]]><speak/>", "line 1, column 1", "expected <speak>, found a CDATA"},
         }) {
        const std::string error = ErrorOf(wrong.ssml);
        EXPECT_THAT(error, StartsWith(fmt::format("ssml_malformed: SSML {}: ", wrong.place)))
            << wrong.ssml;
        EXPECT_THAT(error, HasSubstr(wrong.message)) << wrong.ssml;
    }
}

TEST(SsmlWrong, NoSpeak) {
    for (const char* ssml : {"", "  ", "hello", "<p>a</p>", "<!-- a -->", "<Speak>a</Speak>",
                             "a<speak/>", "\xEF\xBB\xBF", "<html/>"}) {
        EXPECT_THAT(ErrorOf(ssml), StartsWith("ssml_not_speak: SSML line 1, column ")) << ssml;
        EXPECT_THAT(ErrorOf(ssml), HasSubstr("expected <speak>, found ")) << ssml;
    }
}

TEST(SsmlWrong, NoDtd) {
    const std::string laughs = R"(<?xml version="1.0"?>
<!DOCTYPE speak [
 <!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">
]>
<speak>&c;</speak>)";
    EXPECT_THAT(ErrorOf(laughs), StartsWith("ssml_malformed: SSML line 2, column 1: a DTD"));
    EXPECT_THAT(ErrorOf("<!DOCTYPE speak SYSTEM 'file:///etc/passwd'><speak/>"),
                HasSubstr("a DTD"));
    EXPECT_THAT(ErrorOf("<speak><!ENTITY x 'y'></speak>"), HasSubstr("a DTD"));
    EXPECT_THAT(ErrorOf("<speak>&c;</speak>"), HasSubstr("unknown entity"));
}

TEST(SsmlWrong, WhatXmlAllowsIsAccepted) {
    for (const char* ssml :
         {"\xEF\xBB\xBF<speak/>", "\xEF\xBB\xBF<?xml version='1.0'?><speak></speak >",
          "<?xml version=\"1.0\" encoding='utf-8' standalone='yes'?>\r\n<speak\r\n/>",
          "<?other instruction?><speak><?x y?></speak><!-- end --> \n",
          "<speak xmlns:a='b' a:c = \"it's\" d='&lt;&#10;\"'/>", "<speak>&#x10FFFD;&#x9;></speak>",
          "<speak><\xC3\xA4 \xC3\xB6='1'/></speak>", "<speak><a.b-c_d:e1/></speak>"}) {
        EXPECT_EQ(ErrorOf(ssml), "accepted") << ssml;
    }
    EXPECT_THAT(ErrorOf("\xEF\xBB\xBF<speak>&x;</speak>"), HasSubstr("line 1, column 8"))
        << "a byte order mark is no column";
}

TEST(SsmlWrong, TooDeep) {
    std::string open, close;
    for (int i = 0; i < 10'000; ++i) {
        open += "<p>";
        close += "</p>";
    }
    EXPECT_THAT(ErrorOf("<speak>" + open + "a" + close + "</speak>"),
                StartsWith("ssml_too_deep: SSML line 1, column 101: more than 32 elements"));
    EXPECT_THAT(ErrorOf("<speak><metadata>" + open), StartsWith("ssml_too_deep"));
    EXPECT_EQ(ErrorOf("<speak>" + open.substr(0, 31 * 3) + close.substr(0, 31 * 4) + "</speak>"),
              "accepted");
}

TEST(SsmlWrong, TooComplex) {
    std::string many = "<speak>";
    for (int i = 0; i < 4'999; ++i) many += "<s/>";
    EXPECT_EQ(ErrorOf(many + "</speak>"), "accepted");
    EXPECT_THAT(ErrorOf(many + "<s/></speak>"), StartsWith("ssml_too_complex"));
    std::string attributes;
    for (int i = 0; i < 33; ++i) attributes += fmt::format(" a{}='1'", i);
    EXPECT_THAT(ErrorOf("<speak" + attributes + "/>"), HasSubstr("more than 32 attributes"));
    EXPECT_THAT(ErrorOf("<speak><sub alias='" + std::string(5'000, 'a') + "'/></speak>"),
                HasSubstr("the value of alias is longer than 4096 bytes"));
    EXPECT_THAT(ErrorOf("<speak><" + std::string(200, 'a') + "/></speak>"),
                HasSubstr("longer than 128 bytes"));
}

// A megabyte of each takes milliseconds; what took the square of it would take minutes.
TEST(SsmlWrong, TimeIsLinear) {
    const std::size_t size = 1'000'000;
    const auto repeat = [&](std::string_view unit) {
        std::string out;
        while (out.size() < size) out += unit;
        return out;
    };
    const auto before = std::chrono::steady_clock::now();
    for (const std::string& content : {repeat("a"),
                                       repeat("&amp;"),
                                       repeat(" "),
                                       repeat("&"),
                                       repeat("<"),
                                       repeat("<!--"),
                                       repeat("<!-- -->"),
                                       repeat("<![CDATA["),
                                       repeat("<![CDATA[a]]>"),
                                       repeat("]]"),
                                       repeat("&#"),
                                       repeat("<a b='"),
                                       repeat("\n"),
                                       repeat("<a "),
                                       repeat("<?x ?>"),
                                       "<a b='" + repeat("x"),
                                       "<a " + repeat("b"),
                                       "<a" + repeat(" "),
                                       repeat("<a/>"),
                                       repeat("\xC3\xA4&lt;\n")}) {
        (void)ReadSsml("<speak>" + content + "</speak>").ok();
        (void)ReadSsml("<speak>" + content).ok();
    }
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(20));
    std::string busy = "<speak>";
    for (int i = 0; i < 4'900; ++i) {
        busy += fmt::format("<prosody rate='{}%'>a</prosody>", i + 10);
    }
    EXPECT_EQ(ErrorOf(busy + "</speak>"), "accepted");
}

}  // namespace
}  // namespace vf::text
