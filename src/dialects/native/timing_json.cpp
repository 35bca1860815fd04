#include "dialects/native/timing_json.hpp"

#include <algorithm>
#include <cmath>

#include "base/base64.hpp"
#include "base/utf8.hpp"

namespace vf::native {
namespace {

using speech::TimelineItem;

// To the tenth of a millisecond: less than a sample's difference is noise.
double Rounded(double seconds) {
    return std::round(seconds * 1e4) / 1e4;
}

json::object Times(const TimelineItem& item) {
    return {{"start", Rounded(item.start_seconds)}, {"end", Rounded(item.end_seconds)}};
}

void AddPlace(json::object& out, const TimelineItem& item, const CharacterIndex& index) {
    out["text_begin"] = index.At(item.text_begin);
    out["text_end"] = index.At(item.text_end);
    out["byte_begin"] = item.text_begin;
    out["byte_end"] = item.text_end;
}

template <class Make>
void AddList(json::object& out, const char* name, const std::vector<TimelineItem>& items,
             Make make) {
    if (items.empty()) return;
    json::array list;
    list.reserve(items.size());
    for (const TimelineItem& item : items) list.push_back(make(item));
    out[name] = std::move(list);
}

}  // namespace

void CharacterIndex::Extend(std::string_view text) {
    for (; end_ < text.size(); end_ += Utf8SequenceLength(text.substr(end_))) {
        begins_.push_back(static_cast<std::uint32_t>(end_));
    }
}

std::size_t CharacterIndex::At(std::size_t byte) const {
    return static_cast<std::size_t>(std::lower_bound(begins_.begin(), begins_.end(), byte) -
                                    begins_.begin());
}

json::object ChunkJson(const speech::TimedChunk& chunk, const CharacterIndex& index) {
    json::object out;
    out["type"] = "audio";
    out["audio"] = Base64(chunk.audio);
    out["start"] = Rounded(chunk.start_seconds);
    out["end"] = Rounded(chunk.end_seconds);
    AddList(out, "words", chunk.words, [&](const TimelineItem& item) {
        json::object word = Times(item);
        word["text"] = item.label;
        word["spoken"] = item.spoken;
        AddPlace(word, item, index);
        return word;
    });
    AddList(out, "characters", chunk.characters, [&](const TimelineItem& item) {
        json::object character = Times(item);
        character["text"] = item.label;
        AddPlace(character, item, index);
        return character;
    });
    AddList(out, "normalised_characters", chunk.normalised_characters,
            [&](const TimelineItem& item) {
                json::object character = Times(item);
                character["text"] = item.label;
                return character;
            });
    AddList(out, "phonemes", chunk.phonemes, [&](const TimelineItem& item) {
        json::object phoneme = Times(item);
        phoneme["ipa"] = item.label;
        AddPlace(phoneme, item, index);
        return phoneme;
    });
    AddList(out, "visemes", chunk.visemes, [](const TimelineItem& item) {
        json::object viseme = Times(item);
        viseme["id"] = item.viseme;
        return viseme;
    });
    AddList(out, "marks", chunk.marks, [](const TimelineItem& item) {
        return json::object{{"name", item.label}, {"time", Rounded(item.start_seconds)}};
    });
    return out;
}

json::object DoneJson(const speech::Speech& speech) {
    return {{"type", "done"},
            {"duration", Rounded(speech.seconds())},
            {"character_count", speech.characters},
            {"timing", std::string(TimingSourceName(speech.timeline.source))},
            {"operation", speech.operation.Wire()}};
}

}  // namespace vf::native
