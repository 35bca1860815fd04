// Exclusive connections, part of PoolCore: opened on demand, kept for a while, closed when idle.

#include "pg/pool_core.hpp"

namespace vf::pg {
namespace {

constexpr std::chrono::seconds kIdleLife{30};

SteadyTime Now() {
    return std::chrono::steady_clock::now();
}

}  // namespace

Task<std::shared_ptr<Connection>> PoolCore::Acquire(std::shared_ptr<PoolCore> core,
                                                    SteadyTime deadline) {
    bool woken = false;
    for (;;) {
        if (core->closed_) ThrowUnavailable(Away::kClosed, false);
        const bool my_turn = woken || core->exclusive_line_.empty();
        if (my_turn && !core->idle_.empty()) {
            std::shared_ptr<Connection> connection = std::move(core->idle_.back().connection);
            core->idle_.pop_back();
            co_return connection;
        }
        const auto most = static_cast<std::size_t>(core->options_.transactions);
        if (my_turn && core->exclusive_ < most) {
            ++core->exclusive_;
            std::shared_ptr<Connection> connection = co_await Open(core);
            if (connection && connection->alive()) co_return connection;
            --core->exclusive_;
            core->exclusive_line_.WakeOne();
            ThrowUnavailable(core->closed_ ? Away::kClosed : Away::kNoConnection, false);
        }
        if (core->exclusive_line_.full()) ThrowUnavailable(Away::kBusy, false);
        co_await core->exclusive_line_.Wait(deadline, woken);
        woken = true;
        if (Now() >= deadline) {
            // A connection that came free for this caller goes to the next one.
            if (!core->idle_.empty()) core->exclusive_line_.WakeOne();
            ThrowUnavailable(Away::kBusy, false);
        }
    }
}

void PoolCore::GiveBack(std::shared_ptr<Connection> connection) {
    const bool usable = !closed_ && connection->alive() && !connection->stalled() &&
                        connection->in_flight() == 0 && connection->idle_transaction();
    if (!usable) {
        Discard(connection);
        return;
    }
    idle_.push_back({std::move(connection), Now()});
    exclusive_line_.WakeOne();
    if (!closing_idle_) {
        closing_idle_ = true;
        Spawn(loop_, CloseIdle(shared_from_this()), "pg_close_idle");
    }
}

void PoolCore::Discard(const std::shared_ptr<Connection>& connection) {
    if (connection->alive() && connection->in_flight() > 0 && !closed_) {
        Spawn(loop_,
              EndOnServer(shared_from_this(), connection->server_process(),
                          connection->application_name(), true),
              "pg_terminate");
    }
    connection->Close();
    --exclusive_;
    exclusive_line_.WakeOne();
}

Task<void> PoolCore::CloseIdle(std::shared_ptr<PoolCore> core) {
    SteadyTimer* timer = &core->idle_timer_;
    while (!core->closed_ && !core->idle_.empty()) {
        timer->expires_at(core->idle_.front().since + kIdleLife);
        co_await timer->async_wait(kAwaitTuple);
        while (!core->idle_.empty() && core->idle_.front().since + kIdleLife <= Now()) {
            core->idle_.front().connection->Close();
            core->idle_.erase(core->idle_.begin());
            --core->exclusive_;
        }
    }
    core->closing_idle_ = false;
}

}  // namespace vf::pg
