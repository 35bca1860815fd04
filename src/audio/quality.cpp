#include "audio/quality.hpp"

#include <algorithm>
#include <cmath>

namespace vf::audio {
namespace {

constexpr double kSpeechDb = -45;
constexpr float kFullScale = 0.999F;
constexpr double kFloorShare = 0.1;

}  // namespace

double QualityScore(const Quality& quality, double confidence) {
    const auto share = [](double value) { return std::clamp(value, 0.0, 1.0); };
    const double level = share(1 - std::abs(quality.level_db + 20) / 20);
    const double clean = share(1 - 100 * quality.clipped);
    const double quiet = share((-30 - quality.noise_floor_db) / 30);
    return 0.3 * level + 0.25 * clean + 0.25 * quiet + 0.2 * share(confidence);
}

QualityMeter::QualityMeter(int rate) : window_(static_cast<std::size_t>(rate) / 50) {}

void QualityMeter::Feed(std::span<const float> samples) {
    samples_ += samples.size();
    for (const float sample : samples) {
        if (std::abs(sample) >= kFullScale) ++clipped_;
        sum_ += static_cast<double>(sample) * sample;
        if (++filled_ < window_) continue;
        const double power = sum_ / static_cast<double>(window_);
        const double db = std::clamp(10 * std::log10(power + 1e-12), -100.0, 0.0);
        ++histogram_[static_cast<std::size_t>(std::lround(db + 100))];
        ++windows_;
        if (db > kSpeechDb) {
            speech_power_ += power;
            ++speech_windows_;
        }
        sum_ = 0;
        filled_ = 0;
    }
}

Quality QualityMeter::Measure() const {
    Quality out;
    if (windows_ == 0) return out;
    if (speech_windows_ > 0) {
        out.level_db = 10 * std::log10(speech_power_ / static_cast<double>(speech_windows_));
    }
    out.clipped = static_cast<double>(clipped_) / static_cast<double>(samples_);
    const auto wanted =
        static_cast<std::uint64_t>(std::ceil(kFloorShare * static_cast<double>(windows_)));
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < histogram_.size(); ++i) {
        below += histogram_[i];
        if (below < wanted) continue;
        out.noise_floor_db = static_cast<double>(i) - 100;
        break;
    }
    return out;
}

}  // namespace vf::audio
