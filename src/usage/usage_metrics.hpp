#pragma once
// The metrics of journal and shipper, registered once for the process.

#include "base/metrics.hpp"

namespace vf::usage {

struct UsageMetrics {
    static UsageMetrics& Get();

    prometheus::Counter& journalled;
    prometheus::Counter& shipped;
    prometheus::Counter& damaged;
    prometheus::Gauge& unshipped_bytes;
    prometheus::Histogram& sync_seconds;
};

}  // namespace vf::usage
