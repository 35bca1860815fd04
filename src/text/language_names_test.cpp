#include "text/language_names.hpp"

#include <gtest/gtest.h>

namespace vf::text {
namespace {

TEST(LanguageNames, TagsBecomeCanonical) {
    EXPECT_EQ(CanonicalTag("EN-gb"), "en-GB");
    EXPECT_EQ(CanonicalTag("cmn"), "zh");
    EXPECT_EQ(CanonicalTag("vi-VN-x-central"), "vi-VN-x-central");
    EXPECT_EQ(CanonicalTag("es-419"), "es-419");
    EXPECT_EQ(CanonicalTag("en-GB-scotland"), "en-GB-scotland");
}

TEST(LanguageNames, WhatIsNoTagHasNoCanonicalForm) {
    EXPECT_EQ(CanonicalTag(""), "");
    EXPECT_EQ(CanonicalTag("e"), "");
    EXPECT_EQ(CanonicalTag("../etc"), "");
}

TEST(LanguageNames, ALanguageIsNamedInItself) {
    EXPECT_EQ(NativeLanguageName("de"), "Deutsch");
    EXPECT_EQ(NativeLanguageName("uk"), "українська");
    EXPECT_EQ(NativeLanguageName("ja"), "日本語");
    EXPECT_EQ(NativeLanguageName("pt-BR"), "português (Brasil)");
}

TEST(LanguageNames, AnotherNameStandsInWhereOneIsMissing) {
    EXPECT_EQ(LanguageName("de", "en"), "German");
    EXPECT_EQ(NativeLanguageName("tlh"), "Klingon");
    EXPECT_EQ(NativeLanguageName("qdb"), "qdb");
    EXPECT_EQ(NativeLanguageName("art-x-pyash"), "art-x-pyash");
    EXPECT_EQ(NativeLanguageName(""), "");
}

}  // namespace
}  // namespace vf::text
