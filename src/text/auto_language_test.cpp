#include <gtest/gtest.h>

#include "text/auto_language.hpp"

namespace vf::text {
namespace {

std::vector<std::string> LanguagesOf(const Script& script) {
    std::vector<std::string> out;
    for (const Piece& piece : script.pieces) out.push_back(script.styles[piece.style].language);
    return out;
}

TEST(AutoLanguage, EverySentenceHasItsOwn) {
    const std::string text =
        "This is an English sentence, nothing else. Dies hier ist dagegen ein deutscher Satz. "
        "Und noch einer steht gleich dahinter. Voici maintenant une phrase en français.";
    const Script script = AutoLanguageScript(text);
    EXPECT_EQ(LanguagesOf(script), (std::vector<std::string>{"en", "de", "fr"}));
    EXPECT_EQ(script.language, "en");
    std::string together;
    for (const Piece& piece : script.pieces) together += piece.text.text();
    EXPECT_EQ(together, text);
}

TEST(AutoLanguage, WhatDoesNotSayGoesWithItsNeighbours) {
    const Script script = AutoLanguageScript("42! Dies hier ist ein deutscher Satz. 7.");
    EXPECT_EQ(LanguagesOf(script), (std::vector<std::string>{"de"}));
    EXPECT_EQ(AutoLanguageScript("12345").language, "");
    EXPECT_TRUE(AutoLanguageScript("").pieces.empty());
}

}  // namespace
}  // namespace vf::text
