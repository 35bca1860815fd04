#pragma once
// A look-ahead limiter that keeps the true peak (ITU-R BS.1770-4, annex 2: the peak of the signal
// oversampled four times) at or below a ceiling. Causal and streaming: the cut into calls does not
// change a sample, and a signal below the ceiling comes out bit for bit. Not thread-safe.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vf::audio {

class Limiter {
public:
    // `rate` in Hz, 8,000 or more; `ceiling_db` in dBTP.
    explicit Limiter(int rate, double ceiling_db = -1.0);

    // What became ready. The limiter holds back `lookahead()` samples and adds none: the first
    // sample out belongs to the first one in.
    std::vector<float> Process(std::span<const float> input);

    // The samples held back. All output together is as long as all input. To be called once.
    std::vector<float> Flush();

    // Samples held back: at most 2 ms.
    std::size_t lookahead() const { return lookahead_; }

private:
    // What a run of samples needs so that nothing above the ceiling can stand in it.
    struct Need {
        std::uint64_t position;
        double gain;
    };

    double NeededGain();
    double HeldGain(double needed);
    double SmoothGain(double held);
    void Push(float sample, std::vector<float>& out);

    double ceiling_;      // linear, with a margin for the ripple of the gain
    std::size_t smooth_;  // length of the attack ramp, samples
    std::size_t hold_;    // how long a needed gain is held, samples
    std::size_t lookahead_;
    double release_;             // share of the distance to 1 recovered in one sample
    std::vector<float> window_;  // the filter's history, twice over so that it is contiguous
    std::size_t window_at_ = 0;
    float window_peak_ = 0;  // largest magnitude in the history
    std::size_t window_peak_age_ = 0;
    std::vector<Need> needs_;  // ascending gains: a monotone queue, `needs_begin_` is its head
    std::size_t needs_begin_ = 0;
    double released_ = 1;
    std::vector<double> ramp_;  // the last `smooth_` held gains
    std::size_t ramp_at_ = 0;
    double ramp_sum_ = 0;
    std::size_t ramp_below_ = 0;  // how many of them are not exactly 1
    std::vector<float> delay_;
    std::size_t delay_at_ = 0;
    std::uint64_t in_ = 0;
    std::uint64_t out_ = 0;
};

}  // namespace vf::audio
