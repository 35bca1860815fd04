#pragma once
// Loudness of a piece of audio (libebur128: EBU R 128, ITU-R BS.1770-4), for benches and tests.

#include <span>

namespace vf::audio {

struct Loudness {
    double integrated_lufs;  // -70 or below for silence; needs 0.4 s of audio at least
    double true_peak_db;     // dBTP; -200 for digital silence
};

// `rate` in Hz.
Loudness MeasureLoudness(std::span<const float> mono, int rate);

}  // namespace vf::audio
