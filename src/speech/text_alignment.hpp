#pragma once
// A text of the caller's found in audio of the caller's: words and characters of the original text
// with their times, numbers and abbreviations as they are read out. On the loop.

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/task.hpp"
#include "engines/engines.hpp"
#include "speech/timeline.hpp"

namespace vf::speech {

struct AlignedWord {
    TimelineItem item;
    // How badly the sound fits the word, 0 and up: about 5 where it fits, 10 where it does not
    // (engines::TimingEvent::loss).
    double loss = 0;
};

struct TextAlignment {
    std::vector<AlignedWord> words;        // without punctuation
    std::vector<TimelineItem> characters;  // every one of the text, in order
    double loss = 0;                       // of all words, weighed by their length
    double seconds = 0;                    // of the audio
};

// `text` is English, at most kMaxAlignedCharacters; `audio` a file. Errors: those of
// Engines::Align.
inline constexpr std::size_t kMaxAlignedCharacters = 20'000;
Task<Result<TextAlignment>> AlignText(engines::Engines* engines, std::string text,
                                      std::shared_ptr<const std::string> audio);

}  // namespace vf::speech
