#pragma once
// The voices of the flite worker: four as flite has them, and thirteen made of three of those by
// other pitch, range, vocal tract length and pace. Data only.

#include <span>
#include <string_view>

namespace vf::worker {

enum class Base { kSlt, kRms, kAwb, kKal16 };

struct FliteVoice {
    std::string_view id, name, gender, description;
    std::string_view age;  // of the recorded speaker; made voices have none
    std::string_view style;
    Base base;
    double pitch;    // factor on F0; 0.75 to 1.5 leave the words as clear as they were
    double range;    // factor on F0's distance from its mean, in octaves
    double alpha;    // added to the all-pass constant: above 0 a longer vocal tract
    double stretch;  // factor on durations
    double gain_db;  // to -20 LUFS, measured by bench/voices/voice_loudness
};

std::span<const FliteVoice> FliteVoices();
const FliteVoice* FindFliteVoice(std::string_view id);

// How its sound is made: "diphone" or "statistical".
std::string_view TechnologyOf(const FliteVoice& voice);

// What a voice does natively, in semitones: as far as the base voice stays clear.
double LowestPitch(const FliteVoice& voice);
double HighestPitch(const FliteVoice& voice);

// How far the excursions of F0 may shrink and grow, as factors.
double LowestRange(const FliteVoice& voice);
double HighestRange(const FliteVoice& voice);

}  // namespace vf::worker
