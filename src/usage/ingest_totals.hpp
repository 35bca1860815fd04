#pragma once
// What one shipped batch added, for whoever keeps budgets in step with the rows.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/ids.hpp"
#include "base/task.hpp"

namespace vf::pg {
class SystemTransaction;
}

namespace vf::usage {

// The sum of those rows of a batch that were not in the database before: one entry for each
// (billing, team, key, live, node, month), in no order.
struct IngestTotals {
    BillingAccountId billing;
    TeamId team;
    std::optional<KeyId> key;  // none: a session or the demo team
    bool live = false;
    NodeId node;                    // whose journal the rows came from
    std::chrono::year_month month;  // UTC, of the operations' ids
    std::int64_t requests =
        0;  // rows, but for those that failed before a byte left (status >= 400)
    std::int64_t characters = 0;
    std::int64_t audio_ms = 0;
    std::int64_t charge_milli = 0;  // thousandths of a minor unit
};

// Runs in the transaction that inserted the rows, before its commit, with at least one entry. What
// it throws undoes the batch, which is tried again with back-off until it succeeds.
using OnIngest =
    std::function<Task<void>(pg::SystemTransaction&, const std::vector<IngestTotals>&)>;

}  // namespace vf::usage
