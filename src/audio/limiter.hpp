#pragma once
// A look-ahead limiter that keeps the true peak (ITU-R BS.1770-4, annex 2: the peak of the signal
// oversampled four times) at or below a ceiling. Causal and streaming: the cut into calls does not
// change a sample, and a signal below the ceiling comes out bit for bit. Not thread-safe.

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

namespace vf::audio {

class Limiter {
public:
    // `rate` in Hz, 8,000 or more; `ceiling_db` in dBTP.
    explicit Limiter(int rate, double ceiling_db = -1.0);

    // What became ready. The limiter holds back `lookahead()` samples and adds none: the first
    // sample out belongs to the first one in. NaN counts as 0.
    std::vector<float> Process(std::span<const float> input);

    // The samples held back. All output together is as long as all input. To be called once.
    std::vector<float> Flush();

    // Samples held back: at most 2 ms.
    std::size_t lookahead() const { return lookahead_; }

private:
    struct Need {
        std::uint64_t until;  // the last step at which it holds
        double gain;
    };

    void Step(float sample, std::vector<float>& out);
    double NeededGain(float sample);
    double HeldGain(double needed);
    double SmoothGain(double held);

    static constexpr std::size_t kSupport = 13;  // samples that one oversampled value depends on

    double ceiling_;  // linear
    float harmless_;  // samples below cannot make a peak at the ceiling
    std::size_t lookahead_;
    double release_;                             // share of the way back to 1 made in one step
    std::array<float, 2 * kSupport> history_{};  // twice over, so that it is always contiguous
    std::size_t history_at_ = 0;
    std::size_t harmless_run_ = kSupport;  // samples since the last one that was not harmless
    std::deque<Need> needs_;               // monotone queue: the head is the least gain in force
    double released_ = 1;
    std::vector<double> ramp_;  // the last gains after release; their mean is the gain applied
    std::size_t ramp_at_ = 0;
    std::size_t ramp_ones_;  // how many of them in a row are exactly 1
    double ramp_sum_;
    std::vector<float> delay_;
    std::size_t delay_at_ = 0;
    std::uint64_t step_ = 0;
    std::uint64_t taken_ = 0;
};

}  // namespace vf::audio
