#include "jobs/jobs_metrics.hpp"

#include "base/metrics.hpp"

namespace vf::jobs {

JobMetrics::JobMetrics()
    : outcomes_(prometheus::BuildCounter()
                    .Name("voiceflow_jobs_total")
                    .Help("Attempts at background jobs that ended on this node.")
                    .Register(metrics::Registry())),
      running_(prometheus::BuildGauge()
                   .Name("voiceflow_jobs_running")
                   .Help("Background jobs that this node works on now.")
                   .Register(metrics::Registry())),
      states_(prometheus::BuildGauge()
                  .Name("voiceflow_jobs")
                  .Help("Background jobs of the whole installation, by state.")
                  .Register(metrics::Registry())) {}

void JobMetrics::Count(const std::string& kind, const char* outcome) {
    outcomes_.Add({{"kind", kind}, {"outcome", outcome}}).Increment();
}

void JobMetrics::Running(const std::string& kind, int change) {
    running_.Add({{"kind", kind}}).Increment(change);
}

void JobMetrics::Show(const JobCounts& counts) {
    states_.Add({{"state", "queued"}}).Set(static_cast<double>(counts.queued));
    states_.Add({{"state", "running"}}).Set(static_cast<double>(counts.running));
    states_.Add({{"state", "dead"}}).Set(static_cast<double>(counts.dead));
}

}  // namespace vf::jobs
