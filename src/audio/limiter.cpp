#include "audio/limiter.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "audio/gain.hpp"

namespace vf::audio {
namespace {

constexpr int kPhases = 4;
constexpr int kTaps = 13;
constexpr double kReleaseSeconds = 0.06;
// The gain is not constant over the filter's support when peaks follow each other closely, and a
// meter may use a steeper filter than ours; this much is kept free for both.
constexpr double kMarginDb = 0.15;

struct Filter {
    // taps[k][phase], so that the four phases of one tap stand side by side.
    std::array<std::array<float, kPhases>, kTaps> taps{};
    double worst_gain = 0;  // largest sum of magnitudes over one phase
};

// The polyphase interpolator of BS.1770-4, annex 2, as a Hann-windowed sinc of 49 taps: 12 for each
// phase between the samples, and the sample itself.
Filter MakeFilter() {
    constexpr int kLength = (kTaps - 1) * kPhases + 1;
    Filter filter;
    for (int j = 0; j < kLength; ++j) {
        const double x = (j - kLength / 2) * std::numbers::pi / kPhases;
        const double sinc = x == 0 ? 1 : std::sin(x) / x;
        const double hann = 0.5 * (1 - std::cos(2 * std::numbers::pi * j / (kLength - 1)));
        filter.taps[j / kPhases][j % kPhases] = static_cast<float>(sinc * hann);
    }
    for (int phase = 0; phase < kPhases; ++phase) {
        double sum = 0;
        for (const auto& tap : filter.taps) sum += std::abs(tap[phase]);
        filter.worst_gain = std::max(filter.worst_gain, sum);
    }
    return filter;
}

const Filter& Interpolator() {
    static const Filter filter = MakeFilter();
    return filter;
}

}  // namespace

// A need found at step m comes from samples m - 12 to m, so each of these must leave with a gain
// not above it. Sample o leaves at step o + lookahead with the mean of the last R held gains, thus
//   first sample: m - 12 + lookahead - (R - 1) >= m       ->  lookahead = R + 11
//   last sample:  m + lookahead <= last step of the hold  ->  held for lookahead steps more.
Limiter::Limiter(int rate, double ceiling_db)
    : ceiling_(DbToLinear(ceiling_db - kMarginDb)),
      harmless_(static_cast<float>(ceiling_ / Interpolator().worst_gain)),
      lookahead_(std::max<std::size_t>(static_cast<std::size_t>(rate) / 500, kSupport)),
      release_(1 - std::exp(-1 / (kReleaseSeconds * rate))),
      ramp_(lookahead_ - (kSupport - 2), 1.0), ramp_ones_(ramp_.size()),
      ramp_sum_(static_cast<double>(ramp_.size())), delay_(lookahead_) {}

std::vector<float> Limiter::Process(std::span<const float> input) {
    std::vector<float> out;
    out.reserve(input.size());
    for (const float sample : input) Step(std::isnan(sample) ? 0.0F : sample, out);
    taken_ += input.size();
    return out;
}

std::vector<float> Limiter::Flush() {
    std::vector<float> out;
    for (std::size_t i = 0; i < lookahead_; ++i) Step(0, out);
    if (out.size() > taken_)
        out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(taken_));
    return out;
}

void Limiter::Step(float sample, std::vector<float>& out) {
    const double gain = SmoothGain(HeldGain(NeededGain(sample)));
    if (step_ >= lookahead_) {
        const float delayed = delay_[delay_at_];
        out.push_back(gain == 1 ? delayed : static_cast<float>(delayed * gain));
    }
    delay_[delay_at_] = sample;
    delay_at_ = delay_at_ + 1 == lookahead_ ? 0 : delay_at_ + 1;
    ++step_;
}

double Limiter::NeededGain(float sample) {
    history_at_ = history_at_ == 0 ? kSupport - 1 : history_at_ - 1;
    history_[history_at_] = sample;
    history_[history_at_ + kSupport] = sample;
    harmless_run_ = std::abs(sample) <= harmless_ ? harmless_run_ + 1 : 0;
    if (harmless_run_ >= kSupport) return 1;
    std::array<float, kPhases> values{};
    const float* newest_first = history_.data() + history_at_;
    const Filter& filter = Interpolator();
    for (std::size_t k = 0; k < kSupport; ++k) {
        for (int phase = 0; phase < kPhases; ++phase) {
            values[phase] += filter.taps[k][phase] * newest_first[k];
        }
    }
    float peak = 0;
    for (const float value : values) peak = std::max(peak, std::abs(value));
    return peak > ceiling_ ? ceiling_ / peak : 1;
}

double Limiter::HeldGain(double needed) {
    while (!needs_.empty() && needs_.front().until < step_) needs_.pop_front();
    if (needed < 1) {
        while (!needs_.empty() && needs_.back().gain >= needed) needs_.pop_back();
        needs_.push_back({step_ + lookahead_, needed});
    }
    return needs_.empty() ? 1 : needs_.front().gain;
}

double Limiter::SmoothGain(double held) {
    if (held <= released_) {
        released_ = held;
    } else {
        released_ += (held - released_) * release_;
        if (held == 1 && released_ > 1 - 1e-5) released_ = 1;
    }
    double& slot = ramp_[ramp_at_];
    ramp_at_ = ramp_at_ + 1 == ramp_.size() ? 0 : ramp_at_ + 1;
    ramp_sum_ += released_ - slot;
    slot = released_;
    ramp_ones_ = released_ == 1 ? ramp_ones_ + 1 : 0;
    const auto length = static_cast<double>(ramp_.size());
    // Exact again, so that rounding does not add up over an hour of speech.
    if (ramp_ones_ >= ramp_.size()) ramp_sum_ = length;
    return ramp_sum_ / length;
}

}  // namespace vf::audio
