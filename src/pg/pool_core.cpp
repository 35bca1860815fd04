#include "pg/pool_core.hpp"

#include <algorithm>
#include <random>

#include "base/ids.hpp"
#include "base/log.hpp"

namespace vf::pg {
namespace {

constexpr std::chrono::milliseconds kFirstPause{100};
constexpr std::chrono::milliseconds kLongestPause{5000};

SteadyTime Now() {
    return std::chrono::steady_clock::now();
}

// Between half and the whole of `pause`, so that many servers do not come back at one instant.
std::chrono::milliseconds Jittered(std::chrono::milliseconds pause) {
    static thread_local std::minstd_rand random{std::random_device{}()};
    std::uniform_int_distribution<std::int64_t> pick(pause.count() / 2, pause.count());
    return std::chrono::milliseconds(pick(random));
}

constexpr Statement kCancel{"vf_cancel",
                            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity "
                            "WHERE pid = $1 AND application_name = $2"};
constexpr Statement kTerminate{"vf_terminate",
                               "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                               "WHERE pid = $1 AND application_name = $2"};

}  // namespace

void ThrowUnavailable(Away reason, bool outcome_unknown) {
    using std::chrono::seconds;
    switch (reason) {
        case Away::kTimedOut:
            throw DatabaseUnavailable(
                Error(ErrorKind::kDeadline, "database_timeout",
                      "The database did not answer in time. Please try again.")
                    .RetryAfter(seconds(1)),
                outcome_unknown);
        case Away::kBusy:
            throw DatabaseUnavailable(Error(ErrorKind::kUnavailable, "database_unavailable",
                                            "The database has too much to do. Please try again.")
                                          .RetryAfter(seconds(1)),
                                      outcome_unknown);
        case Away::kLost:
        case Away::kNoConnection:
        case Away::kClosed: break;
    }
    throw DatabaseUnavailable(
        Error(ErrorKind::kUnavailable, "database_unavailable",
              "The database is not available at the moment. Please try again.")
            .RetryAfter(seconds(reason == Away::kLost ? 1 : 5)),
        outcome_unknown);
}

void ThrowUnlessDone(Segment& segment) {
    switch (segment.state) {
        case SegmentState::kDone: return;
        case SegmentState::kRefused: {
            // Shutting down (57P0x), no resources (53xxx), connection (08xxx): not the query's
            // fault.
            const std::string_view state = segment.sqlstate;
            if (state.starts_with("57P") || state.starts_with("53") || state.starts_with("08")) {
                ThrowUnavailable(Away::kNoConnection, false);
            }
            if (state == "57014") ThrowUnavailable(Away::kTimedOut, false);
            throw QueryError(segment.sqlstate, segment.constraint, segment.message);
        }
        case SegmentState::kTimedOut: ThrowUnavailable(Away::kTimedOut, segment.sent);
        case SegmentState::kLost:
        case SegmentState::kPending: ThrowUnavailable(Away::kLost, segment.sent);
    }
}

void WaitLine::WakeOne() {
    if (timers_.empty()) return;
    timers_.front()->cancel();
    timers_.pop_front();
}

void WaitLine::WakeAll() {
    while (!timers_.empty()) WakeOne();
}

Task<void> WaitLine::Wait(SteadyTime deadline, bool again) {
    Executor loop = co_await asio::this_coro::executor;
    SteadyTimer timer(loop);
    timer.expires_at(deadline);
    if (again) {
        timers_.push_front(&timer);
    } else {
        timers_.push_back(&timer);
    }
    co_await timer.async_wait(kAwaitTuple);
    timers_.remove(&timer);
}

PoolCore::PoolCore(Executor loop, PoolOptions options)
    : loop_(loop), options_(std::move(options)), room_(static_cast<std::size_t>(options_.waiting)),
      exclusive_line_(static_cast<std::size_t>(options_.waiting)), idle_timer_(loop),
      listen_changed_(loop), listen_line_(static_cast<std::size_t>(options_.waiting)) {
    for (std::int64_t i = 0; i < options_.connections; ++i) slots_.emplace_back(loop);
}

void PoolCore::Start() {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        Spawn(loop_, KeepShared(shared_from_this(), i), "pg_keep_shared");
    }
}

void PoolCore::Close() {
    if (closed_) return;
    closed_ = true;
    stop_->store(true);
    for (Slot& slot : slots_) {
        if (slot.connection) slot.connection->Close();
        slot.connection.reset();
        slot.changed.cancel();
    }
    for (Idle& idle : idle_) idle.connection->Close();
    exclusive_ -= idle_.size();
    idle_.clear();
    idle_timer_.cancel();
    if (listening_) listening_->Close();
    listening_.reset();
    listen_changed_.cancel();
    room_.WakeAll();
    exclusive_line_.WakeAll();
    listen_line_.WakeAll();
    channels_.clear();
}

void PoolCore::JoinThreads() {
    if (joined_) return;
    joined_ = true;
    threads_.join();
}

SteadyTime PoolCore::DeadlineAfter(Timeout timeout) const {
    return Now() + std::min(timeout.value_or(options_.query_timeout), options_.statement_timeout);
}

bool PoolCore::available() const {
    return std::any_of(slots_.begin(), slots_.end(),
                       [](const Slot& slot) { return slot.connection != nullptr; });
}

PoolStats PoolCore::stats() const {
    PoolStats stats;
    for (const Slot& slot : slots_) {
        if (!slot.connection) continue;
        ++stats.connected;
        stats.in_flight += slot.connection->in_flight();
    }
    stats.waiting = room_.size() + exclusive_line_.size();
    stats.exclusive = exclusive_;
    stats.queries = queries_;
    stats.timeouts = timeouts_;
    stats.connects = connects_;
    return stats;
}

std::shared_ptr<Connection> PoolCore::PickShared() const {
    std::shared_ptr<Connection> best;
    for (const Slot& slot : slots_) {
        if (!slot.connection || slot.connection->full() || slot.connection->stalled()) continue;
        if (!best || slot.connection->in_flight() < best->in_flight()) best = slot.connection;
    }
    return best;
}

Task<void> PoolCore::Run(std::shared_ptr<PoolCore> core, std::shared_ptr<Segment> segment) {
    ++core->queries_;
    bool woken = false;
    bool again = false;
    for (;;) {
        std::shared_ptr<Connection> connection;
        if (woken || core->room_.empty()) connection = core->PickShared();
        if (!connection) {
            const bool away = !core->available();
            if (core->closed_) ThrowUnavailable(Away::kClosed, false);
            if (core->room_.full()) ThrowUnavailable(Away::kBusy, false);
            SteadyTime until = segment->deadline;
            if (away) until = std::min(until, Now() + core->options_.reconnect_wait);
            co_await core->room_.Wait(until, woken);
            woken = true;
            if (Now() < until) continue;
            // A wake-up that came together with the deadline belongs to the next in line.
            core->room_.WakeOne();
            const bool still_away = !core->available();
            ThrowUnavailable(still_away ? Away::kNoConnection : Away::kBusy, false);
        }
        connection->Submit(segment);
        connection.reset();
        co_await WaitFor(segment);
        if (segment->state == SegmentState::kTimedOut) ++core->timeouts_;
        const bool ours = segment->prepare_failed || segment->sqlstate == "57014";
        if (segment->state != SegmentState::kRefused || !ours || again) co_return;
        if (Now() >= segment->deadline) co_return;
        again = true;
        segment->Reset();
    }
}

Task<void> PoolCore::WaitAvailable(std::shared_ptr<PoolCore> core, SteadyTime deadline) {
    while (!core->available()) {
        if (core->closed_) ThrowUnavailable(Away::kClosed, false);
        if (core->room_.full()) ThrowUnavailable(Away::kBusy, false);
        if (Now() >= deadline) ThrowUnavailable(Away::kNoConnection, false);
        co_await core->room_.Wait(deadline, false);
    }
    core->room_.WakeOne();
}

Task<std::shared_ptr<Connection>> PoolCore::Open(std::shared_ptr<PoolCore> core) {
    ConnectRequest request;
    request.url = core->options_.url;
    request.application_name = "voiceflow-" + NewUuid().Hex();
    request.timeout = core->options_.connect_timeout;
    request.statement_timeout = core->options_.statement_timeout;
    request.stop = core->stop_;
    const std::string name = request.application_name;
    auto connect = [request] { return Connect(request); };
    ConnectOutcome outcome = co_await Offload(core->threads_, std::move(connect));
    if (!outcome.conn || core->closed_) {
        if (!core->reported_away_ && !core->closed_) {
            core->reported_away_ = true;
            log::Warning("database_away", {{"reason", outcome.error}});
        }
        co_return nullptr;
    }
    if (core->reported_away_) {
        core->reported_away_ = false;
        log::Info("database_back");
    }
    ++core->connects_;
    const std::weak_ptr<Connection::Observer> observer = core;
    auto connection = std::make_shared<Connection>(
        core->loop_, std::move(outcome.conn), name,
        static_cast<std::size_t>(core->options_.pipeline_depth), observer);
    connection->Start();
    co_return connection;
}

Task<std::shared_ptr<Connection>> PoolCore::OpenWithBackOff(std::shared_ptr<PoolCore> core,
                                                            SteadyTimer* pause) {
    std::chrono::milliseconds wait = kFirstPause;
    while (!core->closed_) {
        std::shared_ptr<Connection> connection = co_await Open(core);
        if (connection) co_return connection;
        if (core->closed_) break;
        pause->expires_after(Jittered(wait));
        co_await pause->async_wait(kAwaitTuple);
        wait = std::min(wait * 2, kLongestPause);
    }
    co_return nullptr;
}

Task<void> PoolCore::KeepShared(std::shared_ptr<PoolCore> core, std::size_t index) {
    Slot* slot = &core->slots_[index];
    SteadyTimer* changed = &slot->changed;
    while (!core->closed_) {
        std::shared_ptr<Connection> connection = co_await OpenWithBackOff(core, changed);
        if (!connection) co_return;
        if (!connection->alive()) continue;
        slot->connection = std::move(connection);
        core->room_.WakeAll();
        while (slot->connection) {
            slot->changed.expires_at(SteadyTime::max());
            co_await changed->async_wait(kAwaitTuple);
        }
    }
}

Task<void> PoolCore::EndOnServer(std::shared_ptr<PoolCore> core, int process, std::string name,
                                 bool terminate) {
    auto segment = std::make_shared<Segment>();
    Params params;
    params.Int(process).Text(name);
    segment->items.push_back({terminate ? kTerminate : kCancel, std::move(params)});
    segment->deadline = core->DeadlineAfter({});
    try {
        co_await WaitAvailable(core, segment->deadline);
        co_await Run(core, segment);
    } catch (const DatabaseUnavailable&) {
        // statement_timeout ends it on the server then.
    }
}

void PoolCore::OnRoom() {
    room_.WakeOne();
}

void PoolCore::OnLost(Connection& connection) {
    if (listening_.get() == &connection) {
        listening_.reset();
        for (auto& [name, channel] : channels_) channel.in_force = false;
        listen_changed_.cancel();
        return;
    }
    if (connection.stalled() && !closed_) {
        Spawn(loop_,
              EndOnServer(shared_from_this(), connection.server_process(),
                          connection.application_name(), true),
              "pg_terminate");
    }
    for (Slot& slot : slots_) {
        if (slot.connection.get() != &connection) continue;
        slot.connection.reset();
        slot.changed.cancel();
    }
    const auto gone = std::remove_if(idle_.begin(), idle_.end(), [&](const Idle& idle) {
        return idle.connection.get() == &connection;
    });
    const auto count = static_cast<std::size_t>(idle_.end() - gone);
    idle_.erase(gone, idle_.end());
    exclusive_ -= count;
    if (count > 0) exclusive_line_.WakeOne();
}

void PoolCore::OnStalled(Connection& connection) {
    Spawn(loop_,
          EndOnServer(shared_from_this(), connection.server_process(),
                      connection.application_name(), false),
          "pg_cancel");
}

}  // namespace vf::pg
