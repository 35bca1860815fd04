#pragma once
// voiceflow_jobs_total{kind,outcome}, voiceflow_jobs_running{kind}, voiceflow_jobs{state}. Inside
// src/jobs only.

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include <string>

#include "jobs/jobs_store.hpp"

namespace vf::jobs {

class JobMetrics {
public:
    JobMetrics();

    // `kind` has a handler. Outcomes: succeeded, failed, cancelled, dead, retried, returned (at a
    // stop), lost (the lease went before the end).
    void Count(const std::string& kind, const char* outcome);
    void Running(const std::string& kind, int change);
    void Show(const JobCounts& counts);

private:
    prometheus::Family<prometheus::Counter>& outcomes_;
    prometheus::Family<prometheus::Gauge>& running_;
    prometheus::Family<prometheus::Gauge>& states_;
};

}  // namespace vf::jobs
