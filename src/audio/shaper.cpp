#include "audio/shaper.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vf::audio {
namespace {

constexpr double kShelfHz = 3000;
constexpr double kPeakHz = 2800;
constexpr double kPeakOctaves = 1.5;
constexpr double kFastSeconds = 0.03;
constexpr double kSlowSeconds = 2.0;
constexpr double kSpeechFloor = 1e-5;  // power: below -50 dBFS is a pause, which has no level
constexpr double kMostDb = 9;          // that the dynamics may lift or lower

double Smoothing(int rate, double seconds) {
    return 1 - std::exp(-1 / (seconds * rate));
}

}  // namespace

// Both after R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter
// coefficients".
Shaper::Biquad Shaper::HighShelf(int rate, double hz, double db) {
    Biquad out;
    if (db == 0) return out;
    const double a = std::pow(10, db / 40);
    const double w = 2 * std::numbers::pi * std::min(hz, 0.45 * rate) / rate;
    const double alpha = std::sin(w) / 2 * std::numbers::sqrt2;
    const double root = 2 * std::sqrt(a) * alpha;
    const double c = std::cos(w);
    const double a0 = (a + 1) - (a - 1) * c + root;
    out.b0 = a * ((a + 1) + (a - 1) * c + root) / a0;
    out.b1 = -2 * a * ((a - 1) + (a + 1) * c) / a0;
    out.b2 = a * ((a + 1) + (a - 1) * c - root) / a0;
    out.a1 = 2 * ((a - 1) - (a + 1) * c) / a0;
    out.a2 = ((a + 1) - (a - 1) * c - root) / a0;
    return out;
}

Shaper::Biquad Shaper::Peak(int rate, double hz, double octaves, double db) {
    Biquad out;
    if (db == 0) return out;
    const double a = std::pow(10, db / 40);
    const double w = 2 * std::numbers::pi * std::min(hz, 0.4 * rate) / rate;
    const double alpha = std::sin(w) * std::sinh(std::numbers::ln2 / 2 * octaves * w / std::sin(w));
    const double a0 = 1 + alpha / a;
    out.b0 = (1 + alpha * a) / a0;
    out.b1 = -2 * std::cos(w) / a0;
    out.b2 = (1 - alpha * a) / a0;
    out.a1 = out.b1;
    out.a2 = (1 - alpha / a) / a0;
    return out;
}

Shaper::Shaper(int rate, const ShaperOptions& options)
    : options_(options), shelf_(HighShelf(rate, kShelfHz, options.brightness_db)),
      peak_(Peak(rate, kPeakHz, kPeakOctaves, options.presence_db)),
      fast_(Smoothing(rate, kFastSeconds)), slow_(Smoothing(rate, kSlowSeconds)) {}

// How far a syllable's level lies from the mean of the speech so far is stretched or shrunk.
double Shaper::Dynamics(double sample) {
    fast_power_ += fast_ * (sample * sample - fast_power_);
    if (fast_power_ > kSpeechFloor) {
        const double level = 10 * std::log10(fast_power_);
        if (!has_level_) slow_level_ = level;
        has_level_ = true;
        slow_level_ += slow_ * (level - slow_level_);
        const double change =
            std::clamp((options_.dynamics - 1) * (level - slow_level_), -kMostDb, kMostDb);
        gain_ += fast_ * (std::pow(10, change / 20) - gain_);
    }
    return sample * gain_;
}

void Shaper::Process(std::span<float> samples) {
    if (options_.is_neutral()) return;
    for (float& sample : samples) {
        double x = peak_.Step(shelf_.Step(sample));
        if (options_.dynamics != 1) x = Dynamics(x);
        sample = static_cast<float>(x);
    }
}

}  // namespace vf::audio
