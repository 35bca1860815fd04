// How the budgets of a node are filled, renewed and given back.
#include <algorithm>

#include "base/log.hpp"
#include "limits/core.hpp"

namespace vf::limits {
namespace {

// A closed lease waits so many lease times for the rows of what was admitted from it.
constexpr int kTailLeases = 5;
constexpr int kBeatsPerLease = 4;
constexpr std::chrono::seconds kSweepEvery{60};
constexpr std::size_t kTendAtOnce = 256;  // budgets looked at before the loop has its turn

void LogAway(const char* what, const std::exception& e) {
    log::Warning("limits_statement_failed", {{"statement", what}, {"error", e.what()}});
}

Task<void> WaitForWake(SteadyTimer* timer) {
    co_await timer->async_wait(kAwaitTuple);
}

}  // namespace

void Core::Away() {
    away_until_ = clocks_.steady() + options_.away_for;
}

void Core::SetLeased(LocalBudget& budget, bool leased) {
    if (budget.leased != leased) metrics_.leases.Increment(leased ? 1 : -1);
    budget.leased = leased;
}

// What this process held under its last registration may belong to others by now.
void Core::Lapse() {
    ++holding_;
    is_holder_ = false;
    holder_ = NewUuid();
}

void Core::Refresh(LocalBudget& budget) {
    if (budget.holding == holding_) return;
    budget.holding = holding_;
    budget.free = 0;
    budget.reserved = 0;
    budget.uncertain = false;
    SetLeased(budget, false);
}

Task<void> Core::Beat(std::shared_ptr<Core> self) {
    if (self->is_beating_) {
        co_await WaitForWake(self->beat_wake_.get());
        co_return;
    }
    self->is_beating_ = true;
    if (!self->beat_wake_) {
        self->beat_wake_ = std::make_unique<SteadyTimer>(self->loop_, SteadyTime::max());
    }
    const SteadyTime sent = self->clocks_.steady();
    const Uuid holder = self->holder_;
    try {
        LeaseStore store = *self->store_;
        const bool is_alive = co_await store.Beat(holder, self->node_, self->options_.lease);
        if (holder == self->holder_ && is_alive) {
            self->is_holder_ = true;
            self->lease_until_ = sent + self->options_.lease;
        } else if (holder == self->holder_) {
            self->Lapse();
        }
    } catch (const std::exception& e) {
        LogAway("beat", e);
        self->Away();
    }
    self->is_beating_ = false;
    if (self->beat_wake_) self->beat_wake_->cancel();
}

Task<bool> Core::EnsureHolder(std::shared_ptr<Core> self) {
    if (self->is_holder_ && self->clocks_.steady() >= self->lease_until_) self->Lapse();
    if (!self->is_holder_) co_await Beat(self);
    co_return self->is_holder_;
}

Task<void> Core::WaitFor(std::shared_ptr<Core> self, LocalBudget* budget, std::int64_t needed) {
    const Pin pin(budget);
    if (!budget->wake) {
        budget->wake = std::make_unique<SteadyTimer>(self->loop_, SteadyTime::max());
    }
    ++budget->waiting;
    budget->wanted += needed;
    co_await WaitForWake(budget->wake.get());
    --budget->waiting;
    budget->wanted -= needed;
}

Task<void> Core::Fetch(std::shared_ptr<Core> self, LocalBudget* budget, std::int64_t needed,
                       std::int64_t block) {
    if (budget->busy) {
        co_await WaitFor(self, budget, needed);
    } else {
        co_await TakeNow(self, budget, needed, block);
    }
}

Task<void> Core::FetchAgain(std::shared_ptr<Core> self, BudgetName name, std::int64_t block) {
    LocalBudget* const budget = self->Find(name);
    if (!budget) co_return;
    budget->filling = false;
    if (budget->busy || !self->store_) co_return;
    co_await TakeNow(self, budget, 0, block);
}

Task<void> Core::TakeNow(std::shared_ptr<Core> self, LocalBudget* budget, std::int64_t needed,
                         std::int64_t block) {
    const Pin pin(budget);
    const Busy busy(budget);
    const bool is_holder = co_await EnsureHolder(self);
    if (!is_holder || !self->store_) {
        self->Away();
        co_return;
    }
    self->Refresh(*budget);
    const std::uint64_t holding = self->holding_;
    TakeRequest request{budget->name, self->holder_, needed, needed + budget->wanted, block};
    if (block == 0) request.wanted = 0;
    try {
        LeaseStore store = *self->store_;
        const Taken taken = co_await store.Take(std::move(request));
        if (holding == self->holding_) self->Apply(*budget, taken, needed, block);
    } catch (const pg::DatabaseUnavailable& e) {
        LogAway("take", e);
        self->Away();
        if (e.outcome_unknown()) budget->uncertain = true;
    } catch (const std::exception& e) {
        LogAway("take", e);
        self->Away();
    }
}

void Core::Apply(LocalBudget& budget, const Taken& taken, std::int64_t needed, std::int64_t block) {
    if (taken.status == Taken::Status::kExpired) {
        Lapse();
        return;
    }
    const SteadyTime now = clocks_.steady();
    if (!taken.budget_id.empty()) budget.id = taken.budget_id;
    budget.bound = taken.bound;
    budget.hard = taken.hard;
    budget.known = true;
    // Only spending bounds are often absent; a plan that lost an allowance is looked at soon again.
    const bool is_spending = budget.name.metric == Metric::kSpendMilli;
    budget.known_until = now + (is_spending ? options_.bounds_for : options_.refused_for);
    budget.used_up_until = {};
    if (taken.status == Taken::Status::kUnbounded) return;
    if (taken.granted > 0) {
        if (!budget.leased) budget.opened = now;
        SetLeased(budget, true);
        budget.free += taken.granted;
        budget.block = taken.granted;
    }
    budget.remaining = taken.remaining;
    if (taken.granted < needed || (taken.granted == 0 && block > 0)) {
        budget.used_up_until = now + (taken.hard ? options_.refused_for : options_.charged_for);
    }
}

// Fills up before there is nothing left, so that hardly anybody waits.
void Core::Prefetch(LocalBudget& budget, SteadyTime now) {
    const bool is_low = budget.block >= kBeatsPerLease && budget.free < budget.block / 4;
    if (!is_low || budget.busy || budget.filling || stopping_) return;
    if (now < budget.used_up_until || IsAway(now)) return;
    budget.filling = true;
    Spawn(loop_, FetchAgain(shared_from_this(), budget.name, BlockOf(budget.name.metric)),
          "limits_fill");
}

Task<void> Core::Turn(std::shared_ptr<Core> self, BudgetName name, bool give_back) {
    LocalBudget* const budget = self->Find(name);
    if (!budget || budget->busy || !budget->leased || !self->store_) co_return;
    const Pin pin(budget);
    const Busy busy(budget);
    const std::uint64_t holding = self->holding_;
    const std::int64_t held = std::max<std::int64_t>(budget->free + budget->reserved, 0);
    std::int64_t given = 0;
    if (give_back) given = std::clamp<std::int64_t>(budget->free, 0, held);
    budget->free -= given;
    TurnRequest request{budget->id, self->holder_, held, held - given,
                        self->options_.lease * kTailLeases};
    try {
        LeaseStore store = *self->store_;
        const std::int64_t kept = request.kept;
        const bool is_alive = co_await store.Turn(std::move(request));
        if (holding != self->holding_) co_return;
        if (!is_alive) {
            self->Lapse();
            co_return;
        }
        self->SetLeased(*budget, kept > 0);
        budget->opened = self->clocks_.steady();
        budget->uncertain = false;
        budget->give_back = false;
        budget->block = give_back ? 0 : budget->block;
    } catch (const pg::DatabaseUnavailable& e) {
        LogAway("turn", e);
        self->Away();
        if (holding != self->holding_) co_return;
        if (e.outcome_unknown()) {
            budget->uncertain = true;
        } else {
            budget->free += given;
        }
    } catch (const std::exception& e) {
        LogAway("turn", e);
        self->Away();
        budget->uncertain = true;
    }
}

Task<void> Core::TendAll(std::shared_ptr<Core> self) {
    std::vector<BudgetName> names;
    names.reserve(self->budgets_.size());
    for (const auto& [name, budget] : self->budgets_) names.push_back(name);
    std::size_t looked = 0;
    for (const BudgetName& name : names) {
        if (++looked % kTendAtOnce == 0) co_await asio::post(self->loop_, kAwait);
        LocalBudget* const budget = self->Find(name);
        if (!budget || budget->busy) continue;
        const SteadyTime now = self->clocks_.steady();
        if (self->is_holder_ && now >= self->lease_until_) self->Lapse();
        self->Refresh(*budget);
        const bool is_idle = now - budget->touched >= self->options_.idle;
        const bool is_past = name.month != self->Month();
        if (!budget->leased) {
            if ((is_idle || is_past) && budget->pins == 0) self->budgets_.erase(name);
            continue;
        }
        const bool give_back = is_idle || is_past || budget->give_back || self->stopping_;
        const bool is_old = now - budget->opened >= self->options_.renew_lease;
        // Nothing to give back while all of it is in use.
        const bool has_free = budget->free > 0 || budget->reserved == 0;
        if (give_back && has_free) {
            co_await Turn(self, name, true);
        } else if (budget->uncertain || is_old) {
            co_await Turn(self, name, false);
        }
        if (self->IsAway(self->clocks_.steady())) co_return;
    }
}

Task<void> Core::Tend(std::shared_ptr<Core> self) {
    if (!self->store_) co_return;
    co_await Beat(self);
    if (self->IsAway(self->clocks_.steady())) co_return;
    co_await TendAll(self);
    const SteadyTime now = self->clocks_.steady();
    if (now < self->sweep_at_ || !self->store_) co_return;
    self->sweep_at_ = now + kSweepEvery;
    try {
        LeaseStore store = *self->store_;
        co_await store.Sweep();
    } catch (const std::exception& e) {
        LogAway("sweep", e);
    }
}

Task<void> Core::TendForever(std::shared_ptr<Core> self) {
    while (!self->stopping_) {
        co_await Tend(self);
        if (self->stopping_) co_return;
        self->tend_timer_->expires_after(self->options_.lease / kBeatsPerLease);
        co_await WaitForWake(self->tend_timer_.get());
    }
}

void Core::Start(pg::Database& database, NodeId node) {
    store_.emplace(database.System("budgets are leased by nodes, whoever they are of"));
    node_ = node;
    holder_ = NewUuid();
    tend_timer_ = std::make_unique<SteadyTimer>(loop_);
    Spawn(loop_, TendForever(shared_from_this()), "limits_tend");
}

Task<void> Core::Stop(std::shared_ptr<Core> self, std::chrono::milliseconds timeout) {
    if (!self->store_ || self->stopping_) co_return;
    self->stopping_ = true;
    self->tend_timer_->cancel();
    const auto end = std::chrono::steady_clock::now() + timeout;
    std::vector<BudgetName> names;
    for (const auto& [name, budget] : self->budgets_) {
        if (budget->leased) names.push_back(name);
    }
    for (const BudgetName& name : names) {
        const bool is_late = std::chrono::steady_clock::now() >= end;
        if (is_late || self->IsAway(self->clocks_.steady())) break;
        co_await Turn(self, name, true);
    }
    self->store_.reset();
}

void Core::Close() {
    stopping_ = true;
    store_.reset();
    beat_wake_.reset();
    tend_timer_.reset();
    for (const auto& [name, budget] : budgets_) budget->wake.reset();
}

}  // namespace vf::limits
