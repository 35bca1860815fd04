#include "usage/usage_metrics.hpp"

namespace vf::usage {
namespace {

prometheus::Counter& MakeCounter(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(metrics::Registry()).Add({});
}

}  // namespace

UsageMetrics& UsageMetrics::Get() {
    static UsageMetrics all{
        MakeCounter("voiceflow_usage_rows_journalled_total",
                    "Records (marks and ends) written to this node's journal."),
        MakeCounter("voiceflow_usage_rows_shipped_total",
                    "Rows of the journal that are new in the database."),
        MakeCounter("voiceflow_usage_damaged_records_total",
                    "Stretches of the journal that could not be read."),
        prometheus::BuildGauge()
            .Name("voiceflow_usage_unshipped_bytes")
            .Help("Bytes of the journal that are not in the database yet.")
            .Register(metrics::Registry())
            .Add({}),
        prometheus::BuildHistogram()
            .Name("voiceflow_usage_journal_sync_seconds")
            .Help("How long the disk took to keep what was journalled.")
            .Register(metrics::Registry())
            .Add({}, prometheus::Histogram::BucketBoundaries{0.001, 0.0025, 0.005, 0.01, 0.025,
                                                             0.05, 0.1, 0.25, 0.5, 1, 2.5, 5})};
    return all;
}

}  // namespace vf::usage
