#include "engines/quarantine.hpp"

#include <gtest/gtest.h>

namespace vf::engines {
namespace {

using namespace std::chrono_literals;

const Quarantine::Clock::time_point kStart{1h};

TEST(Quarantine, HoldsAfterTwoStrikesUntilItExpires) {
    Quarantine quarantine(4, 10min);
    const auto key = Quarantine::KeyOf("slt", "bad");
    EXPECT_EQ(quarantine.Strike(key, kStart), 1);
    EXPECT_FALSE(quarantine.Holds(key, kStart));
    EXPECT_EQ(quarantine.Strike(key, kStart + 1min), 2);
    EXPECT_TRUE(quarantine.Holds(key, kStart + 2min));
    EXPECT_FALSE(quarantine.Holds(Quarantine::KeyOf("rms", "bad"), kStart + 2min));
    EXPECT_FALSE(quarantine.Holds(key, kStart + 12min));
    EXPECT_EQ(quarantine.size(), 0U);
}

TEST(Quarantine, StrikesFarApartDoNotAddUp) {
    Quarantine quarantine(4, 10min);
    const auto key = Quarantine::KeyOf("slt", "bad");
    quarantine.Strike(key, kStart);
    EXPECT_EQ(quarantine.Strike(key, kStart + 11min), 1);
}

TEST(Quarantine, ForgetsTheOldestWhenFull) {
    Quarantine quarantine(2, 10min);
    for (const char* text : {"a", "a", "b", "b", "c", "c"}) {
        quarantine.Strike(Quarantine::KeyOf("slt", text), kStart);
    }
    EXPECT_EQ(quarantine.size(), 2U);
    EXPECT_FALSE(quarantine.Holds(Quarantine::KeyOf("slt", "a"), kStart));
    EXPECT_TRUE(quarantine.Holds(Quarantine::KeyOf("slt", "c"), kStart));
    quarantine.Clear(Quarantine::KeyOf("slt", "c"));
    EXPECT_FALSE(quarantine.Holds(Quarantine::KeyOf("slt", "c"), kStart));
}

TEST(Quarantine, VoiceAndTextDoNotRunIntoEachOther) {
    EXPECT_NE(Quarantine::KeyOf("a", "bc"), Quarantine::KeyOf("ab", "c"));
}

}  // namespace
}  // namespace vf::engines
