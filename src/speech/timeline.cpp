#include "speech/timeline.hpp"

#include <algorithm>

namespace vf::speech {

void Timeline::Add(TimelineItem item) {
    double& last_end = last_end_[item.kind == TimelineItem::Kind::kWord ? 0 : 1];
    item.start_seconds = std::max(item.start_seconds, last_end);
    item.end_seconds = std::max(item.end_seconds, item.start_seconds);
    last_end = item.end_seconds;
    items_.push_back(std::move(item));
}

void Timeline::Close(double total_seconds) {
    for (TimelineItem& item : items_) {
        item.start_seconds = std::min(item.start_seconds, total_seconds);
        item.end_seconds = std::min(item.end_seconds, total_seconds);
    }
}

}  // namespace vf::speech
