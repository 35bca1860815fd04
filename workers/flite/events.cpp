#include "flite/events.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "flite/flite_c.hpp"
#include "flite/pronounce.hpp"

namespace vf::worker {
namespace {

using engines::TimingEvent;

struct Range {
    std::uint32_t begin = 0, end = 0;
};
// By what the items of all relations share, since an item is another one in each relation.
using Ranges = std::map<const cst_item_contents*, Range>;

Ranges TokenRanges(cst_utterance* utterance, std::string_view text) {
    Ranges ranges;
    cst_relation* tokens = utt_relation(utterance, "Token");
    std::size_t at = 0;
    for (cst_item* token = relation_head(tokens); token != nullptr; token = item_next(token)) {
        if (item_feat_present(token, kTokenBegin) != 0) {
            const Range range{static_cast<std::uint32_t>(item_feat_int(token, kTokenBegin)),
                              static_cast<std::uint32_t>(item_feat_int(token, kTokenEnd))};
            ranges[token->contents] = range;
            at = range.end;
            continue;
        }
        const std::string_view name = item_feat_string(token, "name");
        const std::size_t found = name.empty() ? std::string_view::npos : text.find(name, at);
        if (found == std::string_view::npos) continue;
        at = found + name.size();
        ranges[token->contents] = {static_cast<std::uint32_t>(found),
                                   static_cast<std::uint32_t>(at)};
    }
    return ranges;
}

Range RangeOf(const cst_item* word, const Ranges& ranges) {
    const cst_item* in_token = word == nullptr ? nullptr : item_as(word, "Token");
    const cst_item* token = in_token == nullptr ? nullptr : item_parent(in_token);
    const auto found = token == nullptr ? ranges.end() : ranges.find(token->contents);
    return found == ranges.end() ? Range{} : found->second;
}

const cst_item* WordOf(const cst_item* segment) {
    const cst_item* in_syllable = item_as(segment, "SylStructure");
    const cst_item* syllable = in_syllable == nullptr ? nullptr : item_parent(in_syllable);
    return syllable == nullptr ? nullptr : item_parent(syllable);
}

}  // namespace

std::vector<TimingEvent> EventsOf(cst_utterance_struct* utterance, std::string_view text,
                                  int sample_rate) {
    std::vector<TimingEvent> events;
    if (utt_relation_present(utterance, "Token") == 0 ||
        utt_relation_present(utterance, "Segment") == 0) {
        return events;
    }
    const Ranges ranges = TokenRanges(utterance, text);
    const cst_item_contents* word_now = nullptr;
    std::size_t word_event = 0;
    std::uint64_t start = 0;
    cst_relation* segments = utt_relation(utterance, "Segment");
    for (cst_item* segment = relation_head(segments); segment != nullptr;
         segment = item_next(segment)) {
        const double seconds = std::max(0.0F, item_feat_float(segment, "end"));
        const auto end = std::max(start, static_cast<std::uint64_t>(seconds * sample_rate));
        const cst_item* word = WordOf(segment);
        const Range range = RangeOf(word, ranges);
        if (word != nullptr && word->contents != word_now) {
            word_event = events.size();
            events.push_back({TimingEvent::kWord, range.begin, range.end, start, end,
                              item_feat_string(word, "name")});
        }
        word_now = word == nullptr ? nullptr : word->contents;
        if (word != nullptr) events[word_event].end_sample = end;
        events.push_back({TimingEvent::kPhoneme, range.begin, range.end, start, end,
                          item_feat_string(segment, "name")});
        start = end;
    }
    return events;
}

}  // namespace vf::worker
