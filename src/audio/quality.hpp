#pragma once
// What can be measured about finished speech without knowing what it should sound like. Streaming;
// not thread-safe.

#include <array>
#include <cstdint>
#include <span>

namespace vf::audio {

struct Quality {
    double level_db = -200;        // RMS of what is speech (windows above -45 dBFS), in dBFS
    double clipped = 0;            // share of samples at full scale
    double noise_floor_db = -200;  // RMS below which a tenth of all windows lie, in dBFS
};

// From 0 to 1. `confidence` (0 to 1): how sure it is that every word is there.
//
//   score = 0.3 L + 0.25 C + 0.25 N + 0.2 confidence
//   L = 1 - |level + 20 dB| / 20 dB            speech at -20 dBFS is loud enough and not too loud
//   C = 1 - 100 * clipped                      one sample of a hundred clipped: nothing is left
//   N = (-30 dB - noise floor) / 30 dB         -60 dBFS and less is silence, -30 dBFS is a noise
//
// each between 0 and 1.
double QualityScore(const Quality& quality, double confidence);

class QualityMeter {
public:
    explicit QualityMeter(int rate);
    void Feed(std::span<const float> samples);
    Quality Measure() const;

private:
    std::size_t window_;
    std::size_t filled_ = 0;
    double sum_ = 0;
    std::uint64_t samples_ = 0;
    std::uint64_t clipped_ = 0;
    double speech_power_ = 0;
    std::uint64_t speech_windows_ = 0;
    std::uint64_t windows_ = 0;
    std::array<std::uint64_t, 101> histogram_{};  // windows by level, -100 to 0 dBFS
};

}  // namespace vf::audio
