#include "text/pls.hpp"

#include <gtest/gtest.h>

namespace vf::text {
namespace {

std::string Lexicon10(std::string_view body, std::string_view attributes = "alphabet=\"ipa\"") {
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
           "<lexicon version=\"1.0\" xmlns=\"http://www.w3.org/2005/01/pronunciation-lexicon\"\n"
           " xml:lang=\"en-US\" " +
           std::string(attributes) + ">" + std::string(body) + "</lexicon>";
}

// "grapheme=value" of each rule, "/" before phonemes.
std::string Read(std::string_view xml) {
    const Result<PlsDocument> document = ReadPls(xml);
    if (!document) return document.error().code() + ": " + document.error().message();
    std::string out;
    for (const LexiconRule& rule : document->rules) {
        if (!out.empty()) out += ' ';
        out += rule.grapheme + '=';
        if (rule.kind == LexiconRule::Kind::kPhoneme) out += '/';
        out += rule.value;
    }
    return out;
}

std::string CodeOf(std::string_view xml) {
    const Result<PlsDocument> document = ReadPls(xml);
    return document ? "" : document.error().code();
}

TEST(Pls, ReadsPhonemesAndAliases) {
    const std::string xml = Lexicon10(R"(
  <lexeme><grapheme>Sepulveda</grapheme><phoneme>səˈpʌlvɪdə</phoneme></lexeme>
  <lexeme><grapheme>W3C</grapheme><alias>World Wide Web Consortium</alias></lexeme>)");
    EXPECT_EQ(Read(xml), "Sepulveda=/səˈpʌlvɪdə W3C=World Wide Web Consortium");
    EXPECT_EQ(ReadPls(xml)->language, "en-US");
    EXPECT_EQ(ReadPls(xml)->alphabet, "ipa");
}

TEST(Pls, OneRuleForEveryGrapheme) {
    EXPECT_EQ(Read(Lexicon10("<lexeme><grapheme>colour</grapheme><grapheme>color</grapheme>"
                             "<alias>culler</alias></lexeme>")),
              "colour=culler color=culler");
}

TEST(Pls, TheFirstOrThePreferredPronunciationCounts) {
    EXPECT_EQ(Read(Lexicon10("<lexeme><grapheme>huge</grapheme><phoneme>hjuːdʒ</phoneme>"
                             "<phoneme>juːdʒ</phoneme></lexeme>")),
              "huge=/hjuːdʒ");
    EXPECT_EQ(Read(Lexicon10("<lexeme><grapheme>huge</grapheme><phoneme>hjuːdʒ</phoneme>"
                             "<phoneme prefer=\"true\">juːdʒ</phoneme></lexeme>")),
              "huge=/juːdʒ");
}

TEST(Pls, AnAliasBeatsPhonemes) {
    EXPECT_EQ(Read(Lexicon10("<lexeme><grapheme>GNU</grapheme><phoneme>ɡnuː</phoneme>"
                             "<alias>gnoo</alias></lexeme>")),
              "GNU=gnoo");
    EXPECT_EQ(Read(Lexicon10("<lexeme><grapheme>GNU</grapheme><alias>gnoo</alias>"
                             "<phoneme prefer=\"true\">ɡnuː</phoneme></lexeme>")),
              "GNU=/ɡnuː");
}

TEST(Pls, SkipsMetadataExamplesCommentsAndForeignElements) {
    EXPECT_EQ(Read(Lexicon10(R"(<meta name="author" content="x"/>
<metadata><rdf:RDF xmlns:rdf="urn:x"><rdf:li>text</rdf:li></rdf:RDF></metadata><!-- <lexeme> -->
<lexeme role="claws:VVI" xml:id="l1" xmlns:claws="urn:c"><grapheme orthography="Latn">read</grapheme>
<phoneme>riːd</phoneme><example>I <em xmlns="urn:x">read</em> it.</example></lexeme>)")),
              "read=/riːd");
}

TEST(Pls, KeepsHowPhonemesWereWritten) {
    const auto document = ReadPls(Lexicon10(
        "<lexeme><grapheme>hello</grapheme><phoneme alphabet=\"x-sampa\">h@\"loU</phoneme>"
        "</lexeme>"));
    ASSERT_TRUE(document) << document.error().message();
    EXPECT_EQ(document->rules[0].alphabet, "x-sampa");
    EXPECT_EQ(document->rules[0].source, "h@\"loU");
    EXPECT_EQ(document->rules[0].value, "həˈloʊ");
}

TEST(Pls, ReadsPrefixedNamesAndNoNamespace) {
    EXPECT_EQ(Read("<p:lexicon xmlns:p=\"http://www.w3.org/2005/01/pronunciation-lexicon\">"
                   "<p:lexeme><p:grapheme>a</p:grapheme><p:alias>b</p:alias></p:lexeme>"
                   "</p:lexicon>"),
              "a=b");
    EXPECT_EQ(Read("<lexicon><lexeme><grapheme>a</grapheme><alias>b</alias></lexeme></lexicon>"),
              "a=b");
    EXPECT_EQ(Read("\xEF\xBB\xBF<lexicon/>"), "");
}

TEST(Pls, UnderstandsEntitiesAndCdata) {
    EXPECT_EQ(Read(Lexicon10("<lexeme><grapheme>AT&amp;T</grapheme>"
                             "<alias><![CDATA[A T & T]]> &#233;</alias></lexeme>")),
              "AT&T=A T & T é");
}

TEST(Pls, SaysWhereAMistakeIs) {
    EXPECT_EQ(Read("<lexicon>\n  <lexeme>\n  </lexicon>"),
              "pls_malformed: Line 3, column 3: </lexicon> stands here; expected </lexeme>.");
    EXPECT_EQ(Read("<lexicon>\n\n <lexeme><alias>b</alias></lexeme></lexicon>"),
              "pls_invalid_value: Line 3, column 3: This <lexeme> has no <grapheme>.");
    EXPECT_EQ(Read("<html/>"),
              "pls_not_a_lexicon: Line 1, column 1: This is no pronunciation lexicon: its "
              "outermost element is <html>, expected <lexicon>.");
}

TEST(Pls, RefusesDocumentTypesAndEntities) {
    for (const char* xml : {"<!DOCTYPE lexicon [<!ENTITY a \"b\">]><lexicon/>",
                            "<!DOCTYPE lexicon SYSTEM \"x\"><lexicon/>", "<lexicon>&a;</lexicon>",
                            "<lexicon>&</lexicon>", "<lexicon>&#0;</lexicon>",
                            "<lexicon>&#xD800;</lexicon>", "<lexicon>&#99999999;</lexicon>"}) {
        EXPECT_EQ(CodeOf(xml), "pls_malformed") << xml;
    }
}

TEST(Pls, RefusesBrokenXml) {
    std::string deep;
    for (int i = 0; i < 10'000; ++i) deep += "<a>";
    for (const std::string& xml :
         {std::string(), std::string("text"), std::string("<lexicon"), std::string("<lexicon>"),
          std::string("<lexicon/><lexicon/>"), std::string("<lexicon a='1' a='2'/>"),
          std::string("<lexicon a=1/>"), std::string("<lexicon a='<'/>"), std::string("</lexicon>"),
          std::string("<lexicon><!-- </lexicon>"), std::string("<lexicon>\xFF</lexicon>"),
          std::string("<lexicon>\0</lexicon>", 20), deep,
          std::string("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><lexicon/>"),
          std::string("<lexicon>\x05</lexicon>"), std::string("<lexicon>text</lexicon>"),
          std::string("<lexicon/>text")}) {
        EXPECT_EQ(CodeOf(xml), "pls_malformed") << xml.substr(0, 60);
    }
}

TEST(Pls, RefusesWrongValues) {
    const auto lexeme = [](std::string_view inside) {
        return CodeOf(Lexicon10("<lexeme>" + std::string(inside) + "</lexeme>"));
    };
    EXPECT_EQ(lexeme("<grapheme>a</grapheme>"), "pls_invalid_value");
    EXPECT_EQ(lexeme("<grapheme> </grapheme><alias>b</alias>"), "pls_invalid_value");
    EXPECT_EQ(lexeme("<grapheme>a</grapheme><alias/>"), "pls_invalid_value");
    EXPECT_EQ(lexeme("<grapheme>a<b/></grapheme><alias>b</alias>"), "pls_invalid_value");
    EXPECT_EQ(lexeme("<grapheme>a</grapheme><aliass>b</aliass>"), "pls_invalid_value");
    EXPECT_EQ(lexeme("<grapheme>a</grapheme><phoneme>7!?</phoneme>"), "invalid_phonemes");
    EXPECT_EQ(lexeme("<grapheme>a</grapheme><phoneme prefer=\"yes\">a</phoneme>"),
              "pls_invalid_value");
    EXPECT_EQ(lexeme("<grapheme>a</grapheme><phoneme alphabet=\"x-klingon\">a</phoneme>"),
              "pls_invalid_value");
    EXPECT_EQ(lexeme("<grapheme>" + std::string(201, 'a') + "</grapheme><alias>b</alias>"),
              "pls_invalid_value");
    EXPECT_EQ(CodeOf(Lexicon10("", "alphabet=\"klingon\"")), "pls_invalid_value");
    EXPECT_EQ(CodeOf("<lexicon version=\"2.0\"/>"), "pls_invalid_value");
    EXPECT_EQ(CodeOf("<lexicon xmlns=\"urn:other\"/>"), "pls_not_a_lexicon");
}

TEST(Pls, RefusesWhatIsTooLarge) {
    EXPECT_EQ(CodeOf(Lexicon10(std::string(1 << 20, ' '))), "pls_too_large");
    std::string many;
    for (int i = 0; i < 10'001; ++i)
        many += "<lexeme><grapheme>a</grapheme><alias>b</alias></lexeme>";
    EXPECT_EQ(CodeOf(Lexicon10(many)), "pls_too_large");
}

TEST(Pls, WritesWhatItReads) {
    PlsDocument document;
    document.language = "de-AT";
    LexiconRule alias;
    alias.grapheme = "A<&>\"'B";
    alias.value = "a \"b\" & ü";
    alias.case_sensitive = false;
    alias.word_boundaries = false;
    LexiconRule ipa;
    ipa.grapheme = "tomato";
    ipa.kind = LexiconRule::Kind::kPhoneme;
    ipa.alphabet = "ipa";
    ipa.value = ipa.source = "təˈmɑːtoʊ";
    LexiconRule sampa = ipa;
    sampa.grapheme = "hello";
    sampa.alphabet = "x-sampa";
    sampa.source = "h@\"loU";
    sampa.value = "həˈloʊ";
    document.rules = {alias, ipa, sampa};
    const Result<PlsDocument> read = ReadPls(WritePls(document));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->language, "de-AT");
    EXPECT_EQ(read->rules, document.rules);
}

}  // namespace
}  // namespace vf::text
