#pragma once
// When what is said, on the clock of the whole audio, mapped to the caller's original text. Filled
// while the audio is rendered; one per response, on the loop. Lists only grow, in order of time, so
// a reader keeps an index into each; entries behind the audio written so far may still come for it
// where an engine tells late.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/mapped_text.hpp"

namespace vf::speech {

struct TimelineItem {
    std::size_t text_begin = 0;  // bytes of the original text, on character borders
    std::size_t text_end = 0;
    double start_seconds = 0;  // from the first sample of the audio
    double end_seconds = 0;
    // Words: as it stands in the original. Phonemes: IPA. Marks: the name. Characters: the
    // character (one code point with what combines with it).
    std::string label;
    std::string spoken;  // words: as the engine was given it ("twelve"); else empty
    int viseme = 0;      // visemes: Azure's id
};

// How good the times are, the worst of what was used.
enum class TimingSource : std::uint8_t {
    kEngine,     // told by the engine
    kAligned,    // found in the finished audio
    kEstimated,  // spread by the length of the words
};
std::string_view TimingSourceName(TimingSource source);  // "engine", "aligned", "estimated"

struct Timeline {
    std::vector<TimelineItem> words;
    std::vector<TimelineItem> phonemes;
    std::vector<TimelineItem> visemes;
    std::vector<TimelineItem> marks;
    // Every character of the original text, spaces and punctuation too, once and in order; markup
    // is left out.
    std::vector<TimelineItem> characters;
    // Likewise of the normalised text (text_begin and text_end still point into the original).
    std::vector<TimelineItem> normalised_characters;
    TimingSource source = TimingSource::kEngine;
};

}  // namespace vf::speech
