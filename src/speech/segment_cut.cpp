#include "speech/segment_cut.hpp"

#include <algorithm>
#include <limits>

namespace vf::speech {

using engines::EngineChunk;
using engines::TimingEvent;

SegmentCut::SegmentCut(const text::Segment& segment)
    : heard_(segment.heard), text_size_(segment.text.size()) {
    if (!heard_) return;
    if (heard_->begin == 0) first_ = 0;
    if (heard_->end >= text_size_) last_ = std::numeric_limits<std::uint64_t>::max();
}

void SegmentCut::Learn(const TimingEvent& event) {
    if (event.kind != TimingEvent::kWord) return;
    known_to_ = std::max(known_to_, event.end_sample);
    if (!first_ && event.text_begin >= heard_->begin) first_ = event.start_sample;
    if (!last_ && event.text_begin >= heard_->end) last_ = event.start_sample;
}

EngineChunk SegmentCut::Release(std::uint64_t until) {
    EngineChunk out;
    const std::uint64_t from = std::max(*first_, held_from_);
    until = std::min({until, *last_, held_from_ + held_.size()});
    if (until > from) {
        const auto begin = held_.begin() + static_cast<std::ptrdiff_t>(from - held_from_);
        out.samples.assign(begin, begin + static_cast<std::ptrdiff_t>(until - from));
    }
    held_.clear();
    for (TimingEvent& event : events_) {
        if (event.start_sample < *first_ || event.start_sample >= *last_) continue;
        event.start_sample -= *first_;
        event.end_sample = std::min(event.end_sample, *last_) - *first_;
        out.events.push_back(std::move(event));
    }
    events_.clear();
    return out;
}

EngineChunk SegmentCut::Take(EngineChunk chunk) {
    if (!heard_) return chunk;
    for (TimingEvent& event : chunk.events) {
        Learn(event);
        events_.push_back(std::move(event));
    }
    held_.insert(held_.end(), chunk.samples.begin(), chunk.samples.end());
    if (!first_ || !last_) return {};
    const std::uint64_t end = held_from_ + held_.size();
    EngineChunk out = Release(end);
    held_from_ = end;
    return out;
}

EngineChunk SegmentCut::Finish() {
    if (!heard_) return {};
    // An engine that tells no words: nothing can be cut.
    if (!first_) first_ = 0;
    if (!last_) last_ = std::numeric_limits<std::uint64_t>::max();
    return Release(held_from_ + held_.size());
}

}  // namespace vf::speech
