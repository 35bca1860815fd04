#pragma once
// Streaming sample rate conversion for mono, without shift: output sample k stands at the same time
// as input sample k * in / out. Not thread-safe.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace vf::audio {

class Resampler {
public:
    // Rates in Hz, 4,000 to 192,000. Equal rates pass samples through untouched and undelayed.
    Resampler(int in_rate, int out_rate);
    ~Resampler();
    Resampler(Resampler&&) noexcept;
    Resampler& operator=(Resampler&&) noexcept;

    // The output that became ready; what is cut into which call does not change a sample.
    std::vector<float> Process(std::span<const float> input);

    // The rest. All output together is round(input * out / in) samples long. To be called once.
    std::vector<float> Flush();

private:
    struct State;
    std::unique_ptr<State> state_;  // null: pass through
};

}  // namespace vf::audio
