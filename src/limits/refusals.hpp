#pragma once
// What a caller is told who may not.

#include "base/error.hpp"
#include "limits/limits.hpp"

namespace vf::limits {

Error TextTooLong(const Plan& plan, std::int64_t characters);
Error TooManyAtOnce(const Plan& plan);
// `month` is the one whose allowance is used up.
Error AllowanceUsedUp(const Plan& plan, Metric metric, bool live, std::chrono::year_month month);
Error SpendingBoundReached(const Plan& plan, Subject subject, std::optional<std::int64_t> bound,
                           std::chrono::year_month month);
Error BudgetUnavailable();

}  // namespace vf::limits
