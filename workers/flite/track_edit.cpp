#include "flite/track_edit.hpp"

#include <algorithm>
#include <cmath>

#include "flite/flite_c.hpp"

namespace vf::worker {
namespace {

constexpr double kLowestHz = 40;
constexpr double kHighestHz = 500;

// One utterance at a time in a process of one thread.
TrackEdit* current_edit = nullptr;

void ChangePitch(cst_track& track, double mean_hz, const TrackEdit& edit) {
    for (int i = 0; i < track.num_frames; ++i) {
        float& hz = track.frames[i][0];
        if (hz <= 0) continue;  // unvoiced
        const double wanted = edit.pitch * mean_hz * std::pow(hz / mean_hz, edit.range);
        hz = static_cast<float>(std::clamp(wanted, kLowestHz, kHighestHz));
    }
}

}  // namespace

void UseTrackEdit(TrackEdit* edit) {
    current_edit = edit;
}

}  // namespace vf::worker

// The linker's --wrap=mlpg leads flite's call here and names the original __real_mlpg.
extern "C" cst_track* __real_mlpg(const cst_track* parameters, cst_cg_db* voice);

extern "C" cst_track* __wrap_mlpg(const cst_track* parameters, cst_cg_db* voice) {
    using namespace vf::worker;
    if (current_edit == nullptr) return __real_mlpg(parameters, voice);
    cst_track limited = *parameters;
    if (limited.num_frames > current_edit->most_frames) {
        // Smoothing takes most of the memory; what is too long stops at its first frames.
        current_edit->too_long = true;
        limited.num_frames = std::min(limited.num_frames, 10);
    }
    cst_track* track = __real_mlpg(&limited, voice);
    if (current_edit->pitch != 1 || current_edit->range != 1) {
        ChangePitch(*track, static_cast<double>(voice->f0_mean), *current_edit);
    }
    return track;
}
