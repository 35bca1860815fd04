#include "speech/timeline_builder.hpp"

#include <algorithm>
#include <cmath>

#include "base/utf8.hpp"
#include "text/phonemes.hpp"
#include "text/sentence_end.hpp"

namespace vf::speech {
namespace {

// What an engine's phoneme is in IPA; "" for silence.
std::string IpaOf(const std::string& alphabet, const std::string& label) {
    const auto known = text::FindPhonemeAlphabet(alphabet);
    return known ? text::EnginePhonemeToIpa(*known, label) : label;
}

TimelineItem ItemAt(std::size_t begin, std::size_t end, double start, double stop) {
    TimelineItem item;
    item.text_begin = begin;
    item.text_end = end;
    item.start_seconds = start;
    item.end_seconds = std::max(start, stop);
    return item;
}

}  // namespace

void TimelineBuilder::AddText(const text::Composition& text, std::size_t base) {
    base_ = base;
    characters_.reserve(characters_.size() + text.characters.size());
    for (text::TextCharacter character : text.characters) {
        character.begin += base;
        character.end += base;
        characters_.push_back(std::move(character));
    }
}

void TimelineBuilder::StartSegment(const text::Segment& segment, const std::string& alphabet) {
    segment_ = &segment;
    alphabet_ = alphabet;
    next_normalised_ = segment.heard ? segment.heard->begin : 0;
    next_mark_ = 0;
    has_words_ = false;
    has_group_ = false;
    if (!timeline_.normalised_characters.empty()) {
        // The border between two segments, as one space of the normalised text.
        TimelineItem space =
            ItemAt(segment.begin + base_, segment.begin + base_, normalised_end_, normalised_end_);
        space.label = " ";
        timeline_.normalised_characters.push_back(std::move(space));
    }
}

void TimelineBuilder::Add(const engines::TimingEvent& event, double start, double end) {
    if (event.kind == engines::TimingEvent::kWord) {
        AddWord(event, start, end);
    } else {
        AddPhoneme(event, start, end);
    }
}

void TimelineBuilder::AddWord(const engines::TimingEvent& event, double start, double end) {
    has_words_ = true;
    start = std::max(start, word_end_);
    end = std::max(end, start);
    word_end_ = end;
    const text::TextRange original = segment_->Original(event.text_begin, event.text_end);
    if (has_group_ && group_.original == original && original.begin < original.end) {
        group_.end = end;
        group_.spoken.end = std::max<std::size_t>(group_.spoken.end, event.text_end);
    } else {
        PlaceGroup();
        group_ = {original, {event.text_begin, event.text_end}, start, end, {}};
        has_group_ = original.begin < original.end;
    }
    PlaceMarks(event.text_end, start);
    TimelineItem word = ItemAt(original.begin + base_, original.end + base_, start, end);
    NameWord(word);
    word.spoken = event.label;
    // espeak-ng tells of the words in a number one by one, some of them at no place of the text.
    if (!word.label.empty()) timeline_.words.push_back(std::move(word));
}

// The word as it stands in the original, without the punctuation that an engine's token has at its
// ends.
void TimelineBuilder::NameWord(TimelineItem& word) const {
    auto first = std::partition_point(
        characters_.begin(), characters_.end(),
        [&](const text::TextCharacter& c) { return c.begin < word.text_begin; });
    auto last = std::partition_point(first, characters_.end(), [&](const text::TextCharacter& c) {
        return c.begin < word.text_end;
    });
    const auto is_edge = [](const text::TextCharacter& c) {
        return text::IsPunctuation(Utf8Decode(c.text));
    };
    const bool has_core = !std::all_of(first, last, is_edge);
    while (has_core && is_edge(*first)) ++first;
    while (has_core && is_edge(*(last - 1))) --last;
    if (first == last) return;
    word.text_begin = first->begin;
    word.text_end = (last - 1)->end;
    for (auto c = first; c != last; ++c) word.label += c->text;
}

void TimelineBuilder::AddPhoneme(const engines::TimingEvent& event, double start, double end) {
    start = std::max(start, phoneme_end_);
    end = std::max(end, start);
    phoneme_end_ = end;
    std::string ipa = IpaOf(alphabet_, event.label);
    const text::TextRange original = segment_->Original(event.text_begin, event.text_end);
    TimelineItem item = ItemAt(original.begin + base_, original.end + base_, start, end);
    item.viseme = ipa.empty() ? 0 : text::VisemeOf(ipa);
    timeline_.visemes.push_back(item);
    if (ipa.empty()) return;
    if (has_group_ && original == group_.original) group_.phone_ends.push_back(end);
    item.viseme = 0;
    item.label = std::move(ipa);
    timeline_.phonemes.push_back(std::move(item));
}

void TimelineBuilder::Advance(double seconds) {
    // A word that lies ahead of the audio: its engine tells everything at once. One that lies
    // behind it: nothing more can come for it.
    constexpr double kLate = 0.2;
    const bool is_ahead = group_.end > seconds;
    const bool is_behind = !group_.phone_ends.empty() && group_.end + kLate < seconds;
    if (is_ahead || is_behind) PlaceGroup();
}

// When `share` of the group's characters have been said: phones take equal shares of the
// characters.
double TimelineBuilder::TimeInGroup(double share) const {
    if (group_.phone_ends.empty()) return group_.start + share * (group_.end - group_.start);
    const double at = share * static_cast<double>(group_.phone_ends.size());
    const auto whole = static_cast<std::size_t>(at);
    if (whole >= group_.phone_ends.size()) return group_.end;
    const double from = whole == 0 ? group_.start : group_.phone_ends[whole - 1];
    const double to = group_.phone_ends[whole];
    return from + (at - std::floor(at)) * (to - from);
}

void TimelineBuilder::PlaceGroup() {
    if (!has_group_) return;
    has_group_ = false;
    PlaceCharactersTo(group_.original.begin + base_, characters_end_, group_.start);
    const std::size_t end = group_.original.end + base_;
    std::size_t count = 0;
    while (next_character_ + count < characters_.size() &&
           characters_[next_character_ + count].begin < end) {
        ++count;
    }
    for (std::size_t i = 0; i < count; ++i) {
        const text::TextCharacter& c = characters_[next_character_++];
        const double start = std::max(
            characters_end_, TimeInGroup(static_cast<double>(i) / static_cast<double>(count)));
        const double stop = TimeInGroup(static_cast<double>(i + 1) / static_cast<double>(count));
        TimelineItem item = ItemAt(c.begin, c.end, start, stop);
        item.label = c.text;
        characters_end_ = item.end_seconds;
        timeline_.characters.push_back(std::move(item));
    }
    PlaceNormalisedTo(group_.spoken.begin, normalised_end_, group_.start);
    PlaceNormalisedTo(group_.spoken.end, group_.start, group_.end);
}

// What stands between words shares the time between them.
void TimelineBuilder::PlaceCharactersTo(std::size_t original_end, double start, double end) {
    std::size_t count = 0;
    while (next_character_ + count < characters_.size() &&
           characters_[next_character_ + count].begin < original_end) {
        ++count;
    }
    start = std::max(start, characters_end_);
    end = std::max(end, start);
    for (std::size_t i = 0; i < count; ++i) {
        const text::TextCharacter& c = characters_[next_character_++];
        const double step = (end - start) / static_cast<double>(count);
        TimelineItem item = ItemAt(c.begin, c.end, start + step * static_cast<double>(i),
                                   start + step * static_cast<double>(i + 1));
        item.label = c.text;
        timeline_.characters.push_back(std::move(item));
    }
    if (count > 0) characters_end_ = end;
}

void TimelineBuilder::PlaceNormalisedTo(std::size_t spoken_end, double start, double end) {
    const std::string_view text = segment_->text;
    spoken_end = std::min(spoken_end, segment_->heard ? segment_->heard->end : text.size());
    if (spoken_end <= next_normalised_) return;
    const std::size_t count =
        Utf8Count(text.substr(next_normalised_, spoken_end - next_normalised_));
    start = std::max(start, normalised_end_);
    end = std::max(end, start);
    for (std::size_t i = 0; next_normalised_ < spoken_end; ++i) {
        const std::size_t length = Utf8SequenceLength(text.substr(next_normalised_));
        const text::TextRange original =
            segment_->Original(next_normalised_, next_normalised_ + length);
        const auto at = [&](std::size_t n) {
            const double share = static_cast<double>(n) / static_cast<double>(count);
            const bool by_phones = start >= group_.start && end <= group_.end + 1e-9;
            return by_phones ? std::clamp(TimeInGroup(share), start, end)
                             : start + share * (end - start);
        };
        TimelineItem item = ItemAt(original.begin + base_, original.end + base_, at(i), at(i + 1));
        item.label = text.substr(next_normalised_, length);
        timeline_.normalised_characters.push_back(std::move(item));
        next_normalised_ += length;
    }
    normalised_end_ = end;
}

void TimelineBuilder::PlaceMarks(std::size_t spoken_to, double seconds) {
    while (next_mark_ < segment_->marks.size() && segment_->marks[next_mark_].at < spoken_to) {
        AddMark(segment_->marks[next_mark_++], seconds);
    }
}

void TimelineBuilder::AddMark(const text::SegmentMark& mark, double seconds) {
    const double last = timeline_.marks.empty() ? 0 : timeline_.marks.back().start_seconds;
    const double at = std::max(last, seconds);
    TimelineItem item = ItemAt(mark.original + base_, mark.original + base_, at, at);
    item.label = mark.name;
    timeline_.marks.push_back(std::move(item));
}

void TimelineBuilder::EndSegment(double start, double end) {
    if (!has_words_) Estimate(start, end);
    PlaceGroup();
    group_ = {};
    PlaceMarks(segment_->text.size() + 1, std::max(word_end_, start));
    PlaceNormalisedTo(segment_->text.size(), normalised_end_, end);
    PlaceCharactersTo(segment_->end + base_, characters_end_, end);
    segment_ = nullptr;
}

// Words of a segment of which nothing was told, each as long as its share of the letters.
void TimelineBuilder::Estimate(double start, double end) {
    timeline_.source = TimingSource::kEstimated;
    const std::string_view text = segment_->text;
    const double step = (end - start) / static_cast<double>(std::max<std::size_t>(text.size(), 1));
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t word = text.find_first_not_of(' ', at);
        if (word == std::string_view::npos) break;
        const std::size_t stop = std::min(text.find(' ', word), text.size());
        engines::TimingEvent event;
        event.text_begin = static_cast<std::uint32_t>(word);
        event.text_end = static_cast<std::uint32_t>(stop);
        event.label = text.substr(word, stop - word);
        AddWord(event, start + step * static_cast<double>(word),
                start + step * static_cast<double>(stop));
        at = stop;
    }
}

void TimelineBuilder::Close(double total_seconds) {
    PlaceCharactersTo(std::string::npos, characters_end_, characters_end_);
    for (auto* list : {&timeline_.words, &timeline_.phonemes, &timeline_.visemes, &timeline_.marks,
                       &timeline_.characters, &timeline_.normalised_characters}) {
        for (auto item = list->rbegin(); item != list->rend(); ++item) {
            if (item->end_seconds <= total_seconds) break;
            item->start_seconds = std::min(item->start_seconds, total_seconds);
            item->end_seconds = total_seconds;
        }
    }
}

}  // namespace vf::speech
