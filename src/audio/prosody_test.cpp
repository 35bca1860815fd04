#include "audio/prosody.hpp"

#include <gtest/gtest.h>

#include "audio/test_audio.hpp"

namespace vf::audio {
namespace {

// A voiced sound: pulses at `hertz` through a decaying resonance.
std::vector<float> Vowel(int rate, double hertz, double seconds) {
    std::vector<float> out(static_cast<std::size_t>(rate * seconds));
    for (std::size_t i = 0; i < out.size(); ++i) {
        const double in_period = std::fmod(static_cast<double>(i) * hertz / rate, 1.0) / hertz;
        out[i] = static_cast<float>(0.5 * std::exp(-in_period * 400) *
                                    std::sin(2 * std::numbers::pi * 700 * in_period));
    }
    return out;
}

std::vector<float> Stretch(std::span<const float> input, int rate, double speed, double pitch,
                           std::size_t longest = 1000) {
    TimeStretcher stretcher(rate, speed, pitch);
    std::vector<float> out;
    InRandomPieces(input, longest, 3, [&](std::span<const float> piece) {
        const auto part = stretcher.Process(piece);
        out.insert(out.end(), part.begin(), part.end());
    });
    const auto rest = stretcher.Flush();
    out.insert(out.end(), rest.begin(), rest.end());
    return out;
}

TEST(TimeStretcher, ChangesDurationAndNotPitch) {
    const auto vowel = Vowel(16000, 140, 3);
    for (const double speed : {0.25, 0.5, 0.75, 1.25, 1.5, 2.0, 3.0, 4.0}) {
        const auto out = Stretch(vowel, 16000, speed, 0);
        const double factor = static_cast<double>(out.size()) / static_cast<double>(vowel.size());
        EXPECT_NEAR(factor * speed, 1.0, 0.03) << speed;
        EXPECT_NEAR(12 * std::log2(Fundamental(out, 16000) / 140), 0, 0.3) << speed;
    }
}

TEST(TimeStretcher, ChangesPitchAndNotDuration) {
    for (const int rate : {16000, 22050}) {
        const auto vowel = Vowel(rate, 140, 3);
        for (const double pitch : {-12.0, -5.0, -1.0, 1.0, 4.0, 7.0, 12.0}) {
            const auto out = Stretch(vowel, rate, 1, pitch);
            EXPECT_NEAR(static_cast<double>(out.size()) / static_cast<double>(vowel.size()), 1.0,
                        0.03)
                << pitch;
            EXPECT_NEAR(12 * std::log2(Fundamental(out, rate) / 140), pitch, 0.3) << pitch;
        }
    }
}

TEST(TimeStretcher, DoesNothingWhenNothingIsAsked) {
    TimeStretcher stretcher(16000, 1, 0);
    EXPECT_TRUE(stretcher.bypassed());
    const auto vowel = Vowel(16000, 140, 0.1);
    EXPECT_EQ(stretcher.Process(vowel), vowel);
    EXPECT_TRUE(stretcher.Flush().empty());
    EXPECT_EQ(TimeStretcher(16000, 2, 0).duration_factor(), 0.5);
    EXPECT_EQ(TimeStretcher(16000, 100, 0).duration_factor(), 0.25);
}

TEST(TimeStretcher, TheCutIntoCallsDoesNotChangeASample) {
    const auto vowel = Vowel(16000, 140, 1);
    const auto expected = Stretch(vowel, 16000, 1.3, 2, 100000);
    EXPECT_TRUE(Stretch(vowel, 16000, 1.3, 2, 7) == expected);
    EXPECT_TRUE(Stretch(vowel, 16000, 1.3, 2, 800) == expected);
}

TEST(TimeStretcher, HandlesNothingAndVeryLittle) {
    EXPECT_TRUE(Stretch({}, 16000, 2, 0).empty());
    EXPECT_LE(Stretch(std::vector<float>(50, 0.1F), 16000, 0.5, 0).size(), 1000U);
}

}  // namespace
}  // namespace vf::audio
