// What SSML means. The documents follow the examples of the W3C's text and the vendors' manuals,
// in words of our own.
#include "text/ssml.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "text/ssml_testing.hpp"

namespace vf::text {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(PlainScript, IsOnePieceAndNoMarkup) {
    const std::string text = "a <break/> &amp; b";
    const Script script = PlainScript(text);
    EXPECT_EQ(Render(script), '"' + text + '"');
    EXPECT_EQ(script.pieces[0].text.Original(2, 10), (TextRange{2, 10}));
    EXPECT_EQ(script.styles.size(), 1U);
    EXPECT_TRUE(PlainScript("").pieces.empty());
}

TEST(Ssml, DocumentAsTheRecommendationHasIt) {
    EXPECT_EQ(Read(R"(<?xml version="1.0" encoding="UTF-8"?>
<!-- a greeting -->
<speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis"
       xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
       xsi:schemaLocation="http://www.w3.org/2001/10/synthesis x.xsd" xml:lang="en-US">
  <p>
    <s>Four new messages wait for you.</s>
    <s>The first is from Ada Byron and came at <break/> half past three.</s>
  </p>
</speak>)"),
              "\"Four new messages wait for you.\" / \"The first is from Ada Byron and came at \" "
              "<750> \" half past three.\" //");
}

TEST(Ssml, LanguageOfTheWholeAndOfParts) {
    const Result<Script> script = ReadSsml(
        R"(<speak version="1.1" xml:lang="en-GB">We say <lang xml:lang="fr">bonsoir</lang>.
<p xml:lang="de">Guten <s xml:lang="pt-BR">dia</s> Tag</p>
<w xml:lang="es">hola</w></speak>)");
    ASSERT_TRUE(script) << script.error().message();
    EXPECT_EQ(script->language, "en-GB");
    EXPECT_EQ(Render(*script),
              "\"We say \" \"bonsoir\"[lang=fr] \".\n\" // \"Guten \"[lang=de] / "
              "\"dia\"[lang=pt-BR] / \" Tag\"[lang=de] // \"hola\"[lang=es]");
}

TEST(Ssml, WhiteSpaceBetweenWordsIsKept) {
    EXPECT_EQ(Inside("a<emphasis level='none'>b</emphasis> c"), "\"ab c\"");
    EXPECT_EQ(Inside("a<prosody rate='2'>b</prosody> c"), "\"a\" \"b\"[speed=2] \" c\"");
    EXPECT_EQ(Inside("<prosody rate='2'>a</prosody> <prosody rate='3'>b</prosody>"),
              "\"a \"[speed=2] \"b\"[speed=3]");
    EXPECT_EQ(Inside("<s>a</s>\n <s>b</s>\n"), "\"a\" / \"b\" /");
    EXPECT_EQ(Inside("a<mark name='m'/> <sub alias='c'>b</sub>"), "\"a\" #m \" c\"");
    EXPECT_EQ(Inside("  "), "");
}

TEST(Ssml, Breaks) {
    EXPECT_EQ(Inside("a<break/>b"), "\"a\" <750> \"b\"");
    EXPECT_EQ(Inside("a<break time='3s'/>b<break time=\"250ms\"/>c"),
              "\"a\" <3000> \"b\" <250> \"c\"");
    EXPECT_EQ(Inside("<break strength='none'/><break strength='x-weak'/><break strength='weak'/>"
                     "<break strength='medium'/><break strength='strong'/>"
                     "<break strength='x-strong'/>"),
              "<0> <250> <500> <750> <1000> <1250>");
    EXPECT_EQ(Inside("<break strength='none' time='1.5s'/>"), "<1500>") << "time wins";
    EXPECT_EQ(Inside("<break time='.5s'></break><break time=' +2s '/>"), "<500> <2000>");
    EXPECT_EQ(Inside("<break time='45s'/>"), "<20000>");
    EXPECT_THAT(WarningsOf("<break time='45s'/>"),
                ElementsAre("<break> at line 1, column 8 was cut to 20000 ms, the longest pause"));
    EXPECT_THAT(Inside("<break time='500'/>"),
                HasSubstr("ssml_invalid_value: SSML line 1, column 15: time=\"500\" in <break> is "
                          "not understood; expected a time like 500ms or 1.5s"));
    for (const char* time : {"-1s", "s", "1 h", "1s2", "", "١s", "1e3s", "1.2.3s", "nan", "inf"}) {
        EXPECT_THAT(Inside(fmt::format("<break time='{}'/>", time)),
                    HasSubstr("ssml_invalid_value"))
            << time;
    }
    EXPECT_THAT(Inside("<break strength='huge'/>"), HasSubstr("x-weak, weak, medium"));
}

TEST(Ssml, PausesAreBoundedInSum) {
    SsmlOptions options;
    options.max_total_pause = milliseconds(1'000);
    EXPECT_TRUE(ReadSsml("<speak><break time='600ms'/><break time='400ms'/></speak>", options));
    const Result<Script> long_one =
        ReadSsml("<speak>\n<break time='600ms'/><break time='401ms'/></speak>", options);
    ASSERT_FALSE(long_one);
    EXPECT_EQ(long_one.error().code(), "ssml_pause_too_long");
    EXPECT_THAT(long_one.error().message(), HasSubstr("line 2, column 22"));
}

TEST(Ssml, ProsodyRates) {
    const auto rate = [](std::string_view value) {
        const Result<Script> script =
            ReadSsml(fmt::format("<speak><prosody rate=\"{}\">a</prosody></speak>", value));
        return script ? script->styles.at(script->pieces.at(0).style).speed : -1;
    };
    EXPECT_DOUBLE_EQ(rate("1.5"), 1.5);
    EXPECT_DOUBLE_EQ(rate("80%"), 0.8);
    EXPECT_DOUBLE_EQ(rate("+20%"), 1.2);
    EXPECT_DOUBLE_EQ(rate("-20.5%"), 0.795);
    EXPECT_DOUBLE_EQ(rate("x-slow"), 0.5);
    EXPECT_DOUBLE_EQ(rate("slow"), 0.64);
    EXPECT_DOUBLE_EQ(rate("medium"), 1);
    EXPECT_DOUBLE_EQ(rate("fast"), 1.55);
    EXPECT_DOUBLE_EQ(rate("x-fast"), 2);
    EXPECT_DOUBLE_EQ(rate("default"), 1);
    EXPECT_DOUBLE_EQ(rate("0%"), 0.1) << "what is impossible is clamped";
    EXPECT_DOUBLE_EQ(rate("99999"), 10);
    EXPECT_DOUBLE_EQ(rate("-300%"), 0.1);
    for (const char* wrong : {"", "quick", "1,5", "+1", "20 st", "%", "--5%", "0x10"}) {
        EXPECT_EQ(rate(wrong), -1) << wrong;
    }
    EXPECT_EQ(Inside("<prosody rate='50%'>a<prosody rate='50%'>b</prosody>c"
                     "<prosody rate='default'>d</prosody></prosody>"),
              "\"a\"[speed=0.5] \"b\"[speed=0.25] \"c\"[speed=0.5] \"d\"");
}

TEST(Ssml, ProsodyPitchRangeAndVolume) {
    EXPECT_EQ(Inside("<prosody pitch='+2st'>a<prosody pitch='-5st'>b</prosody></prosody>"),
              "\"a\"[pitch=2] \"b\"[pitch=-3]");
    EXPECT_EQ(Inside("<prosody pitch='+100%'>a</prosody>"), "\"a\"[pitch=12]");
    EXPECT_EQ(Inside("<prosody pitch='-50%'>a</prosody>"), "\"a\"[pitch=-12]");
    EXPECT_EQ(Inside("<prosody pitch='+150Hz'>a</prosody>"), "\"a\"[pitch=12]");
    EXPECT_EQ(Inside("<prosody pitch='75Hz'>a</prosody>"), "\"a\"[pitch=-12]");
    EXPECT_EQ(Inside("<prosody pitch='x-high'>a</prosody>"), "\"a\"[pitch=6.43]");
    EXPECT_EQ(Inside("<prosody pitch='-99%'>a</prosody>"), "\"a\"[pitch=-24]");
    EXPECT_EQ(Inside("<prosody pitch='-900Hz'>a</prosody>"), "\"a\"[pitch=-24]");
    EXPECT_THAT(Inside("<prosody pitch='3'>a</prosody>"), HasSubstr("expected a change like +2st"));
    EXPECT_EQ(Inside("<prosody range='low'>a</prosody>"), "\"a\"[range=0.5]");
    EXPECT_EQ(Inside("<prosody range='+50%'>a</prosody>"), "\"a\"[range=1.5]");
    EXPECT_EQ(Inside("<prosody range='0%'>a</prosody>"), "\"a\"[range=0.1]");
    EXPECT_EQ(Inside("<prosody range='+6st'>a</prosody>"), "\"a\"[range=1.5]");
    EXPECT_EQ(Inside("<prosody volume='+6dB'>a<prosody volume='-2.5dB'>b</prosody></prosody>"),
              "\"a\"[volume=6] \"b\"[volume=3.5]");
    EXPECT_EQ(Inside("<prosody volume='50'>a</prosody>"), "\"a\"[volume=-6.021]");
    EXPECT_EQ(Inside("<prosody volume='-50%'>a</prosody>"), "\"a\"[volume=-6.021]");
    EXPECT_EQ(Inside("<prosody volume='+100'>a</prosody>"), "\"a\"[volume=6.021]");
    EXPECT_EQ(Inside("<prosody volume='0'>a</prosody>"), "\"a\"[volume=-96]");
    EXPECT_EQ(Inside("<prosody volume='silent'>a<prosody volume='+20dB'>b</prosody>"
                     "<prosody volume='loud'>c</prosody></prosody>"),
              "\"ab\"[volume=-96] \"c\"[volume=6]");
    EXPECT_EQ(Inside("<prosody volume='+500dB'>a</prosody>"), "\"a\"[volume=24]");
    EXPECT_EQ(Inside("<prosody rate='slow' pitch='+1st' volume='soft'>a</prosody>b"),
              "\"a\"[speed=0.64 pitch=1 volume=-6] \"b\"");
    EXPECT_EQ(Inside("<prosody contour='(0%,+20Hz) (10%,+30%)' duration='2s'>a</prosody>"),
              "\"a\"");
    EXPECT_EQ(WarningsOf("<prosody contour='(0%,+20Hz)' duration='2s'>a</prosody>").size(), 2U);
}

TEST(Ssml, Emphasis) {
    EXPECT_EQ(Inside("That is a <emphasis>big</emphasis> car!"),
              "\"That is a \" \"big\"[speed=0.92 pitch=1 range=1.15 volume=2] \" car!\"");
    EXPECT_EQ(Inside("<emphasis level='strong'>a</emphasis><emphasis level='reduced'>b</emphasis>"
                     "<emphasis level='none'>c</emphasis>"),
              "\"a\"[speed=0.85 pitch=2 range=1.3 volume=4] "
              "\"b\"[speed=1.1 pitch=-1 range=0.8 volume=-3] \"c\"");
    EXPECT_THAT(Inside("<emphasis level='x'>a</emphasis>"), HasSubstr("strong, moderate"));
}

TEST(Ssml, SayAs) {
    EXPECT_EQ(Inside("On <say-as interpret-as='date' format='dmy' detail='1'>3/4/25</say-as>, "
                     "<say-as interpret-as='ordinal'>4</say-as><say-as "
                     "interpret-as='ordinal'>5</say-as>"),
              "\"On \" \"3/4/25\"(date dmy 1) \", \" \"4\"(ordinal) \"5\"(ordinal)");
    EXPECT_EQ(Inside("<say-as interpret-as='bleep'>x</say-as>"), "\"x\"(expletive)");
    EXPECT_EQ(Inside("<say-as interpret-as='vxml:x'>x</say-as>"), "\"x\"");
    EXPECT_THAT(WarningsOf("<say-as interpret-as='vxml:x'>x</say-as>"),
                ElementsAre("<say-as> at line 1, column 8 has an unknown interpret-as and was "
                            "read as plain text"));
    EXPECT_THAT(Inside("<say-as>x</say-as>"),
                HasSubstr("<say-as> needs the attribute interpret-as"));
}

TEST(Ssml, SubReplacesItsTextAndKeepsItsPlace) {
    const std::string ssml =
        "<speak>The <sub alias=\"World Wide Web Consortium\">W3C</sub>!</speak>";
    const Result<Script> script = ReadSsml(ssml);
    ASSERT_TRUE(script);
    EXPECT_EQ(Render(*script), "\"The World Wide Web Consortium!\"");
    const MappedText& text = script->pieces[0].text;
    const std::size_t web = text.text().find("Web");
    const TextRange range = text.Original(web, web + 3);
    EXPECT_EQ(ssml.substr(range.begin, range.end - range.begin), "W3C");
    EXPECT_EQ(Inside("<sub alias='a'><emphasis>b</emphasis><sub alias='c'>d</sub></sub>"), "\"a\"");
    EXPECT_EQ(Inside("<sub alias='a'/>"), "\"a\"");
    EXPECT_THAT(Inside("<sub>x</sub>"), HasSubstr("needs the attribute alias"));
}

TEST(Ssml, PhonemesComeAsIpa) {
    EXPECT_EQ(Inside("<phoneme alphabet='ipa' ph='t&#x259;mei&#x325;&#x27E;ou&#x325;'>tomato"
                     "</phoneme>"),
              "\"tomato\"{təmei̥ɾou̥}");
    EXPECT_EQ(Inside("a <phoneme ph='bi'>b</phoneme> c"), "\"a \" \"b\"{bi} \" c\"");
    EXPECT_EQ(Inside("<phoneme alphabet='x-sampa' ph='h@\"loU'>hello</phoneme>"),
              "\"hello\"{həˈloʊ}");
    EXPECT_EQ(Inside("<phoneme alphabet='cmu-arpabet' ph='M AE1 D IH0 S AH0 N'>Madison</phoneme>"),
              "\"Madison\"{ˈmædɪsən}");
    EXPECT_EQ(Inside("<phoneme ph='a'>x</phoneme><phoneme ph='a'>x</phoneme>"),
              "\"x\"{a} \"x\"{a}");
    EXPECT_EQ(Inside("<phoneme ph='a'>New <emphasis>York</emphasis> &amp; so</phoneme>"),
              "\"New York & so\"{a}");
    EXPECT_EQ(Inside("<phoneme ph='bi'/>"), "\"x\"{bi}");
    EXPECT_THAT(Inside("\n<phoneme alphabet='sapi' ph='b iy'>x</phoneme>"),
                HasSubstr("SSML line 2, column 10: alphabet=\"sapi\" in <phoneme> is not "
                          "understood; expected ipa, x-sampa or cmu-arpabet"));
    for (const char* ours : {"flite", "espeak"}) {
        EXPECT_THAT(Inside(fmt::format("<phoneme alphabet='{}' ph='a'>x</phoneme>", ours)),
                    HasSubstr("expected ipa"));
    }
    EXPECT_THAT(Inside("<phoneme ph='a$'>x</phoneme>"),
                HasSubstr("ssml_invalid_value: SSML line 1, column 17: The symbol \"$\" at "
                          "character 2"));
    EXPECT_THAT(Inside("<phoneme>x</phoneme>"), HasSubstr("needs the attribute ph"));
    EXPECT_THAT(Inside("<phoneme ph='" + std::string(401, 'a') + "'>x</phoneme>"),
                HasSubstr("longer than 400 bytes"));
}

TEST(Ssml, Voices) {
    EXPECT_EQ(Inside("<voice gender='female' languages='en-US' required='languages gender variant'>"
                     "a <voice name='alloy'>b</voice></voice>"),
              "\"a \"[gender=female lang=en-US] \"b\"[voice=alloy lang=en-US]");
    EXPECT_EQ(Inside("<voice name='en-US-AvaNeural'>a<voice gender='male' variant='2'>b</voice>"
                     "</voice>c"),
              "\"a\"[voice=en-US-AvaNeural] \"b\"[gender=male variant=2] \"c\"");
    EXPECT_EQ(Inside("<voice xml:lang='fr-CA'>a</voice>"), "\"a\"[lang=fr-CA]");
    EXPECT_EQ(Inside("<voice languages='en:gb fr'>a</voice>"), "\"a\"[lang=en]");
    EXPECT_THAT(WarningsOf("<voice age='6'>a</voice>"), ElementsAre(HasSubstr("has an age")));
    EXPECT_THAT(Inside("<voice gender='robot'>a</voice>"), HasSubstr("male, female or neutral"));
    for (const char* variant : {"0", "-1", "x", "1.5", "1001", "99999999999999999999"}) {
        EXPECT_THAT(Inside(fmt::format("<voice variant='{}'>a</voice>", variant)),
                    HasSubstr("a number from 1"));
    }
    EXPECT_THAT(Inside("<voice xml:lang='e n'>a</voice>"), HasSubstr("a language tag"));
    EXPECT_THAT(Inside("<lang>a</lang>"), HasSubstr("needs the attribute xml:lang"));
}

TEST(Ssml, MarksHaveNamesAndPlaces) {
    const std::string ssml = "<speak>Go <mark name=\"here\"/> there<bookmark mark='b 2'/></speak>";
    const Result<Script> script = ReadSsml(ssml);
    ASSERT_TRUE(script);
    EXPECT_EQ(Render(*script), "\"Go \" #here \" there\" #b 2");
    EXPECT_EQ(script->pieces[1].at, ssml.find("<mark"));
    EXPECT_THAT(Inside("<mark/>"), HasSubstr("<mark> needs the attribute name"));
    EXPECT_THAT(Inside("<mark name='" + std::string(257, 'm') + "'/>"), HasSubstr("256 bytes"));
}

TEST(Ssml, AudioIsNeverFetched) {
    EXPECT_EQ(Inside("<audio src='http://127.0.0.1/x;$(touch /tmp/x)'><desc>a bell</desc>Ding"
                     "</audio>"),
              "\"Ding\"");
    EXPECT_THAT(WarningsOf("<audio src='file:///etc/passwd'/><audio src='b'/>"),
                ElementsAre("<audio> at line 1, column 8 is not fetched; the text inside of it was "
                            "spoken"));
}

TEST(Ssml, LexiconsAreNamesOfDictionaries) {
    const Result<Script> script = ReadSsml(
        R"(<speak><lexicon uri="medical" xml:id="med"/><lexicon uri="names"/>
<lexicon uri="medical"/><lexicon uri="http://127.0.0.1/x.pls" xml:id="far"/>
<lookup ref="med">aspirin</lookup> <lookup ref="far">b</lookup></speak>)");
    ASSERT_TRUE(script) << script.error().message();
    EXPECT_THAT(script->lexicons, ElementsAre("medical", "names"));
    EXPECT_EQ(Render(*script), "\"aspirin b\"");
    EXPECT_THAT(script->warnings, ElementsAre(HasSubstr("not fetched from its address")));
    EXPECT_THAT(Inside("<lookup ref='x'>a</lookup>"), HasSubstr("xml:id of a <lexicon> before"));
    std::string many;
    for (int i = 0; i < 21; ++i) many += fmt::format("<lexicon uri='d{}'/>", i);
    EXPECT_THAT(Inside(many), HasSubstr("ssml_too_complex"));
}

TEST(Ssml, MetadataIsNotSpoken) {
    EXPECT_EQ(Inside("<meta name='x' content='y'/><metadata><rdf:RDF>no <p>word</p></rdf:RDF>"
                     "</metadata>a"),
              "\"a\"");
}

TEST(Ssml, VendorsExtras) {
    EXPECT_EQ(Inside("<mstts:silence type='Leading' value='200ms'/>a<mstts:silence "
                     "type='Tailing-exact' value='1s'/> b"),
              "<200> \"a b\" <1000>");
    EXPECT_THAT(WarningsOf("<mstts:silence type='Sentenceboundary' value='1s'/>"),
                ElementsAre(HasSubstr("use <break>")));
    EXPECT_EQ(Inside("<mstts:express-as style='cheerful' styledegree='2'>a</mstts:express-as>"
                     "<google:style name='lively'>b</google:style>"
                     "<amazon:effect name='whispered'>c</amazon:effect>"
                     "<amazon:effect phonation='soft'>d</amazon:effect>"
                     "<amazon:domain name='news'>e</amazon:domain>"),
              "\"a\"[manner=cheerful] \"b\"[manner=lively] \"c\"[manner=whispering] \"de\"");
    EXPECT_EQ(WarningsOf("<amazon:effect phonation='soft'>d</amazon:effect>"
                         "<amazon:domain name='news'>e</amazon:domain>")
                  .size(),
              2U);
}

TEST(Ssml, UnknownElementsAreSpokenThroughAndNamedOnce) {
    EXPECT_EQ(Inside("a <foo x='1'>b <bar>c</bar></foo> <foo>d</foo>"), "\"a b c d\"");
    EXPECT_THAT(WarningsOf("a\n  <foo x='1'>b <bar>c</bar></foo> <foo>d</foo>"),
                ElementsAre("unknown element <foo> at line 2, column 3 was read as plain text",
                            "unknown element <bar> at line 2, column 16 was read as plain text"));
    EXPECT_THAT(WarningsOf("<speak>a</speak>"), ElementsAre(HasSubstr("inside of another")));
    std::string many;
    for (int i = 0; i < 200; ++i) many += fmt::format("<x{}/>", i);
    EXPECT_EQ(WarningsOf(many).size(), 50U);
}

TEST(Ssml, BoundariesAreNotDoubled) {
    EXPECT_EQ(Inside("<p>a</p><p>b</p>"), "\"a\" // \"b\" //");
    EXPECT_EQ(Inside("<p><s>a</s></p>b"), "\"a\" // \"b\"");
    EXPECT_EQ(Inside("a<s>b</s>c"), "\"a\" / \"b\" / \"c\"");
    EXPECT_EQ(Inside("<s/><p/>a"), "\"a\"");
}

TEST(Ssml, TextPointsToTheSource) {
    const std::string ssml =
        "<speak>Tom &amp; J\xC3\xA9r\xC3\xB4me<!-- no --> &#233;t&#xE9; <![CDATA[a<b&c]]></speak>";
    const Result<Script> script = ReadSsml(ssml);
    ASSERT_TRUE(script) << script.error().message();
    ASSERT_EQ(script->pieces.size(), 1U);
    const MappedText& text = script->pieces[0].text;
    EXPECT_EQ(text.text(), "Tom & J\xC3\xA9r\xC3\xB4me \xC3\xA9t\xC3\xA9 a<b&c");
    const auto source = [&](std::string_view part) {
        const std::size_t at = text.text().find(part);
        const TextRange range = text.Original(at, at + part.size());
        return ssml.substr(range.begin, range.end - range.begin);
    };
    EXPECT_EQ(source("&"), "&amp;");
    EXPECT_EQ(source("J\xC3\xA9r\xC3\xB4me"), "J\xC3\xA9r\xC3\xB4me");
    EXPECT_EQ(source("\xC3\xA9t\xC3\xA9"), "&#233;t&#xE9;");
    EXPECT_EQ(source("a<b&c"), "a<b&c");
}

TEST(Ssml, StylesAreShared) {
    std::string ssml = "<speak>";
    for (int i = 0; i < 100; ++i) ssml += "a<prosody rate='2'>b</prosody>";
    const Result<Script> script = ReadSsml(ssml + "</speak>");
    ASSERT_TRUE(script);
    EXPECT_EQ(script->styles.size(), 2U);
    EXPECT_EQ(script->pieces.size(), 200U);
}

}  // namespace
}  // namespace vf::text
