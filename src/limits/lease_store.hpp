#pragma once
// The statements of a node about its leases; what they do stands in migrations/0004_limits.sql.
// Each throws QueryError or DatabaseUnavailable.

#include "limits/local_budget.hpp"

namespace vf::limits {

struct TakeRequest {
    BudgetName name;
    Uuid holder;
    std::int64_t needed = 0;
    std::int64_t wanted = 0;
    std::int64_t block = 0;
};
struct Taken {
    enum class Status { kOk, kUnbounded, kExpired };
    Status status = Status::kOk;
    std::string budget_id;
    std::int64_t granted = 0;
    std::int64_t remaining = 0;
    std::optional<std::int64_t> bound;
    bool hard = false;
};
struct TurnRequest {
    std::string budget_id;
    Uuid holder;
    std::int64_t held = 0;
    std::int64_t kept = 0;
    std::chrono::milliseconds tail{};
};

class LeaseStore {
public:
    explicit LeaseStore(pg::SystemDb db) : db_(std::move(db)) {}

    Task<Taken> Take(TakeRequest request);
    // False: the holder is expired.
    Task<bool> Turn(TurnRequest request);
    // Registers the holder, or renews it. False: it is expired and can never be again.
    Task<bool> Beat(Uuid holder, NodeId node, std::chrono::milliseconds lease);
    // Deletes what no row can refer to any more, a bounded piece at a time.
    Task<void> Sweep();

private:
    pg::SystemDb db_;
};

}  // namespace vf::limits
