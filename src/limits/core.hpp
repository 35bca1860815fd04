#pragma once
// The inside of Limits: the budgets of this node, admission from them (admission.cpp), and how they
// are filled and given back (leasing.cpp).

#include <array>
#include <unordered_map>

#include "limits/lease_store.hpp"
#include "limits/limits_metrics.hpp"
#include "limits/local_budget.hpp"

namespace vf::limits {

inline constexpr std::size_t kAllowances = 3;  // the metrics of a plan: requests, characters, audio
inline constexpr std::size_t kHolds = 5;       // … and the spending of the team and of the key

// What a permit has of one budget.
struct Hold {
    LocalBudget* budget = nullptr;
    std::uint64_t holding = 0;
    std::int64_t units = 0;
};

// Behind a Permit.
struct Grip {
    std::shared_ptr<Core> core;
    std::shared_ptr<const Plan> plan;
    TeamId team;
    Ask ask;
    bool has_slot = false;
    std::array<Hold, kHolds> holds;
    // Of each allowance: what of the operation is included. No value: all of it.
    std::array<std::optional<std::int64_t>, kAllowances> included;
    std::optional<std::int64_t> settled_charge;

    std::int64_t Charge(std::int64_t characters, std::int64_t audio_ms) const;
};

// One try: an answer, or the budget that must be asked for first.
struct Attempt {
    std::optional<Result<Permit>> answer;
    LocalBudget* lacking = nullptr;
    std::int64_t units = 0;
    std::int64_t block = 0;
};

class Core : public std::enable_shared_from_this<Core> {
public:
    Core(Executor loop, LimitsOptions options, std::unique_ptr<Concurrency> concurrency,
         Clocks clocks);

    void Start(pg::Database& database, NodeId node);
    static Task<void> Stop(std::shared_ptr<Core> self, std::chrono::milliseconds timeout);
    // The loop is about to go: lets go of its timers.
    void Close();

    Attempt Try(const Caller& caller, const Ask& ask);
    static Task<Result<Permit>> Admit(std::shared_ptr<Core> self, Caller caller, Ask ask);
    void GiveBack(Grip& grip);
    void Settle(Grip& grip, std::int64_t characters, std::int64_t audio_ms);

    void PlanChanged(BillingAccountId billing);
    void PlansChanged();
    void SpendingBoundChanged(Uuid team_or_key);
    static Task<void> Tend(std::shared_ptr<Core> self);
    std::size_t leases() const;

private:
    enum class Step { kDone, kLacking, kRefused };
    struct Pass;  // one Try
    Step Reserve(Pass& pass, std::size_t hold, LocalBudget& budget, std::int64_t units);
    Step ReserveAllowance(Pass& pass, Metric metric);
    Step ReserveSpending(Pass& pass);
    Step KnowSpending(Pass& pass);
    Step Lack(Pass& pass, LocalBudget& budget, std::int64_t units, std::int64_t block);
    Step Refuse(Pass& pass, Error error);
    void Hand(Pass& pass, std::size_t hold, LocalBudget& budget, std::int64_t units);
    void Return(Hold& hold, std::int64_t used);
    void Prefetch(LocalBudget& budget, SteadyTime now);
    void AskForOthers(const Caller& caller, const LocalBudget* except);

    LocalBudget* Find(const BudgetName& name);        // null: not there
    LocalBudget* FindOrMake(const BudgetName& name);  // null: no room for another
    void Refresh(LocalBudget& budget);
    std::chrono::year_month Month();
    std::int64_t BlockOf(Metric metric) const;
    bool IsAway(SteadyTime now) const { return !store_ || now < away_until_; }

    // Asks for `needed` units, or waits for the statement that is under way. Never throws.
    static Task<void> Fetch(std::shared_ptr<Core> self, LocalBudget* budget, std::int64_t needed,
                            std::int64_t block);
    static Task<void> FetchAgain(std::shared_ptr<Core> self, BudgetName name, std::int64_t block);
    static Task<void> WaitFor(std::shared_ptr<Core> self, LocalBudget* budget, std::int64_t needed);
    static Task<void> TakeNow(std::shared_ptr<Core> self, LocalBudget* budget, std::int64_t needed,
                              std::int64_t block);
    void Apply(LocalBudget& budget, const Taken& taken, std::int64_t needed, std::int64_t block);
    // Gives back what is free, or (give_back false) puts the lease right.
    static Task<void> Turn(std::shared_ptr<Core> self, BudgetName name, bool give_back);
    static Task<void> TendAll(std::shared_ptr<Core> self);
    static Task<void> TendForever(std::shared_ptr<Core> self);
    static Task<bool> EnsureHolder(std::shared_ptr<Core> self);
    static Task<void> Beat(std::shared_ptr<Core> self);
    void Away();
    void Lapse();
    void SetLeased(LocalBudget& budget, bool leased);

    Executor loop_;
    LimitsOptions options_;
    std::unique_ptr<Concurrency> concurrency_;
    Clocks clocks_;
    LimitsMetrics metrics_;
    std::unordered_map<BudgetName, std::unique_ptr<LocalBudget>, BudgetNameHash> budgets_;

    std::optional<LeaseStore> store_;
    NodeId node_;
    Uuid holder_;
    std::uint64_t holding_ = 1;  // counts the holders of this process
    bool is_holder_ = false;
    SteadyTime lease_until_{};
    SteadyTime away_until_{};
    SteadyTime sweep_at_{};
    bool is_beating_ = false;
    bool stopping_ = false;
    std::unique_ptr<SteadyTimer> beat_wake_;
    std::unique_ptr<SteadyTimer> tend_timer_;

    std::chrono::year_month month_{};
    std::chrono::system_clock::time_point month_begin_{};
    std::chrono::system_clock::time_point month_end_{};
};

}  // namespace vf::limits
