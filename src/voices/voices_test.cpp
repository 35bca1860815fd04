// Before the database is up: the defaults, and clear refusals.
#include "voices/voices.hpp"

#include <gtest/gtest.h>

#include "base/unavailable.hpp"

namespace vf::voices {
namespace {

TEST(VoiceSettings, AreTheDefaultsWhileTheDatabaseIsAway) {
    asio::io_context loop;
    VoiceSettings settings;
    EXPECT_EQ(RunTask(loop, settings.Find(TeamId::New(), "slt")), StoredSettings{});
    EXPECT_THROW(RunTask(loop, settings.All(TeamId::New())), UnavailableException);
    EXPECT_THROW((void)RunTask(loop, settings.Set(Caller(), "slt", {})), UnavailableException);
}

}  // namespace
}  // namespace vf::voices
