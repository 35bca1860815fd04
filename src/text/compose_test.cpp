// Scripts become segments: voices, exact pauses, marks, phonemes, characters.
#include <gtest/gtest.h>

#include "text/compose.hpp"

namespace vf::text {
namespace {

using std::chrono::milliseconds;

class ComposeTest : public testing::Test {
protected:
    void Text(std::string_view text, std::uint32_t style = 0, std::string phonemes = "") {
        const std::size_t begin = source.size();
        source += text;
        Piece piece;
        piece.style = style;
        piece.phonemes = std::move(phonemes);
        texts.push_back({begin, source.size()});
        script.pieces.push_back(std::move(piece));
    }
    void Put(Piece::Kind kind, milliseconds pause = milliseconds(0), std::string name = "") {
        Piece piece;
        piece.kind = kind;
        piece.pause = pause;
        piece.name = std::move(name);
        piece.at = source.size();
        script.pieces.push_back(std::move(piece));
    }
    Composition Run() {
        const MappedText all = MappedText::Of(source);
        std::size_t next = 0;
        for (Piece& piece : script.pieces) {
            if (piece.kind != Piece::Kind::kText) continue;
            piece.text = all.Slice(texts[next].begin, texts[next].end);
            ++next;
        }
        ComposeOptions options;
        options.styles = styles;
        options.original = source;
        options.lines_matter = lines_matter;
        return Compose(script, options);
    }
    static std::string Texts(const Composition& composition) {
        std::string out;
        for (const Segment& segment : composition.segments) {
            if (!out.empty()) out += '|';
            out += segment.text;
        }
        return out;
    }

    Script script;
    std::string source;
    std::vector<TextRange> texts;
    std::vector<StyleTraits> styles{{"en", false, 0}, {"en", false, 1}, {"en", false, 0}};
    bool lines_matter = true;
};

TEST_F(ComposeTest, CutsWhereAnotherVoiceSpeaks) {
    Text("One ");
    Text("two", 1);
    Text(". Three ");
    Text("four", 2);
    Text(" five.");
    const Composition out = Run();
    EXPECT_EQ(Texts(out), "One|two.|Three four five.") << "equal groups are one breath";
    EXPECT_EQ(out.segments[1].style, 1U);
    EXPECT_EQ(out.segments[1].before, Pause::kNone);
    EXPECT_EQ(out.segments[2].before, Pause::kSentence);
    EXPECT_EQ(out.segments[2].begin, source.find("Three"));
}

TEST_F(ComposeTest, PausesAreExactAndAddUp) {
    Put(Piece::Kind::kPause, milliseconds(100));
    Text("One.");
    Put(Piece::Kind::kPause, milliseconds(300));
    Put(Piece::Kind::kSentence);
    Put(Piece::Kind::kPause, milliseconds(200));
    Text("Two and");
    Put(Piece::Kind::kPause, milliseconds(0));
    Text("three.");
    Put(Piece::Kind::kParagraph);
    Text("Four.");
    Put(Piece::Kind::kPause, milliseconds(700));
    const Composition out = Run();
    EXPECT_EQ(Texts(out), "One.|Two and|three.|Four.");
    EXPECT_EQ(out.lead, milliseconds(100));
    EXPECT_EQ(out.segments[1].pause, milliseconds(500));
    EXPECT_EQ(out.segments[2].pause, milliseconds(0));
    EXPECT_FALSE(out.segments[3].pause);
    EXPECT_EQ(out.segments[3].before, Pause::kParagraph);
    EXPECT_EQ(out.tail, milliseconds(700));
}

TEST_F(ComposeTest, MarksDoNotPartWhatIsReadAsOne) {
    Text("Salt ");
    Put(Piece::Kind::kMark, {}, "and");
    Text("& pepper cost $");
    Put(Piece::Kind::kMark, {}, "inside");
    Text("12 ");
    Put(Piece::Kind::kMark, {}, "today");
    Text("today.");
    const Composition out = Run();
    ASSERT_EQ(out.segments.size(), 1U);
    const std::string& text = out.segments[0].text;
    EXPECT_EQ(text, "Salt and pepper cost twelve dollars today.");
    const auto& marks = out.segments[0].marks;
    ASSERT_EQ(marks.size(), 3U);
    EXPECT_EQ(marks[0].at, text.find("and"));
    EXPECT_EQ(marks[1].at, text.find("twelve"));
    EXPECT_EQ(marks[2].at, text.find("today"));
}

TEST_F(ComposeTest, MarksStandBeforeTheirWord) {
    Put(Piece::Kind::kMark, {}, "start");
    Text("One two ");
    Put(Piece::Kind::kMark, {}, "three");
    Text("three.");
    Put(Piece::Kind::kMark, {}, "before the pause");
    Put(Piece::Kind::kPause, milliseconds(500));
    Put(Piece::Kind::kMark, {}, "after the pause");
    Text("Four.");
    Put(Piece::Kind::kPause, milliseconds(500));
    Put(Piece::Kind::kMark, {}, "end");
    const Composition out = Run();
    ASSERT_EQ(out.segments.size(), 2U);
    const auto& marks = out.segments[0].marks;
    ASSERT_EQ(marks.size(), 3U);
    EXPECT_EQ(marks[0].at, 0U);
    EXPECT_EQ(marks[1].name, "three");
    EXPECT_EQ(marks[1].at, out.segments[0].text.find("three"));
    EXPECT_EQ(marks[2].at, out.segments[0].text.size());
    ASSERT_EQ(out.segments[1].marks.size(), 1U);
    EXPECT_EQ(out.segments[1].marks[0].name, "after the pause");
    EXPECT_EQ(out.segments[1].marks[0].at, 0U);
    ASSERT_EQ(out.tail_marks.size(), 1U);
    EXPECT_EQ(out.tail_marks[0].name, "end");
}

TEST_F(ComposeTest, PhonemesFollowTheirWord) {
    Text("I say  ");
    Text("tomato", 0, "təˈmɑːtoʊ");
    Text(" and you don't.");
    const Composition out = Run();
    ASSERT_EQ(out.segments.size(), 1U);
    const Segment& segment = out.segments[0];
    ASSERT_EQ(segment.phonemes.size(), 1U);
    EXPECT_EQ(segment.text.substr(segment.phonemes[0].begin,
                                  segment.phonemes[0].end - segment.phonemes[0].begin),
              "tomato");
    EXPECT_EQ(segment.phonemes[0].ipa, "təˈmɑːtoʊ");
}

TEST_F(ComposeTest, CharactersAreThoseOfTheText) {
    Text("e\xcc\x81! ");
    Put(Piece::Kind::kMark, {}, "m");
    Text("b");
    const Composition out = Run();
    std::vector<std::string> characters;
    for (const TextCharacter& c : out.characters) characters.push_back(c.text);
    EXPECT_EQ(characters, (std::vector<std::string>{"e\xcc\x81", "!", " ", "b"}));
    EXPECT_EQ(out.characters[1].begin, 3U);
}

TEST_F(ComposeTest, LinesOfMarkupAreSpaces) {
    lines_matter = false;
    Text("One\n\n  two\n - three.");
    EXPECT_EQ(Texts(Run()), "One two - three.");
}

TEST_F(ComposeTest, NothingToSpeak) {
    Text(" ... ");
    Put(Piece::Kind::kPause, milliseconds(100));
    EXPECT_TRUE(Run().segments.empty());
    script.pieces.clear();
    texts.clear();
    EXPECT_TRUE(Run().segments.empty());
}

TEST(MappedTextTest, FindsAndStacks) {
    const MappedText source = MappedText::Of("a $5 b");
    MappedText spoken;
    spoken.Append(source, 0, 2);
    spoken.AppendReplaced(source, 2, 4, "five dollars");
    spoken.Append(source, 4, 6);
    EXPECT_EQ(spoken.Find(2, 4), (TextRange{2, 14}));
    EXPECT_EQ(spoken.Find(3, 4), (TextRange{2, 14}));
    EXPECT_EQ(spoken.Find(5, 6), (TextRange{15, 16}));
    EXPECT_EQ(spoken.Find(6, 6), (TextRange{16, 16}));
    const MappedText flat = MappedText::Of(spoken.text());
    MappedText upper;
    upper.AppendReplaced(flat, 0, 1, "A");
    upper.Append(flat, 1, flat.text().size());
    const MappedText over = upper.Over(spoken);
    EXPECT_EQ(over.text(), "A five dollars b");
    EXPECT_EQ(over.Original(2, 6), (TextRange{2, 4}));
    EXPECT_EQ(over.Original(0, 1), (TextRange{0, 1}));
    EXPECT_EQ(over.Original(15, 16), (TextRange{5, 6}));
}

}  // namespace
}  // namespace vf::text
