#pragma once
// The metrics of one engine's pool. References into the process's registry; the label `engine` is
// one of the configured names.

#include <string>

#include "base/metrics.hpp"

namespace vf::engines {

struct EngineMetrics {
    explicit EngineMetrics(const std::string& engine);

    void CountRestart(const std::string& cause);

    std::string engine;
    prometheus::Gauge& workers;
    prometheus::Gauge& queued;
    prometheus::Counter& spoken;
    prometheus::Counter& failed;
    prometheus::Counter& cancelled;
    prometheus::Counter& audio_seconds;
    prometheus::Counter& cpu_seconds;
    prometheus::Histogram& queue_seconds;
    prometheus::Histogram& first_chunk_seconds;
};

}  // namespace vf::engines
