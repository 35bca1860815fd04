#include "text/mapped_text.hpp"

#include <gtest/gtest.h>

namespace vf::text {
namespace {

TEST(MappedText, FollowsTextThroughSeveralSteps) {
    const MappedText first = MappedText::Of("one & two");
    MappedText second;
    second.Append(first, 0, 4);
    second.AppendReplaced(first, 4, 5, "and");
    second.Append(first, 5, 9);
    EXPECT_EQ(second.text(), "one and two");
    EXPECT_EQ(second.Original(0, 3), (TextRange{0, 3}));
    EXPECT_EQ(second.Original(5, 6), (TextRange{4, 5}));  // inside the replacement: all of it
    EXPECT_EQ(second.Original(8, 11), (TextRange{6, 9}));
    const MappedText third = second.Slice(5, 11);
    EXPECT_EQ(third.text(), "nd two");
    EXPECT_EQ(third.Original(0, 6), (TextRange{4, 9}));
    EXPECT_EQ(third.Original(3, 6), (TextRange{6, 9}));
}

TEST(MappedText, ClampsAndHandlesNothing) {
    EXPECT_EQ(MappedText().Original(0, 5), (TextRange{0, 0}));
    const MappedText text = MappedText::Of("abc");
    EXPECT_EQ(text.Original(1, 99), (TextRange{1, 3}));
    EXPECT_EQ(text.Original(3, 3), (TextRange{3, 3}));
    EXPECT_EQ(text.Original(9, 2), (TextRange{3, 3}));
    EXPECT_TRUE(text.Slice(2, 2).empty());
}

TEST(MappedText, LeftOutTextLeavesAGap) {
    const MappedText source = MappedText::Of("a-b-c");
    MappedText out;
    out.Append(source, 0, 1);
    out.Append(source, 2, 3);
    out.Append(source, 4, 5);
    EXPECT_EQ(out.text(), "abc");
    EXPECT_EQ(out.Original(1, 2), (TextRange{2, 3}));
    EXPECT_EQ(out.Original(0, 3), (TextRange{0, 5}));
}

}  // namespace
}  // namespace vf::text
