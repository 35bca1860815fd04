#pragma once
// Sample formats and level: int16 <-> float, decibels, and a gain that changes without clicks.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vf::audio {

// int16 / 32768, so the result is in [-1, 1).
std::vector<float> ToFloat(std::span<const std::int16_t> samples);

// Rounded to the nearest and clamped; NaN becomes 0. No dither: speech is well above the last bit,
// and equal input must give equal bytes.
std::int16_t ToInt16(float sample);
std::vector<std::int16_t> ToInt16(std::span<const float> samples);

// The same as little-endian bytes, appended.
void AppendS16le(std::string& out, std::span<const float> samples);

double DbToLinear(double db);
double LinearToDb(double linear);  // -200 for 0 and below

// Multiplies by a gain in dB. A change is reached by a linear ramp of 10 ms, beginning with the
// next sample; the gain given at construction holds from the first sample on. Not thread-safe.
class Gain {
public:
    Gain(int rate, double db);

    void Set(double db);
    void Apply(std::span<float> samples);

private:
    int ramp_length_;
    float current_;
    float target_;
    float step_ = 0;
    int remaining_ = 0;
};

}  // namespace vf::audio
