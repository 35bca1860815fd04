#include "audio/loudness.hpp"

#include <ebur128.h>

#include <cmath>
#include <memory>
#include <new>

#include "audio/gain.hpp"

namespace vf::audio {

Loudness MeasureLoudness(std::span<const float> mono, int rate) {
    struct Destroy {
        void operator()(ebur128_state* state) const { ebur128_destroy(&state); }
    };
    const std::unique_ptr<ebur128_state, Destroy> state(
        ebur128_init(1, static_cast<unsigned long>(rate), EBUR128_MODE_I | EBUR128_MODE_TRUE_PEAK));
    if (!state) throw std::bad_alloc();
    ebur128_add_frames_float(state.get(), mono.data(), mono.size());
    double lufs = 0;
    double peak = 0;
    ebur128_loudness_global(state.get(), &lufs);
    ebur128_true_peak(state.get(), 0, &peak);
    return {std::isfinite(lufs) ? lufs : -200.0, LinearToDb(peak)};
}

}  // namespace vf::audio
