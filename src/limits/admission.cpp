// Admission from what this node holds. Nothing here waits or fails, but Admit.
#include <algorithm>

#include "base/log.hpp"
#include "limits/core.hpp"
#include "limits/refusals.hpp"

namespace vf::limits {
namespace {

constexpr int kMostTries = 16;  // each with an answer of the database
constexpr Metric kAllowanceMetrics[] = {Metric::kRequests, Metric::kCharacters, Metric::kAudioMs};
constexpr std::size_t kTeamSpending = 3;
constexpr std::size_t kKeySpending = 4;

std::optional<std::int64_t> AllowanceOf(const Plan& plan, Metric metric) {
    if (metric == Metric::kRequests) return plan.requests;
    return metric == Metric::kCharacters ? plan.characters : plan.audio_ms;
}

std::optional<std::int64_t> PriceOf(const Plan& plan, Metric metric) {
    if (metric == Metric::kRequests) return plan.over_request_milli;
    return metric == Metric::kCharacters ? plan.over_character_milli : plan.over_audio_second_milli;
}

bool HasPrice(const Plan& plan) {
    return plan.over_request_milli || plan.over_character_milli || plan.over_audio_second_milli;
}

std::int64_t UnitsOf(std::size_t metric, std::int64_t requests, std::int64_t characters,
                     std::int64_t audio_ms) {
    if (metric == 0) return requests;
    return metric == 1 ? characters : audio_ms;
}

// A part of a second costs its part, rounded up.
std::int64_t CostOf(Metric metric, std::int64_t price, std::int64_t units) {
    if (metric != Metric::kAudioMs) return price * units;
    return (price * units + 999) / 1000;
}

}  // namespace

std::int64_t Grip::Charge(std::int64_t characters, std::int64_t audio_ms) const {
    std::int64_t charge = 0;
    for (std::size_t i = 0; i < kAllowances; ++i) {
        if (!included[i]) continue;
        const std::int64_t over = UnitsOf(i, ask.requests, characters, audio_ms) - *included[i];
        const std::int64_t price = PriceOf(*plan, kAllowanceMetrics[i]).value_or(0);
        if (over > 0) charge += CostOf(kAllowanceMetrics[i], price, over);
    }
    return charge;
}

// One Try on its way. What it reserved goes back with `permit` unless it is handed out.
struct Core::Pass {
    const Caller& caller;
    const Plan& plan;
    SteadyTime now;
    std::chrono::year_month month;
    Permit permit;
    Grip* grip = nullptr;
    Attempt attempt;
    LocalBudget* spending[2] = {nullptr, nullptr};  // hard ones: of the team, of the key

    bool has_spending_bound() const { return spending[0] || spending[1]; }
    BudgetName Name(Subject subject, Uuid id, Metric metric) const {
        return {subject, metric, caller.live, id, caller.team, month};
    }
};

Core::Step Core::Refuse(Pass& pass, Error error) {
    metrics_.CountRefusal(error.code());
    pass.attempt.answer.emplace(std::move(error));
    return Step::kRefused;
}

Core::Step Core::Lack(Pass& pass, LocalBudget& budget, std::int64_t units, std::int64_t block) {
    pass.attempt.lacking = &budget;
    pass.attempt.units = units;
    pass.attempt.block = block;
    return Step::kLacking;
}

void Core::Hand(Pass& pass, std::size_t hold, LocalBudget& budget, std::int64_t units) {
    budget.free -= units;
    budget.reserved += units;
    budget.touched = pass.now;
    ++budget.pins;
    pass.grip->holds[hold] = {&budget, budget.holding, units};
    Prefetch(budget, pass.now);
}

void Core::Return(Hold& hold, std::int64_t used) {
    if (!hold.budget) return;
    LocalBudget& budget = *hold.budget;
    if (budget.holding == hold.holding) {
        budget.reserved -= hold.units;
        budget.free += hold.units - used;
    }
    --budget.pins;
    hold.budget = nullptr;
}

// All of `units`, or not at all.
Core::Step Core::Reserve(Pass& pass, std::size_t hold, LocalBudget& budget, std::int64_t units) {
    if (budget.free >= units || units == 0) {
        Hand(pass, hold, budget, units);
        return Step::kDone;
    }
    const bool is_used_up = pass.now < budget.used_up_until &&
                            units > std::max<std::int64_t>(budget.free, 0) + budget.remaining;
    if (is_used_up && budget.name.metric == Metric::kSpendMilli) {
        return Refuse(
            pass, SpendingBoundReached(pass.plan, budget.name.subject, budget.bound, pass.month));
    }
    if (is_used_up) {
        return Refuse(pass,
                      AllowanceUsedUp(pass.plan, budget.name.metric, pass.caller.live, pass.month));
    }
    if (IsAway(pass.now)) return Refuse(pass, BudgetUnavailable());
    return Lack(pass, budget, units - budget.free, BlockOf(budget.name.metric));
}

Core::Step Core::ReserveAllowance(Pass& pass, Metric metric) {
    const std::size_t index = static_cast<std::size_t>(metric);
    const Ask& ask = pass.grip->ask;
    std::int64_t units = UnitsOf(index, ask.requests, ask.characters, ask.audio_ms_estimate);
    // An estimate of nothing must not pass an allowance that is used up.
    if (metric == Metric::kAudioMs) units = std::max<std::int64_t>(units, 1);
    LocalBudget* found = FindOrMake(pass.Name(Subject::kBilling, pass.caller.billing.uuid, metric));
    if (!found) return Refuse(pass, BudgetUnavailable());
    LocalBudget& budget = *found;
    // The plan has no such allowance any more; the caller's copy is older.
    if (budget.known && !budget.bound && pass.now < budget.known_until) return Step::kDone;
    const bool is_priced = pass.caller.live && PriceOf(pass.plan, metric).has_value();
    if (!is_priced) return Reserve(pass, index, budget, units);
    if (budget.free >= units) {
        Hand(pass, index, budget, units);
        return Step::kDone;
    }
    if (pass.now < budget.used_up_until) {
        const std::int64_t included = std::clamp<std::int64_t>(budget.free, 0, units);
        pass.grip->included[index] = included;
        Hand(pass, index, budget, included);
        return Step::kDone;
    }
    if (!IsAway(pass.now)) {
        return Lack(pass, budget, units - budget.free, BlockOf(metric));
    }
    if (pass.has_spending_bound()) return Refuse(pass, BudgetUnavailable());
    Hand(pass, index, budget, units);  // owed; nobody can tell whether it is still included
    return Step::kDone;
}

// Whether the team and the key have spending bounds: read once, then looked at now and then, beside
// the work.
Core::Step Core::KnowSpending(Pass& pass) {
    const BudgetName names[] = {
        pass.Name(Subject::kTeam, pass.caller.team.uuid, Metric::kSpendMilli),
        pass.Name(Subject::kKey, pass.caller.key.value_or(KeyId{}).uuid, Metric::kSpendMilli)};
    const std::size_t count = pass.caller.key ? 2 : 1;
    for (std::size_t i = 0; i < count; ++i) {
        LocalBudget* budget = FindOrMake(names[i]);
        if (!budget) return Refuse(pass, BudgetUnavailable());
        budget->touched = pass.now;
        if (!budget->known) {
            if (IsAway(pass.now)) return Refuse(pass, BudgetUnavailable());
            return Lack(pass, *budget, 0, 0);
        }
        const bool is_stale = pass.now >= budget->known_until;
        if (is_stale && !budget->busy && !budget->filling && !IsAway(pass.now)) {
            budget->filling = true;
            Spawn(loop_, FetchAgain(shared_from_this(), names[i], 0), "limits_look");
        }
        if (budget->bound && budget->hard) pass.spending[i] = budget;
    }
    return Step::kDone;
}

Core::Step Core::ReserveSpending(Pass& pass) {
    const Ask& ask = pass.grip->ask;
    const std::int64_t charge = pass.grip->Charge(ask.characters, ask.audio_ms_estimate);
    if (charge == 0) return Step::kDone;
    for (const std::size_t hold : {kTeamSpending, kKeySpending}) {
        LocalBudget* budget = pass.spending[hold - kTeamSpending];
        if (!budget) continue;
        const Step step = Reserve(pass, hold, *budget, charge);
        if (step != Step::kDone) return step;
    }
    return Step::kDone;
}

Attempt Core::Try(const Caller& caller, const Ask& ask) {
    auto grip = std::make_unique<Grip>();
    grip->core = shared_from_this();
    grip->plan = caller.plan;
    grip->team = caller.team;
    grip->ask = {std::max<std::int64_t>(ask.characters, 0),
                 std::max<std::int64_t>(ask.audio_ms_estimate, 0),
                 std::clamp<std::int64_t>(ask.requests, 0, 1)};
    Grip* const held = grip.get();
    Pass pass{caller, *caller.plan, clocks_.steady(), Month(), Permit(std::move(grip)), held, {}};
    const Plan& plan = pass.plan;
    if (plan.text_characters && held->ask.characters > *plan.text_characters) {
        Refuse(pass, TextTooLong(plan, held->ask.characters));
        return std::move(pass.attempt);
    }
    const bool is_demo = caller.kind == Caller::Kind::kDemo || caller.team == kDemoTeam;
    if (!is_demo) {
        if (plan.concurrency) {
            held->has_slot = concurrency_->TryTake(caller.team, *plan.concurrency);
            if (!held->has_slot) {
                Refuse(pass, TooManyAtOnce(plan));
                return std::move(pass.attempt);
            }
        }
        if (is_holder_ && pass.now >= lease_until_) Lapse();
        Step step = Step::kDone;
        if (caller.live && HasPrice(plan)) step = KnowSpending(pass);
        for (const Metric metric : kAllowanceMetrics) {
            if (step != Step::kDone) break;
            if (AllowanceOf(plan, metric)) step = ReserveAllowance(pass, metric);
        }
        if (step == Step::kDone) step = ReserveSpending(pass);
        if (step != Step::kDone) return std::move(pass.attempt);
    }
    pass.attempt.answer.emplace(std::move(pass.permit));
    return std::move(pass.attempt);
}

// What else a caller nobody has seen here needs is fetched beside the first that lacks.
void Core::AskForOthers(const Caller& caller, const LocalBudget* except) {
    for (const Metric metric : kAllowanceMetrics) {
        if (!AllowanceOf(*caller.plan, metric)) continue;
        const BudgetName name{Subject::kBilling,   metric,      caller.live,
                              caller.billing.uuid, caller.team, Month()};
        LocalBudget* const budget = FindOrMake(name);
        if (!budget || budget == except || budget->known) continue;
        if (budget->busy || budget->filling) continue;
        budget->filling = true;
        Spawn(loop_, FetchAgain(shared_from_this(), name, BlockOf(metric)), "limits_fill");
    }
}

Task<Result<Permit>> Core::Admit(std::shared_ptr<Core> self, Caller caller, Ask ask) {
    for (int i = 0; i < kMostTries; ++i) {
        Attempt attempt = self->Try(caller, ask);
        if (attempt.answer) co_return *std::move(attempt.answer);
        LocalBudget* const budget = attempt.lacking;
        if (budget->busy && budget->waiting >= self->options_.waiting) break;
        if (!budget->known) self->AskForOthers(caller, budget);
        co_await Fetch(self, budget, attempt.units, attempt.block);
    }
    Error error = BudgetUnavailable();
    self->metrics_.CountRefusal(error.code());
    co_return error;
}

void Core::GiveBack(Grip& grip) {
    for (Hold& hold : grip.holds) Return(hold, 0);
    if (grip.has_slot) concurrency_->Release(grip.team);
    grip.has_slot = false;
}

void Core::Settle(Grip& grip, std::int64_t characters, std::int64_t audio_ms) {
    const std::int64_t charge = grip.Charge(characters, audio_ms);
    grip.settled_charge = charge;
    for (std::size_t i = 0; i < kAllowances; ++i) {
        std::int64_t used = UnitsOf(i, grip.ask.requests, characters, audio_ms);
        if (grip.included[i]) used = std::min(used, *grip.included[i]);
        Return(grip.holds[i], used);
    }
    Return(grip.holds[kTeamSpending], charge);
    Return(grip.holds[kKeySpending], charge);
    GiveBack(grip);
}

}  // namespace vf::limits
