// Voice settings and output formats, as the routes and the sockets read them.
#include <gtest/gtest.h>

#include <set>

#include "audio/encoder.hpp"
#include "dialects/elevenlabs/output_format.hpp"
#include "dialects/elevenlabs/voice_settings.hpp"

namespace vf::elevenlabs {
namespace {

Result<VoiceSettings> Read(std::string_view text, VoiceSettings defaults = {}) {
    return ReadVoiceSettings(json::Parse(text)->root, defaults);
}

TEST(ElevenLabsVoiceSettings, DefaultsChangeNothing) {
    speech::SpeechRequest request;
    Apply(VoiceSettings{}, request);
    EXPECT_EQ(request.shaping, speech::Shaping{});
    EXPECT_EQ(request.speed, 1.0);
}

TEST(ElevenLabsVoiceSettings, EachMovesItsOwnQuantityOneWayWithinItsRange) {
    const auto shaped = [](VoiceSettings settings) {
        speech::SpeechRequest request;
        Apply(settings, request);
        return request;
    };
    speech::SpeechRequest before = shaped({.stability = 0, .similarity_boost = 0, .style = 0});
    EXPECT_DOUBLE_EQ(before.shaping.pitch_range, 2);
    EXPECT_DOUBLE_EQ(before.shaping.brightness, -12);
    for (int i = 1; i <= 10; ++i) {
        const double x = i / 10.0;
        const auto now = shaped({.stability = x, .similarity_boost = x, .style = x});
        EXPECT_LT(now.shaping.pitch_range, before.shaping.pitch_range);
        EXPECT_GT(now.shaping.brightness, before.shaping.brightness);
        EXPECT_GT(now.shaping.dynamics, before.shaping.dynamics);
        before = now;
    }
    EXPECT_DOUBLE_EQ(before.shaping.pitch_range, 0.5);
    EXPECT_DOUBLE_EQ(before.shaping.brightness, 4);
    EXPECT_DOUBLE_EQ(before.shaping.dynamics, 2);
    EXPECT_LT(shaped({.use_speaker_boost = false}).shaping.presence, 0);
    EXPECT_EQ(shaped({.speed = 0.7}).speed, 0.7);
}

TEST(ElevenLabsVoiceSettings, NullsAndStrangersLeaveTheDefaults) {
    EXPECT_EQ(*Read("null"), VoiceSettings{});
    EXPECT_EQ(*Read(R"({"stability":null,"colour":"red"})"), VoiceSettings{});
    const VoiceSettings stored{.stability = 0.1, .speed = 1.1};
    EXPECT_EQ(*Read("{}", stored), stored);
    EXPECT_EQ(Read(R"({"speed":0.9})", stored)->speed, 0.9);
    EXPECT_EQ(*ReadVoiceSettings(ToJson(stored)), stored);
}

TEST(ElevenLabsVoiceSettings, EveryWrongMemberIsNamed) {
    const auto read =
        Read(R"({"stability":1.01,"style":"much","use_speaker_boost":1,"speed":0.69})");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code(), "invalid_voice_settings");
    ASSERT_EQ(read.error().fields().size(), 4U);
    EXPECT_EQ(read.error().fields()[0].path, "/voice_settings/stability");
    EXPECT_EQ(read.error().fields()[3].path, "/voice_settings/speed");
    EXPECT_FALSE(Read("[]"));
}

TEST(ElevenLabsOutputFormat, ThereAre28ThatTheEncodersTake) {
    std::set<std::string_view> names;
    for (const OutputFormat& format : OutputFormats()) {
        names.insert(format.name);
        EXPECT_TRUE(audio::CheckRate(format.format, format.sample_rate)) << format.name;
    }
    EXPECT_EQ(names.size(), 28U);
    EXPECT_EQ(ReadOutputFormat("mp3_24000_48")->bit_rate, 48000);
    EXPECT_EQ(ReadOutputFormat("")->name, "mp3_44100_128");
}

TEST(ElevenLabsOutputFormat, AnUnknownOneIsToldWhatThereIs) {
    for (const char* name : {"mp3", "MP3_44100_128", "pcm_11025", "mp3_44100_129"}) {
        const auto read = ReadOutputFormat(name);
        ASSERT_FALSE(read) << name;
        EXPECT_EQ(read.error().code(), "invalid_output_format");
        EXPECT_NE(read.error().message().find("ulaw_8000"), std::string::npos);
    }
}

}  // namespace
}  // namespace vf::elevenlabs
