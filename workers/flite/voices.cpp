#include "flite/voices.hpp"

#include <algorithm>
#include <cmath>

namespace vf::worker {
namespace {

constexpr double kLowestFactor = 0.7;
constexpr double kHighestFactor = 1.6;

// Any two of the thirteen differ by two semitones or come from different bases, which
// bench/voices/distinct.py measures.
// clang-format off
constexpr FliteVoice kVoices[] = {
    {"slt", "Slt", "female", "Flite's US English voice slt.", "adult", "clear", Base::kSlt, 1, 1, 0, 1, -4.1},
    {"rms", "Rms", "male", "Flite's US English voice rms.", "adult", "clear", Base::kRms, 1, 1, 0, 1, 1.6},
    {"awb", "Awb", "male", "Flite's Scottish English voice awb.", "adult", "clear", Base::kAwb, 1, 1, 0, 1, 0.6},
    {"kal16", "Kal", "male", "Flite's quickest voice, of joined diphones.", "adult", "quick, mechanical", Base::kKal16, 1, 1, 0, 1, 8.8},
    {"alloy", "Alloy", "neutral", "Low and level; parametric, of slt.", "", "low, level", Base::kSlt, 0.767, 0.85, 0.05, 1, -1.6},
    {"ash", "Ash", "male", "Plain and clear; parametric, of rms.", "", "plain, clear", Base::kRms, 1.0, 1.15, 0, 0.97, 1.6},
    {"ballad", "Ballad", "male", "Deep, with a Scottish accent; parametric, of awb.", "", "deep", Base::kAwb, 0.862, 1.2, 0.015, 1.06, 0.5},
    {"coral", "Coral", "female", "Bright and friendly; parametric, of slt.", "", "bright, friendly", Base::kSlt, 1.315, 1.15, 0, 0.97, -5.2},
    {"echo", "Echo", "male", "High and light; parametric, of rms.", "", "high, light", Base::kRms, 1.34, 1, -0.04, 1, 1.1},
    {"fable", "Fable", "neutral", "A teller with a Scottish accent; parametric, of awb.", "", "storytelling", Base::kAwb, 1.0, 1.25, 0, 1.03, 0.6},
    {"nova", "Nova", "female", "Lively; parametric, of slt.", "", "lively", Base::kSlt, 1.142, 1.2, 0, 0.95, -5.5},
    {"onyx", "Onyx", "male", "The deepest; parametric, of rms.", "", "very deep", Base::kRms, 0.86, 0.9, 0.02, 1.04, 1.3},
    {"sage", "Sage", "female", "Calm; parametric, of slt.", "", "calm", Base::kSlt, 0.876, 0.9, 0.02, 1.05, -2.6},
    {"shimmer", "Shimmer", "female", "The highest; parametric, of slt.", "", "very high", Base::kSlt, 1.49, 1, 0, 1, -3.2},
    {"verse", "Verse", "male", "High, with a Scottish accent; parametric, of awb.", "", "high", Base::kAwb, 1.16, 1.1, -0.02, 0.98, 0.1},
    {"marin", "Marin", "female", "Warm; parametric, of slt.", "", "warm", Base::kSlt, 1.0, 1.1, 0.04, 1.02, -5.0},
    {"cedar", "Cedar", "male", "Warm; parametric, of rms.", "", "warm", Base::kRms, 1.16, 0.95, -0.02, 1.02, 1.6},
};
// clang-format on

}  // namespace

std::span<const FliteVoice> FliteVoices() {
    return kVoices;
}

const FliteVoice* FindFliteVoice(std::string_view id) {
    const auto found = std::ranges::find(kVoices, id, &FliteVoice::id);
    return found == std::end(kVoices) ? nullptr : found;
}

std::string_view TechnologyOf(const FliteVoice& voice) {
    return voice.base == Base::kKal16 ? "diphone" : "statistical";
}

double LowestPitch(const FliteVoice& voice) {
    return std::min(0.0, 12 * std::log2(kLowestFactor / voice.pitch));
}

double HighestPitch(const FliteVoice& voice) {
    return std::max(0.0, 12 * std::log2(kHighestFactor / voice.pitch));
}

double LowestRange(const FliteVoice& /*voice*/) {
    return 0.1;
}

double HighestRange(const FliteVoice& voice) {
    // kal16's accents break its joined diphones; the others run into the highest F0.
    return voice.base == Base::kKal16 ? 1.8 : 2;
}

}  // namespace vf::worker
