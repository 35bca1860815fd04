// The reader that counts events, for GET /metrics.

#include <prometheus/counter.h>

#include "base/metrics.hpp"
#include "events/events.hpp"

namespace vf::events {
namespace {

// Types come from the program, but nothing says so to this file.
constexpr std::size_t kMostTypes = 100;

class EventCounters {
public:
    EventCounters()
        : family_(prometheus::BuildCounter()
                      .Name("voiceflow_events_total")
                      .Help("Events that were read from the outbox, by type.")
                      .Register(metrics::Registry())) {}

    void Count(const std::string& type) {
        auto found = counters_.find(type);
        if (found == counters_.end()) {
            const std::string label = counters_.size() < kMostTypes ? type : "other";
            found = counters_.find(label);
            if (found == counters_.end()) {
                found = counters_.emplace(label, &family_.Add({{"type", label}})).first;
            }
        }
        found->second->Increment();
    }

private:
    prometheus::Family<prometheus::Counter>& family_;
    std::map<std::string, prometheus::Counter*> counters_;
};

Task<Result<void>> CountAll(EventCounters* counters, const std::vector<Event>& events) {
    for (const Event& event : events) counters->Count(event.type);
    co_return Result<void>();
}

}  // namespace

Reader MetricsReader() {
    auto counters = std::make_shared<EventCounters>();
    Reader reader;
    reader.name = "metrics";
    reader.batch = 1000;
    reader.on_events = [counters](const std::vector<Event>& events) {
        return CountAll(counters.get(), events);
    };
    return reader;
}

}  // namespace vf::events
