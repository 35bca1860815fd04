#include <stdexcept>

#include "pg/transaction_state.hpp"

namespace vf::pg {
namespace {

constexpr Statement kBegin{"vf_begin", "BEGIN"};
constexpr Statement kCommit{"vf_commit", "COMMIT"};
constexpr Statement kRollback{"vf_rollback", "ROLLBACK"};

// Sends `statement` (after BEGIN when it is the first) and waits for its answer.
Task<std::shared_ptr<Segment>> RunOn(TransactionState* state, Statement statement, Params params,
                                     Timeout timeout) {
    if (!state->connection) throw std::logic_error("the transaction has ended");
    if (state->running) throw std::logic_error("one query at a time in a transaction");
    auto segment = std::make_shared<Segment>();
    if (!state->begun) segment->items.push_back({kBegin, Params()});
    segment->items.push_back({statement, std::move(params)});
    segment->deadline = state->core->DeadlineAfter(timeout);
    if (!state->connection->alive()) {
        segment->state = SegmentState::kLost;
        state->failed = true;
        co_return segment;
    }
    state->begun = true;
    state->running = true;
    state->connection->Submit(segment);
    co_await WaitFor(segment);
    state->running = false;
    if (segment->state != SegmentState::kDone) state->failed = true;
    co_return segment;
}

void End(TransactionState& state) {
    if (!state.connection) return;
    auto connection = std::move(state.connection);
    state.connection.reset();
    state.core->GiveBack(std::move(connection));
}

// The last act of a transaction that was let go.
Task<void> RollBackLater(std::unique_ptr<TransactionState> state) {
    TransactionState* raw = state.get();
    co_await RunOn(raw, kRollback, Params(), Timeout());
    End(*state);
}

}  // namespace

Transaction::Transaction(std::unique_ptr<TransactionState> state) : state_(std::move(state)) {}

Transaction::~Transaction() {
    if (!state_->connection) return;
    if (!state_->begun || !state_->connection->alive() || state_->running) {
        End(*state_);  // discards a connection that is not idle
        return;
    }
    const Executor loop = state_->core->loop();
    Spawn(loop, RollBackLater(std::move(state_)), "pg_rollback");
}

Task<Rows> Transaction::Query(Statement statement, Params params, Timeout timeout) {
    TransactionState* state = state_.get();
    auto segment = co_await RunOn(state, statement, std::move(params), timeout);
    ThrowUnlessDone(*segment);
    co_return std::move(segment->rows.back());
}

Task<void> Transaction::Commit() {
    TransactionState* state = state_.get();
    if (!state->connection) throw std::logic_error("the transaction has ended");
    if (!state->begun) {
        End(*state);
        co_return;
    }
    if (state->failed) {
        co_await Rollback();
        throw QueryError("25P02", "", "a transaction with a failed query cannot commit");
    }
    auto segment = co_await RunOn(state, kCommit, Params(), Timeout());
    End(*state);
    ThrowUnlessDone(*segment);
}

Task<void> Transaction::Rollback() {
    TransactionState* state = state_.get();
    if (!state->connection) co_return;
    if (state->begun && state->connection->alive()) {
        co_await RunOn(state, kRollback, Params(), Timeout());
    }
    End(*state);
}

}  // namespace vf::pg
