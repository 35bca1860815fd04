#pragma once
// Word and phoneme times of a flite utterance.

#include <string_view>
#include <vector>

#include "engines/timing.hpp"

struct cst_utterance_struct;

namespace vf::worker {

// Call once the durations are known, i.e. from the first audio on. Words in order, each followed
// by its phonemes; pauses stand between as phonemes without text.
std::vector<engines::TimingEvent> EventsOf(cst_utterance_struct* utterance, std::string_view text,
                                           int sample_rate);

}  // namespace vf::worker
