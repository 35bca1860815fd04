#pragma once
// The statements of the ingest; what they do stands in migrations/0004_limits.sql.

#include <vector>

#include "limits/local_budget.hpp"

namespace vf::limits {

// What a budget's `used` grows by, and the node from whose leases that comes off.
struct Movement {
    BudgetName name;
    NodeId node;
    std::int64_t units = 0;
};

// A budget that reached 80 or 100 percent of its bound.
struct Alert {
    std::string budget_id;  // with dashes
    BudgetName name;
    std::int64_t bound = 0;
    std::int64_t used = 0;
    std::int64_t percent = 0;
};

// Each throws QueryError or DatabaseUnavailable.
Task<std::vector<Alert>> MoveUsed(pg::SystemTransaction& transaction,
                                  const std::vector<Movement>& movements);
// Whom an alert is for: the teams of a billing account, or the team itself while it is there.
Task<std::vector<TeamId>> TeamsToAlert(pg::SystemTransaction& transaction, const BudgetName& name);

}  // namespace vf::limits
