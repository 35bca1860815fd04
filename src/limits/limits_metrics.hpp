#pragma once
// voiceflow_limit_refusals_total{reason} and voiceflow_limit_leases.

#include <string_view>

#include "base/metrics.hpp"

namespace vf::limits {

struct LimitsMetrics {
    LimitsMetrics();

    // `code` of the refusal; other codes than the ones of Limits are not counted.
    void CountRefusal(std::string_view code);

    prometheus::Counter& text_too_long;
    prometheus::Counter& too_many;
    prometheus::Counter& allowance;
    prometheus::Counter& spending;
    prometheus::Counter& unavailable;
    prometheus::Gauge& leases;
};

}  // namespace vf::limits
