#include "audio/gain.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "audio/loudness.hpp"
#include "audio/test_audio.hpp"

namespace vf::audio {
namespace {

TEST(Gain, ConvertsSamplesBothWaysWithoutLoss) {
    std::vector<std::int16_t> all;
    for (int value = -32768; value < 32768; ++value)
        all.push_back(static_cast<std::int16_t>(value));
    EXPECT_EQ(ToInt16(ToFloat(all)), all);
    EXPECT_EQ(ToInt16(1.0F), 32767);
    EXPECT_EQ(ToInt16(-5.0F), -32768);
    EXPECT_EQ(ToInt16(std::numeric_limits<float>::quiet_NaN()), 0);
    std::string bytes;
    AppendS16le(bytes, std::vector<float>{1.0F, -1.0F});
    EXPECT_EQ(bytes, std::string("\xFF\x7F\x00\x80", 4));
}

TEST(Gain, RampsToANewLevelWithoutAStep) {
    Gain gain(16000, 0);
    std::vector<float> ones(1000, 0.5F);
    gain.Apply(std::span(ones).first(100));
    gain.Set(-20);
    gain.Apply(std::span(ones).subspan(100, 33));
    gain.Apply(std::span(ones).subspan(133));
    EXPECT_EQ(ones[99], 0.5F);
    EXPECT_NEAR(ones[260], 0.05, 1e-6);
    for (std::size_t i = 1; i < ones.size(); ++i) EXPECT_LT(std::abs(ones[i] - ones[i - 1]), 0.004);
}

TEST(Loudness, MeasuresTheReferenceTone) {
    // EBU Tech 3341: a 1 kHz sine at -23 dBFS peak, in one channel, reads 3.01 dB below that.
    const auto tone = Tone(48000, 1000, 20, DbToLinear(-20));
    const Loudness loudness = MeasureLoudness(tone, 48000);
    EXPECT_NEAR(loudness.integrated_lufs, -23.0, 0.2);
    EXPECT_NEAR(loudness.true_peak_db, -20.0, 0.1);
    EXPECT_LE(MeasureLoudness(std::vector<float>(48000), 48000).integrated_lufs, -70);
}

}  // namespace
}  // namespace vf::audio
