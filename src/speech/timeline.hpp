#pragma once
// When what is said: words and phonemes on the clock of the whole audio, each mapped to the
// caller's original text. Filled while the audio is rendered; one per response, on the loop.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vf::speech {

struct TimelineItem {
    enum class Kind { kWord, kPhoneme };
    Kind kind = Kind::kWord;
    std::size_t text_begin = 0;  // bytes of the original text
    std::size_t text_end = 0;
    double start_seconds = 0;  // from the first sample of the audio
    double end_seconds = 0;
    std::string label;  // the word as the engine read it, or the engine's phoneme name
};

class Timeline {
public:
    // Items must come in order of time within a kind; a start before the last end is moved there,
    // so that times stay monotone whatever an engine reports.
    void Add(TimelineItem item);
    // Cuts what reaches past the end of the audio.
    void Close(double total_seconds);

    const std::vector<TimelineItem>& items() const { return items_; }

private:
    std::vector<TimelineItem> items_;
    double last_end_[2] = {0, 0};
};

}  // namespace vf::speech
