#include "limits/lease_store.hpp"

#include <fmt/format.h>

namespace vf::limits {
namespace {

constexpr std::chrono::milliseconds kTimeout{3000};  // a speech waits for it

// All of these cross teams: budgets belong to billing accounts as well, holders to nodes.
constexpr pg::Statement kTake{
    "limits_take",
    "SELECT status, budget, granted, remaining, bound, hard "
    "FROM vf_lease_take($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"};
constexpr pg::Statement kTurn{
    "limits_turn", "SELECT vf_lease_turn($1, $2, $3, $4, $5, $6 * interval '1 millisecond')"};
constexpr pg::Statement kBeat{"limits_beat",
                              "INSERT INTO lease_holders AS h (id, node_id, expires_at) "
                              "VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond') "
                              "ON CONFLICT (id) DO UPDATE SET expires_at = EXCLUDED.expires_at "
                              "WHERE h.expires_at > clock_timestamp()"};
constexpr pg::Statement kSweepHolders{
    "limits_sweep_holders",
    "DELETE FROM lease_holders WHERE id IN (SELECT id FROM lease_holders "
    "WHERE expires_at < now() - interval '7 days' LIMIT 100)"};
constexpr pg::Statement kSweepLeases{
    "limits_sweep_leases",
    "DELETE FROM leases WHERE id IN (SELECT l.id FROM leases l "
    "JOIN lease_holders h ON h.id = l.holder_id "
    "WHERE l.expires_at < now() AND (l.units = 0 OR h.expires_at > now()) LIMIT 1000)"};

// Two years and a month can be looked at and compared.
constexpr pg::Statement kSweepBudgets{
    "limits_sweep_budgets",
    "DELETE FROM budgets WHERE id IN (SELECT id FROM budgets "
    "WHERE period < (now() - interval '25 months')::date LIMIT 1000)"};

std::string PeriodOf(std::chrono::year_month month) {
    return fmt::format("{:04}-{:02}-01", static_cast<int>(month.year()),
                       static_cast<unsigned>(month.month()));
}

Taken::Status StatusOf(std::string_view name) {
    if (name == "ok") return Taken::Status::kOk;
    return name == "expired" ? Taken::Status::kExpired : Taken::Status::kUnbounded;
}

}  // namespace

Task<Taken> LeaseStore::Take(TakeRequest request) {
    const BudgetName& name = request.name;
    pg::Params params;
    params.Text(BudgetId::New().uuid.Dashed()).Text(SubjectName(name.subject));
    params.Text(name.subject_id.Dashed());
    if (name.subject == Subject::kBilling) {
        params.Null();
    } else {
        params.Text(name.team.uuid.Dashed());
    }
    params.Text(MetricName(name.metric)).Text(PeriodOf(name.month)).Bool(name.live);
    params.Text(NewUuid().Dashed()).Text(request.holder.Dashed());
    params.Int(request.needed).Int(request.wanted).Int(request.block);
    const pg::Rows rows = co_await db_.Query(kTake, std::move(params), kTimeout);
    Taken taken;
    taken.status = StatusOf(rows[0].Text(0));
    taken.budget_id = rows[0].MaybeText(1).value_or("");
    taken.granted = rows[0].Int(2);
    taken.remaining = rows[0].MaybeInt(3).value_or(0);
    taken.bound = rows[0].MaybeInt(4);
    taken.hard = rows[0].Bool(5);
    co_return taken;
}

Task<bool> LeaseStore::Turn(TurnRequest request) {
    pg::Params params;
    params.Text(request.budget_id).Text(request.holder.Dashed()).Text(NewUuid().Dashed());
    params.Int(request.held).Int(request.kept).Int(request.tail.count());
    const pg::Rows rows = co_await db_.Query(kTurn, std::move(params), kTimeout);
    co_return rows[0].Bool(0);
}

Task<bool> LeaseStore::Beat(Uuid holder, NodeId node, std::chrono::milliseconds lease) {
    pg::Params params;
    params.Text(holder.Dashed()).Text(node.uuid.Dashed()).Int(lease.count());
    const pg::Rows rows = co_await db_.Query(kBeat, std::move(params), kTimeout);
    co_return rows.affected() == 1;
}

Task<void> LeaseStore::Sweep() {
    co_await db_.Query(kSweepLeases);
    co_await db_.Query(kSweepHolders);
    co_await db_.Query(kSweepBudgets);
}

}  // namespace vf::limits
