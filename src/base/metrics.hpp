#pragma once
// The process's metrics, in Prometheus' text format at GET /metrics. A module registers its
// families in the registry once, at construction, and keeps references to the counters it moves.
// Label values must come from a bounded set (route patterns, formats, error codes), never from
// what a caller sent.

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <string>

namespace vf::metrics {

prometheus::Registry& Registry();

// Everything registered, as text exposition format 0.0.4.
std::string Render();

}  // namespace vf::metrics
