#pragma once
// The inside of Events: the watcher that finds out which events are final, the runners of the
// readers, the streams and the sweeper. Shared by the coroutines that work for it. Inside
// src/events only; on the loop.

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/bell.hpp"
#include "events/events_store.hpp"

namespace vf::events {

class EventsCore : public std::enable_shared_from_this<EventsCore> {
public:
    using Core = std::shared_ptr<EventsCore>;

    EventsCore(Executor executor, EventOptions event_options);

    void AddReader(Reader reader);
    void Start(pg::Database& db);
    void EndStreams();
    static Task<void> Stop(Core core);

    static Task<Result<Page>> List(Core core, TeamId team, Query query);
    static Task<Result<std::shared_ptr<BytePipe>>> Follow(Core core, TeamId team, Query query);
    static Task<void> Sweep(Core core);

    std::int64_t final_seq() const { return final_; }

private:
    // One number below which all is final as soon as these transactions have ended.
    struct Mark {
        std::int64_t last;
        std::set<std::string> open;
    };
    struct Runner {
        Runner(Executor executor, Reader r)
            : reader(std::move(r)), news(executor), end(executor), renewal(executor) {}
        Reader reader;
        Bell news;  // there is something to read, or the end
        Bell end;
        Bell renewal;
        bool leased = false;
        bool idle = false;  // had nothing to read when it last looked
        std::int64_t seq = 0;
        int failures = 0;
    };
    struct Stream {
        Stream(Executor executor, TeamId t, Query q)
            : team(t), query(std::move(q)), bell(executor),
              pipe(std::make_shared<BytePipe>(executor, kPipeBytes)) {}
        TeamId team;
        Query query;
        std::int64_t seq = 0;
        Bell bell;
        std::shared_ptr<BytePipe> pipe;
    };
    // A coroutine that Stop() waits for.
    class Working {
    public:
        explicit Working(Core core) : core_(std::move(core)) { ++core_->working_; }
        ~Working() {
            --core_->working_;
            if (core_->stopping_) core_->ended_.Ring();
        }
        Working(const Working&) = delete;
        Working& operator=(const Working&) = delete;

    private:
        Core core_;
    };
    static constexpr std::size_t kPipeBytes = 64 * 1024;

    // events_core.cpp
    static Task<void> Watch(Core core);
    static Task<void> Look(Core core);
    static Task<void> LookAfresh(Core core);
    static Task<void> Listen(Core core);
    static Task<void> KeepSweeping(Core core);
    void Settle(const Horizon& horizon);
    void Unsettle();
    static Task<void> RingFor(Core core, std::int64_t from, std::int64_t to);
    pg::SystemDb System();
    void RequireStarted() const;

    // events_reader.cpp
    using RunnerPtr = std::shared_ptr<Runner>;
    static Task<void> RunReader(Core core, RunnerPtr runner);
    static Task<void> RenewLeases(Core core, RunnerPtr runner);
    static Task<Result<bool>> ReadOn(Core core, RunnerPtr runner);
    static Task<Result<bool>> ReadOnGuarded(Core core, RunnerPtr runner);
    Millis BackOff(int failures) const;

    // events_stream.cpp
    using StreamPtr = std::shared_ptr<Stream>;
    static Task<Result<std::int64_t>> StartOf(Core core, TeamId team, Query query);
    static Task<void> RunStream(Core core, StreamPtr stream);
    static Task<bool> SendNews(Core core, StreamPtr stream);
    void Forget(const StreamPtr& stream);

    Executor executor_;
    EventOptions options_;
    std::string holder_ = NewUuid().Hex();
    pg::Database* db_ = nullptr;
    bool stopping_ = false;
    bool streams_ended_ = false;
    int working_ = 0;
    Bell ended_;

    Bell watcher_;
    std::int64_t final_ = 0;  // every event up to here is final
    bool settled_ = false;    // final_ is known
    std::deque<Mark> marks_;
    std::uint64_t looks_begun_ = 0;
    std::uint64_t looks_done_ = 0;
    std::set<Bell*> look_waiters_;
    Bell sweeper_;

    std::vector<RunnerPtr> runners_;
    std::set<StreamPtr> streams_;
    std::map<TeamId, std::int64_t> streams_of_team_;

    prometheus::Gauge& stream_gauge_;
    prometheus::Counter& cut_streams_;
};

}  // namespace vf::events
