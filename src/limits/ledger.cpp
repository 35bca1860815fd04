// From shipped usage to budgets and alerts.
#include <fmt/format.h>

#include "events/events.hpp"
#include "limits/ledger_store.hpp"

namespace vf::limits {
namespace {

using usage::IngestTotals;

std::vector<Movement> MovementsOf(const std::vector<IngestTotals>& totals) {
    std::vector<Movement> movements;
    for (const IngestTotals& total : totals) {
        if (total.team == kDemoTeam) continue;
        const std::pair<Metric, std::int64_t> amounts[] = {
            {Metric::kRequests, total.requests},
            {Metric::kCharacters, total.characters},
            {Metric::kAudioMs, total.audio_ms},
            {Metric::kSpendMilli, total.charge_milli}};
        for (const auto& [metric, units] : amounts) {
            if (units <= 0) continue;
            const auto add = [&](Subject subject, Uuid id) {
                const BudgetName name{subject, metric, total.live, id, total.team, total.month};
                movements.push_back({name, total.node, units});
            };
            add(Subject::kBilling, total.billing.uuid);
            add(Subject::kTeam, total.team.uuid);
            if (total.key) add(Subject::kKey, total.key->uuid);
        }
    }
    return movements;
}

std::string WireOf(Subject subject, Uuid id) {
    if (subject == Subject::kBilling) return BillingAccountId{id}.Wire();
    return subject == Subject::kTeam ? TeamId{id}.Wire() : KeyId{id}.Wire();
}

events::NewEvent EventOf(const Alert& alert) {
    const BudgetName& name = alert.name;
    events::NewEvent event;
    event.type = "usage.alert";
    const auto budget = Uuid::Parse(alert.budget_id);
    event.resource = BudgetId{budget.value_or(Uuid{})}.Wire();
    event.live = name.live;
    event.data["subject"] = SubjectName(name.subject);
    event.data["subject_id"] = WireOf(name.subject, name.subject_id);
    event.data["metric"] = MetricName(name.metric);
    event.data["period"] = fmt::format("{:04}-{:02}", static_cast<int>(name.month.year()),
                                       static_cast<unsigned>(name.month.month()));
    event.data["bound"] = alert.bound;
    event.data["used"] = alert.used;
    event.data["percent"] = alert.percent;
    return event;
}

}  // namespace

Task<void> Ledger::OnIngest(pg::SystemTransaction& transaction,
                            const std::vector<IngestTotals>& totals) {
    const std::vector<Movement> movements = MovementsOf(totals);
    if (movements.empty()) co_return;
    const std::vector<Alert> alerts = co_await MoveUsed(transaction, movements);
    for (const Alert& alert : alerts) {
        const std::vector<TeamId> teams = co_await TeamsToAlert(transaction, alert.name);
        for (const TeamId team : teams) {
            events::NewEvent event = EventOf(alert);
            co_await events::Append(transaction, team, std::move(event));
        }
    }
}

}  // namespace vf::limits
