#pragma once
// What a caller may use: the plan's allowances, what a team or a key may spend, and how much at
// once. Asked before every speech, without waiting for the database as a rule.
//
// PostgreSQL holds the budgets of a calendar month (UTC; migrations/0004_limits.sql). A node takes
// blocks of them (leases) and admits from what it has; what it does not need goes back. `used` is
// moved by the ingest of usage rows (Ledger), which takes the same units off the node's leases: so
// a crash loses and doubles nothing. A dead node's leases come back when it has been silent for
// LimitsOptions::lease; rows that its journal brings later still count. So a hard bound is passed
// by what was in flight on nodes that died, at most.
//
// Which bounds hold for a caller: the allowances of its billing account's plan, for live and for
// test usage apart. Live usage beyond an allowance that has an overage price is charged for, within
// the spending bounds of the team and of the key; every other allowance refuses. A node may charge
// a little early: while other nodes hold the last of an allowance in leases (an eighth of what was
// left each, given back when idle). The demo team has no bounds.
// Everything runs on the loop; not thread-safe.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/caller.hpp"
#include "base/result.hpp"
#include "base/settings.hpp"
#include "base/task.hpp"
#include "pg/database.hpp"
#include "usage/ingest_totals.hpp"

namespace vf::limits {

enum class Metric : std::uint8_t { kRequests, kCharacters, kAudioMs, kSpendMilli };
enum class Subject : std::uint8_t { kBilling, kTeam, kKey };
std::string_view MetricName(Metric metric);  // "requests", "characters", "audio_ms", "spend_milli"
std::string_view SubjectName(Subject subject);  // "billing", "team", "key"

struct LimitsOptions {
    std::chrono::milliseconds lease{60'000};  // how long after its last sign a node counts
    std::chrono::milliseconds idle{30'000};   // unused for so long, a lease goes back
    std::int64_t block_requests = 1'000;      // the most that a node takes at once, of each
    std::int64_t block_characters = 500'000;
    std::int64_t block_audio_ms = 3'600'000;
    std::int64_t block_spend_milli = 100'000;
    std::int64_t waiting = 1'024;    // callers that may wait for one lease
    std::int64_t budgets = 200'000;  // that a node remembers
    // Not settings.
    std::chrono::milliseconds renew_lease{300'000};  // how long a lease stays open at most
    std::chrono::milliseconds refused_for{1'000};    // how long a hard "used up" is believed
    std::chrono::milliseconds charged_for{10'000};   // … and one beyond which is charged
    std::chrono::milliseconds away_for{1'000};       // how long the database is believed to be away
    std::chrono::milliseconds bounds_for{60'000};    // how long a spending bound is believed
};
// Section "limits".
void DeclareSettings(SettingsSchema& schema, LimitsOptions& options);

// What tests replace.
struct Clocks {
    std::function<std::chrono::system_clock::time_point()> wall = [] {
        return std::chrono::system_clock::now();
    };
    std::function<std::chrono::steady_clock::time_point()> steady = [] {
        return std::chrono::steady_clock::now();
    };
};

// How many speeches a team has under way. In memory: of this node.
class Concurrency {
public:
    virtual ~Concurrency() = default;
    // False: the team has `bound` already.
    virtual bool TryTake(TeamId team, std::int64_t bound) = 0;
    virtual void Release(TeamId team) = 0;  // once for every TryTake that succeeded
};
std::unique_ptr<Concurrency> MakeLocalConcurrency();

// What one operation is going to use.
struct Ask {
    std::int64_t characters = 0;         // exactly; 0 or more
    std::int64_t audio_ms_estimate = 0;  // 0 or more
    // 1; 0 for more work under an operation that has been admitted before (live speeches).
    std::int64_t requests = 1;
};

struct Grip;
class Core;

// The right to do one operation. Movable. Destroyed unsettled: nothing was used, all of it goes
// back; the slot of the team is free then in any case. May outlive the Limits. Its destructor and
// Settle run on the loop.
class Permit {
public:
    Permit();
    explicit Permit(std::unique_ptr<Grip> grip);
    ~Permit();
    Permit(Permit&& other) noexcept;
    Permit& operator=(Permit&& other) noexcept;

    // What the operation costs beyond the allowance, in thousandths of a minor unit: with what was
    // asked for until Settle, then with what was settled. 0 for test usage.
    std::int64_t charge_milli() const;
    // … with these figures: for the usage row, which is journalled before Settle, and the marks of
    // a stream on its way.
    std::int64_t charge_milli(std::int64_t characters, std::int64_t audio_ms) const;
    // The operation is over and its row journalled with these figures. More than was asked for is
    // fine (it counts). Again: nothing happens.
    void Settle(std::int64_t characters, std::int64_t audio_ms);

private:
    void GiveBack();
    std::unique_ptr<Grip> grip_;
};

class Limits {
public:
    // Until Start only callers without bounds (the demo team, plans without any) are admitted.
    Limits(asio::io_context& loop, LimitsOptions options,
           std::unique_ptr<Concurrency> concurrency = MakeLocalConcurrency(), Clocks clocks = {});
    ~Limits();
    Limits(const Limits&) = delete;
    Limits& operator=(const Limits&) = delete;

    // `node` is the journal's; the migrations are through. `database` must outlive Stop().
    void Start(pg::Database& database, NodeId node);
    // Gives every lease back, as far as that can be done in `timeout`, and lets go of the database.
    // After the last request.
    Task<void> Stop(std::chrono::milliseconds timeout = std::chrono::milliseconds(2000));

    // The answer when it needs no waiting: what is at hand suffices, or refuses. Else none: Admit.
    // Errors: kInvalid text_too_long; kRateLimited too_many_concurrent_requests; kPaymentRequired
    // allowance_used_up, spending_bound_reached; kUnavailable budget_unavailable. The caller must
    // be known.
    std::optional<Result<Permit>> TryAdmit(const Caller& caller, const Ask& ask);
    // The same, and asks PostgreSQL when it must. Never throws for a database that is away.
    Task<Result<Permit>> Admit(Caller caller, Ask ask);

    // Something that this node may have remembered is different now: the plan (or the plan of the
    // billing account) changed, or a spending bound did. To be called by whoever listens on
    // 'vf_access' ("billing_accounts <id>", "plans <id>": every one; "spending_bounds <id>").
    void PlanChanged(BillingAccountId billing);
    void PlansChanged();
    void SpendingBoundChanged(Uuid team_or_key);

    // For tests: one round of what happens by itself every quarter of LimitsOptions::lease.
    Task<void> TendNow();
    std::size_t leases() const;  // budgets of which this node holds an open lease

private:
    std::shared_ptr<Core> core_;
};

// The other half: keeps `used` in step with the usage rows, and alerts.
class Ledger {
public:
    // To be the shipper's usage::OnIngest, of whichever node. The demo team's totals are left out.
    // A budget that reaches 80 % or 100 % of its bound makes one event "usage.alert" for every team
    // of the billing account (of a team's or key's spending bound: for that team); one that passes
    // both at once makes the event of 100 % only. Exactly once for a budget, month and bound. data:
    // {"subject","subject_id","metric","period":"2026-11","bound","used","percent"}.
    Task<void> OnIngest(pg::SystemTransaction& transaction,
                        const std::vector<usage::IngestTotals>& totals);
};

// What a team or a key may spend in a month beyond what its plan includes.
struct SpendingBound {
    Subject subject = Subject::kTeam;  // kTeam or kKey
    Uuid subject_id;                   // the team's or the key's
    std::int64_t bound_milli = 0;      // thousandths of a minor unit; 0 or more
    bool hard = true;                  // false: alerts only
};
// In force with the notification that the table sends. Errors: kNotFound "key_not_found" when the
// key is not of this team; kInvalid "out_of_range".
Task<Result<void>> SetSpendingBound(pg::TeamDb team, SpendingBound bound);
// False: there was none.
Task<bool> RemoveSpendingBound(pg::TeamDb team, Subject subject, Uuid subject_id);
Task<std::vector<SpendingBound>> ReadSpendingBounds(pg::TeamDb team);  // at most 1,000

// How a budget stands, for the pages that show it.
struct Standing {
    Subject subject = Subject::kBilling;
    Uuid subject_id;
    Metric metric = Metric::kRequests;
    bool live = false;
    std::optional<std::int64_t> bound;
    bool hard = false;
    std::int64_t used = 0;
};
// Of the billing account, and of the team and its keys when a spending bound is set; at most 1,000.
Task<std::vector<Standing>> ReadStandings(pg::SystemDb system, BillingAccountId billing,
                                          TeamId team, std::chrono::year_month month);

}  // namespace vf::limits
