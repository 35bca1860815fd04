#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "audio/quality.hpp"
#include "audio/shaper.hpp"

namespace vf::audio {
namespace {

constexpr int kRate = 24000;

std::vector<float> Tone(double hz, double amplitude, double seconds) {
    std::vector<float> out(static_cast<std::size_t>(seconds * kRate));
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<float>(amplitude *
                                    std::sin(2 * M_PI * hz * static_cast<double>(i) / kRate));
    }
    return out;
}

double RmsDb(const std::vector<float>& samples, std::size_t from) {
    double sum = 0;
    for (std::size_t i = from; i < samples.size(); ++i) {
        sum += static_cast<double>(samples[i]) * samples[i];
    }
    return 10 * std::log10(sum / static_cast<double>(samples.size() - from));
}

TEST(QualityMeter, TellsLevelClippingAndNoise) {
    QualityMeter meter(kRate);
    meter.Feed(Tone(200, std::sqrt(2) * 0.1, 1));  // -20 dBFS
    meter.Feed(std::vector<float>(kRate / 4));
    const Quality good = meter.Measure();
    EXPECT_NEAR(good.level_db, -20, 0.1);
    EXPECT_EQ(good.clipped, 0);
    EXPECT_LE(good.noise_floor_db, -99);
    EXPECT_NEAR(QualityScore(good, 1), 1, 0.01);
    EXPECT_NEAR(QualityScore(good, 0.5), 0.9, 0.01);

    QualityMeter noisy(kRate);
    noisy.Feed(Tone(200, std::sqrt(2) * 0.1, 1));
    noisy.Feed(Tone(900, std::sqrt(2) * 0.0316, 1));  // -30 dBFS where silence should be
    EXPECT_NEAR(noisy.Measure().noise_floor_db, -30, 1);
    EXPECT_LT(QualityScore(noisy.Measure(), 1), 0.8);

    QualityMeter clipped(kRate);
    std::vector<float> square = Tone(200, 1, 1);
    for (float& s : square) s = s > 0 ? 1.0F : -1.0F;
    clipped.Feed(square);
    EXPECT_GT(clipped.Measure().clipped, 0.9);
    EXPECT_LT(QualityScore(clipped.Measure(), 1), 0.3);
    EXPECT_NEAR(QualityScore(QualityMeter(kRate).Measure(), 0), 0.5, 1e-9) << "of nothing";
}

TEST(Shaper, MovesWhatItSays) {
    const auto gain_at = [](double hz, const ShaperOptions& options) {
        std::vector<float> tone = Tone(hz, 0.1, 0.5);
        const double before = RmsDb(tone, kRate / 4);
        Shaper(kRate, options).Process(tone);
        return RmsDb(tone, kRate / 4) - before;
    };
    ShaperOptions bright;
    bright.brightness_db = 6;
    EXPECT_NEAR(gain_at(300, bright), 0, 0.3);
    EXPECT_NEAR(gain_at(9000, bright), 6, 0.5);
    ShaperOptions present;
    present.presence_db = -6;
    EXPECT_NEAR(gain_at(2800, present), -6, 0.3);
    EXPECT_NEAR(gain_at(200, present), 0, 0.3);
    EXPECT_EQ(gain_at(1000, {}), 0);
}

TEST(Shaper, DynamicsStretchLevels) {
    const auto spread = [](double dynamics) {
        std::vector<float> speech;
        for (int i = 0; i < 10; ++i) {
            for (const double amplitude : {0.2, 0.05}) {
                const std::vector<float> part = Tone(200, amplitude, 0.2);
                speech.insert(speech.end(), part.begin(), part.end());
            }
        }
        ShaperOptions options;
        options.dynamics = dynamics;
        Shaper(kRate, options).Process(speech);
        const auto level = [&](double seconds) {
            const auto at = static_cast<std::ptrdiff_t>(seconds * kRate);
            return RmsDb({speech.begin() + at, speech.begin() + at + kRate / 20}, 0);
        };
        return level(3.3) - level(3.5);
    };
    EXPECT_NEAR(spread(1), 12, 0.2);
    EXPECT_GT(spread(1.5), 14);
    EXPECT_LT(spread(0.5), 10);
    EXPECT_GT(spread(2), spread(1.5));
}

TEST(Shaper, TheCutIntoCallsChangesNothing) {
    ShaperOptions options{3, -2, 1.4};
    std::vector<float> whole = Tone(440, 0.3, 0.3);
    std::vector<float> parts = whole;
    Shaper(kRate, options).Process(whole);
    Shaper shaper(kRate, options);
    for (std::size_t at = 0; at < parts.size(); at += 77) {
        shaper.Process(std::span(parts).subspan(at, std::min<std::size_t>(77, parts.size() - at)));
    }
    EXPECT_EQ(whole, parts);
}

}  // namespace
}  // namespace vf::audio
