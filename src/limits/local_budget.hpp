#pragma once
// What a node knows and holds of one budget.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/task.hpp"
#include "limits/limits.hpp"

namespace vf::limits {

using SteadyTime = std::chrono::steady_clock::time_point;

struct BudgetName {
    Subject subject = Subject::kBilling;
    Metric metric = Metric::kRequests;
    bool live = false;
    Uuid subject_id;
    TeamId team;  // of a team's or key's budget; not part of the identity
    std::chrono::year_month month;

    bool operator==(const BudgetName& other) const {
        return subject == other.subject && metric == other.metric && live == other.live &&
               subject_id == other.subject_id && month == other.month;
    }
};

struct BudgetNameHash {
    std::size_t operator()(const BudgetName& name) const;
};

// The open lease holds free + reserved + what was settled and is not shipped yet. Units belong to
// the holder (this process's registration) of the time: when that lapses they are void.
struct LocalBudget {
    BudgetName name;
    std::string id;             // of the row, with dashes; empty: not seen yet
    std::uint64_t holding = 0;  // which holder `free` and `reserved` belong to

    std::int64_t free = 0;      // negative: more was used than was leased
    std::int64_t reserved = 0;  // of permits that are out
    bool leased = false;        // a lease is open
    bool uncertain = false;     // an answer never came: the lease may hold more than we know
    bool give_back = false;     // at the next round
    SteadyTime opened{};
    SteadyTime touched{};

    std::int64_t block = 0;  // what the last taking brought
    std::optional<std::int64_t> bound;
    bool hard = false;
    bool known = false;          // bound and hard were read
    SteadyTime known_until{};    // … and are believed without a look
    SteadyTime used_up_until{};  // there was not enough; believed until then
    std::int64_t remaining = 0;  // what there was

    bool busy = false;         // one statement at a time
    bool filling = false;      // one was started beside the work
    int pins = 0;              // permits and coroutines that point here
    std::int64_t waiting = 0;  // coroutines that wait for `busy` to end
    std::int64_t wanted = 0;   // units, by them
    std::unique_ptr<SteadyTimer> wake;
};

// Keeps a budget in its place.
class Pin {
public:
    explicit Pin(LocalBudget* budget) : budget_(budget) { ++budget_->pins; }
    ~Pin() { --budget_->pins; }
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;

private:
    LocalBudget* budget_;
};

// One statement about a budget: others wait for its end.
class Busy {
public:
    explicit Busy(LocalBudget* budget) : budget_(budget) { budget_->busy = true; }
    ~Busy() {
        budget_->busy = false;
        if (budget_->wake) budget_->wake->cancel();
    }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

private:
    LocalBudget* budget_;
};

}  // namespace vf::limits
