#include "audio/limiter.hpp"

#include <gtest/gtest.h>

#include "audio/gain.hpp"
#include "audio/loudness.hpp"
#include "audio/test_audio.hpp"

namespace vf::audio {
namespace {

std::vector<float> Limit(std::span<const float> input, int rate) {
    Limiter limiter(rate);
    auto out = limiter.Process(input);
    const auto rest = limiter.Flush();
    out.insert(out.end(), rest.begin(), rest.end());
    return out;
}

// Signals that make life hard: each with a name for the failure message.
std::vector<std::pair<std::string, std::vector<float>>> NastySignals(int rate) {
    std::vector<std::pair<std::string, std::vector<float>>> signals;
    signals.emplace_back("quarter of the rate at 45 degrees: peaks lie between the samples",
                         Tone(rate, rate / 4.0, 0.5, 1.0, std::numbers::pi / 4));
    signals.emplace_back("the same, 12 dB too loud",
                         Tone(rate, rate / 4.0, 0.5, 4.0, std::numbers::pi / 4));
    signals.emplace_back("loud white noise", Noise(rate, 1, 2.0, 5));
    signals.emplace_back("tone beyond full scale", Tone(rate, 997, 0.5, 2.5));
    std::vector<float> bursts(static_cast<std::size_t>(rate));
    for (std::size_t i = 0; i < bursts.size(); ++i) {
        const bool on = i / 200 % 3 == 0;
        bursts[i] = on ? (i / 7 % 2 == 0 ? 1.0F : -1.0F) : 0.05F;
    }
    signals.emplace_back("square bursts", bursts);
    std::vector<float> clicks(static_cast<std::size_t>(rate));
    for (std::size_t i = 50; i < clicks.size(); i += 331) clicks[i] = i % 2 == 0 ? 3.0F : -1.2F;
    signals.emplace_back("single samples", clicks);
    std::vector<float> alternating(static_cast<std::size_t>(rate) / 2);
    for (std::size_t i = 0; i < alternating.size(); ++i) {
        alternating[i] = (i % 2 == 0 ? 1.0F : -1.0F) * (i / 64 % 2 == 0 ? 1.0F : -1.0F);
    }
    signals.emplace_back("phase reversals near the Nyquist rate", alternating);
    auto step = Tone(rate, 220, 0.5, 0.05);
    for (std::size_t i = step.size() / 2; i < step.size(); ++i) step[i] *= 40;
    signals.emplace_back("sudden shout", step);
    return signals;
}

TEST(Limiter, KeepsTheTruePeakOfNastySignals) {
    for (const int rate : {8000, 16000, 22050, 24000, 44100, 48000}) {
        for (const auto& [name, signal] : NastySignals(rate)) {
            const auto out = Limit(signal, rate);
            ASSERT_EQ(out.size(), signal.size());
            EXPECT_LE(MeasureLoudness(out, rate).true_peak_db, -1.0) << name << " at " << rate;
        }
    }
}

TEST(Limiter, SeesPeaksBetweenTheSamples) {
    // Every sample is at -3 dBFS, the wave between them at 0.
    const auto tone = Tone(24000, 6000, 0.5, 1.0, std::numbers::pi / 4);
    const auto out = Limit(tone, 24000);
    EXPECT_LE(MeasureLoudness(out, 24000).true_peak_db, -1.0);
    EXPECT_GE(MeasureLoudness(out, 24000).true_peak_db, -2.0);
}

TEST(Limiter, LeavesQuietSoundAloneBitForBit) {
    const auto tone = Tone(16000, 440, 0.5, DbToLinear(-1.4));
    EXPECT_EQ(Limit(tone, 16000), tone);
    // Also long after it had to act.
    auto late = Tone(16000, 440, 0.1, 2.0);
    const auto quiet = Noise(16000, 2, 0.3, 9);
    late.insert(late.end(), quiet.begin(), quiet.end());
    const auto out = Limit(late, 16000);
    EXPECT_TRUE(std::equal(late.end() - 16000, late.end(), out.end() - 16000));
}

TEST(Limiter, DoesNotSquashMoreThanNeeded) {
    const auto tone = Tone(24000, 440, 1, 1.0);
    const double peak = MeasureLoudness(Limit(tone, 24000), 24000).true_peak_db;
    EXPECT_GE(peak, -1.3);
}

TEST(Limiter, TheCutIntoCallsDoesNotChangeASample) {
    const auto noise = Noise(24000, 1, 1.7, 21);
    const auto expected = Limit(noise, 24000);
    for (const std::size_t longest : {1U, 13U, 700U}) {
        Limiter limiter(24000);
        std::vector<float> out;
        InRandomPieces(noise, longest, 4, [&](std::span<const float> piece) {
            const auto part = limiter.Process(piece);
            out.insert(out.end(), part.begin(), part.end());
        });
        const auto rest = limiter.Flush();
        out.insert(out.end(), rest.begin(), rest.end());
        EXPECT_TRUE(out == expected);
    }
}

TEST(Limiter, HoldsBackAtMostTwoMilliseconds) {
    for (const int rate : {8000, 16000, 24000, 48000}) {
        Limiter limiter(rate);
        EXPECT_LE(limiter.lookahead(), static_cast<std::size_t>(rate) / 500);
        const auto tone = Tone(rate, 100, 0.1);
        EXPECT_EQ(limiter.Process(tone).size(), tone.size() - limiter.lookahead());
        EXPECT_EQ(limiter.Flush().size(), limiter.lookahead());
    }
}

TEST(Limiter, HandlesInputsShorterThanItsLookahead) {
    EXPECT_TRUE(Limit({}, 16000).empty());
    EXPECT_EQ(Limit(std::vector<float>{0.1F, 0.2F}, 16000), (std::vector<float>{0.1F, 0.2F}));
    const std::vector<float> odd = {0.1F, std::numeric_limits<float>::quiet_NaN(), 0.2F};
    EXPECT_EQ(Limit(odd, 16000), (std::vector<float>{0.1F, 0.0F, 0.2F}));
}

}  // namespace
}  // namespace vf::audio
