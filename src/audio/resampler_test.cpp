#include "audio/resampler.hpp"

#include <gtest/gtest.h>

#include "audio/test_audio.hpp"

namespace vf::audio {
namespace {

std::vector<float> Resample(std::span<const float> input, int in, int out) {
    Resampler resampler(in, out);
    auto result = resampler.Process(input);
    const auto rest = resampler.Flush();
    result.insert(result.end(), rest.begin(), rest.end());
    return result;
}

struct Rates {
    int in;
    int out;
};
constexpr Rates kRates[] = {{16000, 24000}, {22050, 24000}, {16000, 8000}, {22050, 8000},
                            {16000, 44100}, {16000, 48000}, {22050, 16000}};

TEST(Resampler, LengthIsExact) {
    for (const auto& [in, out] : kRates) {
        for (const std::size_t length : {0U, 1U, 2U, 999U, 40000U}) {
            const std::vector<float> samples(length, 0.1F);
            const auto expected = std::llround(static_cast<double>(length) * out / in);
            EXPECT_EQ(Resample(samples, in, out).size(), static_cast<std::size_t>(expected))
                << in << " " << out << " " << length;
        }
    }
}

TEST(Resampler, KeepsTimeAndLevel) {
    for (const auto& [in, out] : kRates) {
        const auto input = Tone(in, 440, 1, 0.5);
        const auto expected = Tone(out, 440, 1, 0.5);
        const auto result = Resample(input, in, out);
        double worst = 0;
        for (std::size_t i = expected.size() / 4; i < expected.size() * 3 / 4; ++i) {
            worst = std::max(worst, std::abs(static_cast<double>(result[i]) - expected[i]));
        }
        EXPECT_LT(worst, 0.002) << in << " " << out;  // a shift of one sample would be 0.06
    }
}

TEST(Resampler, DoesNotFold) {
    // 6 kHz cannot exist at 8 kHz: it must vanish and not come back as 2 kHz.
    const auto folded = Resample(Tone(16000, 6000, 1, 0.5), 16000, 8000);
    EXPECT_LT(Rms(std::span(folded).subspan(1000, 6000)), 1e-4);
    const auto mirrored = Resample(Tone(16000, 3000, 1, 0.5), 16000, 48000);
    EXPECT_LT(AmplitudeAt(std::span(mirrored).subspan(4800, 38400), 48000, 13000), 1e-4);
}

TEST(Resampler, TheCutIntoCallsDoesNotChangeASample) {
    const auto noise = Noise(16000, 1, 0.5, 31);
    for (const auto& [in, out] : kRates) {
        const auto expected = Resample(noise, in, out);
        for (const std::size_t longest : {5U, 333U, 9000U}) {
            Resampler resampler(in, out);
            std::vector<float> result;
            InRandomPieces(noise, longest, 8, [&](std::span<const float> piece) {
                const auto part = resampler.Process(piece);
                result.insert(result.end(), part.begin(), part.end());
            });
            const auto rest = resampler.Flush();
            result.insert(result.end(), rest.begin(), rest.end());
            EXPECT_TRUE(result == expected) << in << " " << out << " " << longest;
        }
    }
}

TEST(Resampler, EqualRatesPassAtOnce) {
    Resampler resampler(16000, 16000);
    const auto noise = Noise(16000, 0.01, 0.5, 1);
    EXPECT_EQ(resampler.Process(noise), noise);
    EXPECT_TRUE(resampler.Flush().empty());
}

TEST(Resampler, FirstSoundWaitsFor45MillisecondsAtMost) {
    Resampler resampler(16000, 24000);
    const auto tone = Tone(16000, 440, 0.045);
    EXPECT_FALSE(resampler.Process(tone).empty());
}

}  // namespace
}  // namespace vf::audio
