#include "limits/limits_metrics.hpp"

namespace vf::limits {
namespace {

prometheus::Counter& MakeRefusals(const char* reason) {
    return prometheus::BuildCounter()
        .Name("voiceflow_limit_refusals_total")
        .Help("Speeches refused by a limit, by the code of the answer.")
        .Register(metrics::Registry())
        .Add({{"reason", reason}});
}

}  // namespace

LimitsMetrics::LimitsMetrics()
    : text_too_long(MakeRefusals("text_too_long")),
      too_many(MakeRefusals("too_many_concurrent_requests")),
      allowance(MakeRefusals("allowance_used_up")),
      spending(MakeRefusals("spending_bound_reached")),
      unavailable(MakeRefusals("budget_unavailable")),
      leases(prometheus::BuildGauge()
                 .Name("voiceflow_limit_leases")
                 .Help("Budgets of which this node holds a lease.")
                 .Register(metrics::Registry())
                 .Add({})) {}

void LimitsMetrics::CountRefusal(std::string_view code) {
    if (code == "text_too_long") {
        text_too_long.Increment();
    } else if (code == "too_many_concurrent_requests") {
        too_many.Increment();
    } else if (code == "allowance_used_up") {
        allowance.Increment();
    } else if (code == "spending_bound_reached") {
        spending.Increment();
    } else if (code == "budget_unavailable") {
        unavailable.Increment();
    }
}

}  // namespace vf::limits
