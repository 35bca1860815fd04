#include "dialects/native/preview.hpp"

#include <gtest/gtest.h>

namespace vf::native {
namespace {

TEST(PreviewSentences, TheNearestLanguageIsTaken) {
    const Result<PreviewSentences> read =
        PreviewSentences::Read("# tags\n\nen\tHello.\npt\tOlá.\npt-BR\tOi.\n");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->For("pt-BR"), "Oi.");
    EXPECT_EQ(read->For("pt-PT-x-north"), "Olá.");
    EXPECT_EQ(read->For("en-GB"), "Hello.");
    EXPECT_EQ(read->For("xx"), "Hello.");
    EXPECT_EQ(PreviewSentences().For("xx"), "");
}

TEST(PreviewSentences, AWrongLineIsNamed) {
    const std::string kLong = "en\t" + std::string(500, 'a');
    for (const std::string& line : {std::string("en Hello."), std::string("\tHello."),
                                    std::string("en\t"), std::string("en\tHello.\tmore"),
                                    std::string("de\tnochmal"), kLong, std::string("en\t\xFF")}) {
        const Result<PreviewSentences> read = PreviewSentences::Read("de\tHallo.\n" + line + "\n");
        ASSERT_FALSE(read) << line;
        EXPECT_EQ(read.error().code(), "invalid_previews");
        EXPECT_NE(read.error().message().find("Line 2"), std::string::npos);
    }
}

}  // namespace
}  // namespace vf::native
