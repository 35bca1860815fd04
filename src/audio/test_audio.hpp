#pragma once
// What the tests of this folder share: signals, random cuts, and ffmpeg as an independent decoder.

#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace vf::audio {

std::vector<float> Tone(int rate, double hertz, double seconds, double amplitude = 0.5,
                        double phase = 0);
std::vector<float> Noise(int rate, double seconds, double amplitude, unsigned seed);

// Magnitude of the component at `hertz`, as the amplitude of a sine.
double AmplitudeAt(std::span<const float> samples, int rate, double hertz);
double Rms(std::span<const float> samples);

// Fundamental by autocorrelation over the middle of `samples`, 60 to 1,000 Hz.
double Fundamental(std::span<const float> samples, int rate);

// Calls `take` with consecutive pieces of `samples`, 0 to `longest` samples each.
void InRandomPieces(std::span<const float> samples, std::size_t longest, unsigned seed,
                    const std::function<void(std::span<const float>)>& take);

// Decodes a file with ffmpeg to mono samples at `rate`. `input_options` come before -i, for data
// without a header. An empty result when ffmpeg fails; its complaints are in `*complaints`.
std::vector<float> Decode(const std::string& bytes, const std::string& extension, int rate,
                          const std::vector<std::string>& input_options, std::string* complaints);

}  // namespace vf::audio
