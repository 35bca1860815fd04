#pragma once
// Fills a Timeline from what engines tell. Words and phonemes come from the engine; characters are
// spread inside a word by its phones, visemes follow from the phones, and what an engine does not
// tell is estimated. All times are made monotone. On the loop.

#include <string>
#include <vector>

#include "engines/timing.hpp"
#include "speech/timeline.hpp"
#include "text/compose.hpp"

namespace vf::speech {

class TimelineBuilder {
public:
    explicit TimelineBuilder(Timeline& timeline) : timeline_(timeline) {}

    // The text that is spoken next; `base` is what its positions count from (live speeches).
    void AddText(const text::Composition& text, std::size_t base);

    // Borrows `segment` until EndSegment. `alphabet`: engines::Voice::phoneme_alphabet.
    void StartSegment(const text::Segment& segment, const std::string& alphabet);
    // The segment's events were found in its audio.
    void SetAligned();
    // In the order in which the engine tells them, on the whole audio's clock.
    void Add(const engines::TimingEvent& event, double start, double end);
    // All events are here that are known while the audio has come to `seconds`.
    void Advance(double seconds);
    // The segment's audio lies between the two.
    void EndSegment(double start, double end);

    // A mark that stands after all segments.
    void AddMark(const text::SegmentMark& mark, double seconds);
    // The audio is complete: what has no time yet comes to its end, and nothing is beyond it.
    void Close(double total_seconds);

private:
    // Words of one stretch of the original, until their characters have been placed.
    struct Group {
        text::TextRange original{0, 0};
        text::TextRange spoken{0, 0};  // in the segment's text
        double start = 0;
        double end = 0;
        std::vector<double> phone_ends;
    };
    void AddWord(const engines::TimingEvent& event, double start, double end);
    void NameWord(TimelineItem& word) const;
    void AddPhoneme(const engines::TimingEvent& event, double start, double end);
    void PlaceGroup();
    void PlaceMarks(std::size_t spoken_to, double seconds);
    void PlaceCharactersTo(std::size_t original_end, double start, double end);
    void PlaceNormalisedTo(std::size_t spoken_end, double start, double end);
    void Estimate(double start, double end);
    double TimeInGroup(double share) const;

    Timeline& timeline_;
    std::vector<text::TextCharacter> characters_;  // all that were announced
    std::size_t base_ = 0;
    std::size_t next_character_ = 0;  // of characters_, not placed yet
    const text::Segment* segment_ = nullptr;
    std::string alphabet_;
    std::size_t next_normalised_ = 0;  // byte of the segment's text
    std::size_t next_mark_ = 0;
    bool has_words_ = false;
    bool has_group_ = false;
    Group group_;
    double characters_end_ = 0;
    double normalised_end_ = 0;
    double word_end_ = 0;
    double phoneme_end_ = 0;
};

}  // namespace vf::speech
