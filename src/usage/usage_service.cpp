#include "usage/usage_service.hpp"

#include "usage/usage_store.hpp"

namespace vf::usage {

Task<RowPage> UsageService::Rows(TeamId team, Filter filter, std::optional<OperationId> after,
                                 std::int64_t limit) {
    pg::TeamDb db = database_.Team(team);
    RowPage page;
    page.rows = co_await store::Rows(db, std::move(filter), after, limit + 1);
    if (static_cast<std::int64_t>(page.rows.size()) > limit) {
        page.rows.pop_back();
        page.next = page.rows.back().operation;
    }
    co_return page;
}

Task<GroupPage> UsageService::Groups(TeamId team, Filter filter, std::string by,
                                     std::optional<std::string> after, std::int64_t limit) {
    pg::TeamDb db = database_.Team(team);
    GroupPage page;
    page.groups =
        co_await store::Groups(db, std::move(filter), std::move(by), std::move(after), limit + 1);
    if (static_cast<std::int64_t>(page.groups.size()) > limit) {
        page.groups.pop_back();
        page.next = page.groups.back().name;
    }
    co_return page;
}

Task<Summary> UsageService::Summarise(TeamId team, Period period) {
    pg::TeamDb db = database_.Team(team);
    co_return co_await store::Sum(db, period);
}

Task<Stats> UsageService::Statistics(TeamId team, std::optional<bool> live, Time now) {
    pg::TeamDb db = database_.Team(team);
    co_return co_await store::Statistics(db, live, now);
}

}  // namespace vf::usage
