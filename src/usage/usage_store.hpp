#pragma once
// SQL over usage_rows for UsageService.

#include "usage/usage_service.hpp"

namespace vf::usage::store {

Task<std::vector<UsageRow>> Rows(pg::TeamDb db, Filter filter, std::optional<OperationId> before,
                                 std::int64_t limit);
Task<std::vector<Group>> Groups(pg::TeamDb db, Filter filter, std::string by,
                                std::optional<std::string> after, std::int64_t limit);
Task<Summary> Sum(pg::TeamDb db, Period period);
Task<Stats> Statistics(pg::TeamDb db, std::optional<bool> live, Time now);

}  // namespace vf::usage::store
