#pragma once
// When a word or a phoneme of a segment is spoken.

#include <cstdint>
#include <string>

namespace vf::engines {

struct TimingEvent {
    enum Kind { kWord, kPhoneme };
    Kind kind = kWord;
    // Bytes of the segment's text, end exclusive. A phoneme has the range of its word; the words
    // that one token becomes ("$12.50") share the token's range. Both 0: no text, e.g. a pause.
    std::uint32_t text_begin = 0, text_end = 0;
    std::uint64_t start_sample = 0, end_sample = 0;  // at the engine's rate, end exclusive
    // The word as spoken ("twelve"), or the phoneme in the engine's own alphabet.
    std::string label;
    // Of an alignment: how badly the sound fits, 0 (not at all badly) and up, as the mean distance
    // of a 10 ms frame from the sound that fits best (natural logarithm of likelihoods).
    float loss = 0;

    friend bool operator==(const TimingEvent&, const TimingEvent&) = default;
};

}  // namespace vf::engines
