#pragma once
// What Pool, Transaction and the listener share; kept alive by each of them and by the coroutines
// that run for them. Inside src/pg only; on the loop, but for `Open`, which hands connecting to
// helper threads.

#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pg/connection.hpp"
#include "pg/pg.hpp"

namespace vf::pg {

// Why a query could not be answered; ThrowUnavailable turns it into the exception.
enum class Away { kNoConnection, kBusy, kLost, kTimedOut, kClosed };
[[noreturn]] void ThrowUnavailable(Away reason, bool outcome_unknown);

// Throws what the state of an answered segment calls for.
void ThrowUnlessDone(Segment& segment);

// Callers waiting for something to come free, first come first served.
class WaitLine {
public:
    explicit WaitLine(std::size_t most) : most_(most) {}
    bool full() const { return timers_.size() >= most_; }
    bool empty() const { return timers_.empty(); }
    std::size_t size() const { return timers_.size(); }
    void WakeOne();
    void WakeAll();
    // Until woken or `deadline`; a woken caller that finds nothing comes back with `again` and
    // keeps its place.
    Task<void> Wait(SteadyTime deadline, bool again);

private:
    std::size_t most_;
    std::list<SteadyTimer*> timers_;
};

class PoolCore : public Connection::Observer, public std::enable_shared_from_this<PoolCore> {
public:
    PoolCore(Executor loop, PoolOptions options);

    void Start();
    void Close();
    void JoinThreads();  // after Close

    SteadyTime DeadlineAfter(Timeout timeout) const;
    Executor loop() const { return loop_; }
    bool available() const;
    PoolStats stats() const;

    // Runs `segment` on a shared connection; sends it again once when its refusal came from our own
    // housekeeping (a lost prepared statement, a cancellation meant for its neighbour).
    static Task<void> Run(std::shared_ptr<PoolCore> core, std::shared_ptr<Segment> segment);
    static Task<void> WaitAvailable(std::shared_ptr<PoolCore> core, SteadyTime deadline);

    // An exclusive connection, idle or new, until GiveBack.
    static Task<std::shared_ptr<Connection>> Acquire(std::shared_ptr<PoolCore> core,
                                                     SteadyTime deadline);
    void GiveBack(std::shared_ptr<Connection> connection);
    // Closes it, and has the server end what it was doing.
    void Discard(const std::shared_ptr<Connection>& connection);

    static Task<bool> Listen(std::shared_ptr<PoolCore> core, std::string channel,
                             ListenCallback callback);

    void OnRoom() override;
    void OnLost(Connection& connection) override;
    void OnStalled(Connection& connection) override;
    void OnNotify(const std::string& channel, std::string payload) override;

private:
    struct Slot {
        explicit Slot(Executor loop) : changed(loop) {}
        std::shared_ptr<Connection> connection;
        SteadyTimer changed;  // cancelled when the connection is lost or the pool closes
    };
    struct Idle {
        std::shared_ptr<Connection> connection;
        SteadyTime since;
    };
    struct Channel {
        std::string name;  // of the statement
        std::string sql;
        std::vector<ListenCallback> callbacks;
        bool in_force = false;
    };

    static Task<void> KeepShared(std::shared_ptr<PoolCore> core, std::size_t index);
    static Task<void> KeepListening(std::shared_ptr<PoolCore> core);
    static Task<void> ListenAll(std::shared_ptr<PoolCore> core,
                                std::shared_ptr<Connection> connection);
    static Task<std::shared_ptr<Connection>> Open(std::shared_ptr<PoolCore> core);
    static Task<std::shared_ptr<Connection>> OpenWithBackOff(std::shared_ptr<PoolCore> core,
                                                             SteadyTimer* pause);
    static Task<void> EndOnServer(std::shared_ptr<PoolCore> core, int process, std::string name,
                                  bool terminate);
    static Task<void> CloseIdle(std::shared_ptr<PoolCore> core);
    std::shared_ptr<Connection> PickShared() const;
    void Announce(const std::string& channel, const ListenEvent& event);

    Executor loop_;
    PoolOptions options_;
    asio::thread_pool threads_{2};
    std::shared_ptr<std::atomic<bool>> stop_ = std::make_shared<std::atomic<bool>>(false);
    bool closed_ = false;
    bool joined_ = false;

    std::vector<Slot> slots_;
    WaitLine room_;
    WaitLine exclusive_line_;
    std::vector<Idle> idle_;
    std::size_t exclusive_ = 0;  // open or being opened, idle ones included
    SteadyTimer idle_timer_;
    bool closing_idle_ = false;

    std::map<std::string, Channel> channels_;
    std::shared_ptr<Connection> listening_;
    SteadyTimer listen_changed_;
    WaitLine listen_line_;
    bool keeps_listening_ = false;

    bool reported_away_ = false;
    std::uint64_t queries_ = 0;
    std::uint64_t timeouts_ = 0;
    std::uint64_t connects_ = 0;
};

}  // namespace vf::pg
