// What must hold for any text, on random ones made of the characters that hurt.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

#include "base/utf8.hpp"
#include "text/split.hpp"
#include "text/steps.hpp"

namespace vf::text {
namespace {

std::string RandomText(std::mt19937& random) {
    static const auto kPieces =
        std::to_array<std::string_view>({"a",
                                         "Be",
                                         "word ",
                                         " ",
                                         ". ",
                                         "? ",
                                         "\n",
                                         "\n\n",
                                         "\r\n",
                                         "Mr. ",
                                         "7",
                                         "77777777",
                                         ",",
                                         "; ",
                                         "\"",
                                         "(",
                                         ")",
                                         "<",
                                         "&",
                                         ">",
                                         "\t",
                                         "é",
                                         "e\u0301",
                                         "\u0301",
                                         "\u200B",
                                         "\u200D",
                                         "\uFEFF",
                                         "😀",
                                         "👨‍👩‍👧",
                                         "🇩🇪",
                                         "中",
                                         "。",
                                         "ไทย",
                                         "한",
                                         "\u1100",
                                         "\u1161",
                                         "ا",
                                         "ل",
                                         "क्ष",
                                         "ß",
                                         "…",
                                         "“",
                                         "”",
                                         "«",
                                         "\uE000",
                                         "\u202E",
                                         "U.S. ",
                                         "3.14",
                                         "e.g. ",
                                         "- ",
                                         "1. ",
                                         "-",
                                         "%",
                                         "$",
                                         "\U0001D54F",
                                         "\u0F77",
                                         "\u0344",
                                         "\uFB01",
                                         "½",
                                         "\u2028",
                                         "supercalifragilisticexpialidocious"});
    std::uniform_int_distribution<std::size_t> pick(0, kPieces.size() - 1);
    std::uniform_int_distribution<int> length(0, 300);
    std::uniform_int_distribution<int> kind(0, 9);
    std::uniform_int_distribution<char32_t> any(1, 0x10FFFF);
    std::string text;
    for (int i = length(random); i > 0; --i) {
        if (kind(random) == 0) {
            char32_t c = any(random);
            if (c >= 0xD800 && c < 0xE000) c = 'x';
            Utf8Append(text, c);
        } else if (kind(random) == 1) {
            const std::string_view piece = kPieces[pick(random)];
            for (int k = 0; k < 30; ++k) text += piece;
        } else {
            text += kPieces[pick(random)];
        }
    }
    return text;
}

bool OnBorder(std::string_view text, std::size_t at) {
    return at == text.size() || (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
}

bool MayVanish(char32_t c) {
    const MappedText clean = Clean(MappedText::Of([c] {
        std::string one;
        Utf8Append(one, c);
        return one;
    }()));
    return !HasSpeakable(clean.text());
}

void CheckRanges(const std::string& text, const std::vector<Segment>& segments) {
    std::size_t last = 0;
    for (const Segment& segment : segments) {
        ASSERT_LE(last, segment.begin);
        ASSERT_LE(segment.begin, segment.end);
        ASSERT_LE(segment.end, text.size());
        ASSERT_TRUE(OnBorder(text, segment.begin) && OnBorder(text, segment.end));
        last = segment.end;
        std::size_t place = 0;
        for (std::size_t at = 0; at < segment.text.size();) {
            const std::size_t length =
                Utf8SequenceLength(std::string_view(segment.text).substr(at));
            ASSERT_GT(length, 0U);
            const TextRange range = segment.Original(at, at + length);
            ASSERT_LE(place, range.begin);
            ASSERT_TRUE(OnBorder(text, range.begin) && OnBorder(text, range.end));
            place = range.begin;
            at += length;
        }
    }
}

void CheckTexts(const std::vector<Segment>& segments, const SplitOptions& options) {
    for (const Segment& segment : segments) {
        ASSERT_TRUE(HasSpeakable(segment.text));
        ASSERT_LE(Utf8Count(segment.text), static_cast<std::size_t>(options.max_chars));
        ASSERT_NE(segment.text.front(), ' ');
        ASSERT_NE(segment.text.back(), ' ');
        ASSERT_EQ(segment.text.find_first_of("<>&\n\r\t\x7F"), std::string::npos);
        ASSERT_EQ(segment.text.find("  "), std::string::npos);
        const bool ascii = std::all_of(segment.text.begin(), segment.text.end(), [](char c) {
            return c >= ' ' && static_cast<unsigned char>(c) < 0x7F;
        });
        ASSERT_TRUE(ascii || !options.ascii);
    }
}

void CheckCoverage(const std::string& text, const std::vector<Segment>& segments) {
    auto segment = segments.begin();
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view rest = std::string_view(text).substr(at);
        while (segment != segments.end() && segment->end <= at) ++segment;
        const bool covered = segment != segments.end() && segment->begin <= at;
        const char32_t c = Utf8Decode(rest);
        ASSERT_TRUE(covered || !IsSpeakable(c) || MayVanish(c)) << at;
        at += Utf8SequenceLength(rest);
    }
}

TEST(SplitProperty, HoldsForRandomTexts) {
    std::mt19937 random(20240501);
    for (int round = 0; round < 1500; ++round) {
        const std::string text = RandomText(random);
        SplitOptions options;
        options.ascii = round % 2 == 1;
        options.max_chars = round % 3 == 0 ? 40 : 400;
        options.language = std::array{"en", "de", "el", "ja", "", "xx-nonsense"}[round % 6];
        const auto segments = Split(text, options);
        CheckTexts(segments, options);
        CheckRanges(text, segments);
        if (!options.ascii) CheckCoverage(text, segments);
        ASSERT_FALSE(HasFatalFailure()) << "round " << round << "\n" << text;
        EXPECT_TRUE(segments.empty() || segments[0].before == Pause::kNone);
    }
}

TEST(SplitProperty, EveryCharacterAloneIsSafe) {
    for (char32_t c = 0; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 37) {
        if (c >= 0xD800 && c < 0xE000) continue;
        std::string text = "a";
        Utf8Append(text, c);
        text += "b";
        SplitOptions options;
        const auto segments = Split(text, options);
        ASSERT_FALSE(segments.empty());
        CheckTexts(segments, options);
        CheckRanges(text, segments);
    }
}

TEST(SplitProperty, HostileTextsStayCheap) {
    for (const std::string_view piece : {"\u1100", "e\u0301\u0302\u0303", "! ", "\".", "(", "a.b.",
                                         "\u0301", "क्", "1,", "%", "A. "}) {
        std::string text = "x";
        while (Utf8Count(text) < 5000) text += piece;
        for (const bool ascii : {false, true}) {
            SplitOptions options;
            options.ascii = ascii;
            const auto segments = Split(text, options);
            CheckTexts(segments, options);
            CheckRanges(text, segments);
        }
    }
}

}  // namespace
}  // namespace vf::text
