#include "events/events_core.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/unavailable.hpp"

namespace vf::events {
namespace {

constexpr Millis kLookSpacing{5};
constexpr Millis kFirstAgain{5};  // while transactions are open that may bring lower numbers
constexpr std::size_t kMostMarks = 64;
constexpr std::chrono::seconds kLookLimit{5};
constexpr std::chrono::seconds kSweepEvery{60};
constexpr std::int64_t kSweepBatch = 1000;
constexpr std::chrono::seconds kStopLimit{5};

prometheus::Gauge& StreamGauge() {
    return prometheus::BuildGauge()
        .Name("voiceflow_event_streams")
        .Help("Clients that follow their team's events now.")
        .Register(metrics::Registry())
        .Add({});
}

prometheus::Counter& CutStreams() {
    return prometheus::BuildCounter()
        .Name("voiceflow_event_streams_cut_total")
        .Help("Event streams whose client went away or took nothing.")
        .Register(metrics::Registry())
        .Add({});
}

}  // namespace

EventsCore::EventsCore(Executor executor, EventOptions event_options)
    : executor_(executor), options_(std::move(event_options)), ended_(executor), watcher_(executor),
      sweeper_(executor), stream_gauge_(StreamGauge()), cut_streams_(CutStreams()) {}

void EventsCore::AddReader(Reader reader) {
    runners_.push_back(std::make_shared<Runner>(executor_, std::move(reader)));
}

void EventsCore::Start(pg::Database& db) {
    db_ = &db;
    const Core self = shared_from_this();
    Spawn(executor_, Watch(self), "events_watch");
    Spawn(executor_, Listen(self), "events_listen");
    Spawn(executor_, KeepSweeping(self), "events_sweep");
    for (const RunnerPtr& runner : runners_) {
        Spawn(executor_, RunReader(self, runner), "events_reader");
        Spawn(executor_, RenewLeases(self, runner), "events_lease");
    }
}

void EventsCore::EndStreams() {
    streams_ended_ = true;
    for (const StreamPtr& stream : streams_) {
        stream->pipe->Finish();
        stream->bell.Ring();
    }
}

Task<void> EventsCore::Stop(Core core) {
    core->EndStreams();
    core->stopping_ = true;
    core->watcher_.Ring();
    core->sweeper_.Ring();
    for (const RunnerPtr& runner : core->runners_) {
        runner->news.Ring();
        runner->end.Ring();
        runner->renewal.Ring();
    }
    const auto limit = std::chrono::steady_clock::now() + kStopLimit;
    while (core->working_ > 0 && std::chrono::steady_clock::now() < limit) {
        const auto left = limit - std::chrono::steady_clock::now();
        co_await core->ended_.Wait(left);
    }
}

pg::SystemDb EventsCore::System() {
    return db_->System("the outbox is one for all teams");
}

void EventsCore::RequireStarted() const {
    if (db_ && !stopping_) return;
    throw UnavailableException(DatabaseNotUp());
}

Task<void> EventsCore::Listen(Core core) {
    auto weak = std::weak_ptr<EventsCore>(core);
    pg::ListenCallback callback = [weak](const pg::ListenEvent& event) {
        const Core alive = weak.lock();
        if (!alive) return;
        if (event.kind == pg::ListenEvent::Kind::kListening) {
            // After a crash of the database numbers may be taken a second time that were never
            // committed: what was known to be final is found out anew.
            alive->Unsettle();
        }
        alive->watcher_.Ring();
    };
    co_await core->db_->Listen("vf_events", std::move(callback));
}

// Looks at every ring, at the latest after the poll time, and soon again while events are held up.
Task<void> EventsCore::Watch(Core core) {
    const Working working(core);
    Millis again = kFirstAgain;
    while (!core->stopping_) {
        const auto begun = std::chrono::steady_clock::now();
        const std::int64_t before = core->final_;
        bool failed = false;
        try {
            co_await Look(core);
        } catch (const UnavailableException&) {
            failed = true;
        } catch (const std::exception& e) {
            log::Error("events_look_failed", {{"error", e.what()}});
            failed = true;
        }
        if (core->stopping_) co_return;
        const bool is_held_up = !failed && !core->marks_.empty();
        if (core->final_ != before || !is_held_up) again = kFirstAgain;
        const Millis wait = is_held_up ? std::min(again, core->options_.poll) : core->options_.poll;
        if (is_held_up) again = std::min(again * 2, core->options_.poll);
        const bool rung = co_await core->watcher_.Wait(wait);
        const auto since = std::chrono::steady_clock::now() - begun;
        if (rung && since < kLookSpacing) co_await Sleep(kLookSpacing - since);
    }
}

// Only Watch calls it: marks and horizons must come in one order.
Task<void> EventsCore::Look(Core core) {
    const std::uint64_t number = ++core->looks_begun_;
    pg::SystemDb db = core->System();
    const Horizon horizon = co_await ReadHorizon(db);
    const std::int64_t before = core->final_;
    const bool was_settled = core->settled_;
    core->Settle(horizon);
    core->looks_done_ = number;
    for (Bell* bell : core->look_waiters_) bell->Ring();
    if (core->final_ <= before && was_settled == core->settled_) co_return;
    for (const RunnerPtr& runner : core->runners_) runner->news.Ring();
    co_await RingFor(core, before, core->final_);
}

void EventsCore::Settle(const Horizon& horizon) {
    if (horizon.last < final_) Unsettle();
    const std::set<std::string> open(horizon.open.begin(), horizon.open.end());
    for (Mark& mark : marks_) {
        std::erase_if(mark.open, [&](const std::string& one) { return !open.contains(one); });
    }
    const std::int64_t newest = marks_.empty() ? final_ : marks_.back().last;
    if (horizon.last > newest && marks_.size() < kMostMarks) marks_.push_back({horizon.last, open});
    while (!marks_.empty() && marks_.front().open.empty()) {
        final_ = marks_.front().last;
        marks_.pop_front();
        settled_ = true;
    }
    if (marks_.empty()) settled_ = true;
}

void EventsCore::Unsettle() {
    final_ = 0;
    settled_ = false;
    marks_.clear();
}

// Wakes the streams of those teams that have something new.
Task<void> EventsCore::RingFor(Core core, std::int64_t from, std::int64_t to) {
    if (core->streams_.empty()) co_return;
    std::optional<std::vector<TeamId>> teams;
    try {
        pg::SystemDb db = core->System();
        teams = co_await TeamsWithEvents(db, from, to);
    } catch (const std::exception&) {
        // Every stream looks for itself then.
    }
    for (const StreamPtr& stream : core->streams_) {
        if (!teams || std::find(teams->begin(), teams->end(), stream->team) != teams->end()) {
            stream->bell.Ring();
        }
    }
}

// Until a look has ended that began after this call: what the caller knows to be committed is final
// then, unless others hold it up.
Task<void> EventsCore::LookAfresh(Core core) {
    const std::uint64_t wanted = core->looks_begun_ + 1;
    const auto limit = std::chrono::steady_clock::now() + kLookLimit;
    Bell bell(core->executor_);
    core->look_waiters_.insert(&bell);
    core->watcher_.Ring();
    const auto is_fresh = [&] { return core->looks_done_ >= wanted && core->settled_; };
    while (!is_fresh() && !core->stopping_) {
        const auto left = limit - std::chrono::steady_clock::now();
        if (left.count() <= 0) break;
        co_await bell.Wait(left);
    }
    core->look_waiters_.erase(&bell);
    if (!is_fresh()) {
        throw UnavailableException(Error(ErrorKind::kUnavailable, "database_unavailable",
                                         "The database does not answer. Try again in a moment.")
                                       .RetryAfter(std::chrono::seconds(1)));
    }
}

Task<Result<Page>> EventsCore::List(Core core, TeamId team, Query query) {
    core->RequireStarted();
    co_await LookAfresh(core);
    pg::TeamDb db = core->db_->Team(team);
    Range range(0, core->final_, query.limit + 1);
    if (query.after) {
        const EventId after = *query.after;
        const std::optional<std::int64_t> seq = co_await FindSeq(db, after);
        if (!seq) {
            co_return Error(ErrorKind::kGone, "events_expired",
                            "There is no such event of this team any more. Start without it.");
        }
        if (query.newest_first) {
            range.to = std::min(range.to, *seq - 1);
        } else {
            range.from = *seq;
        }
    }
    Page page;
    page.events = co_await EventsOfTeam(db, range, query.types, query.newest_first);
    if (page.events.size() > static_cast<std::size_t>(query.limit)) {
        page.events.resize(static_cast<std::size_t>(query.limit));
        page.next = page.events.back().id;
    }
    co_return page;
}

Task<void> EventsCore::KeepSweeping(Core core) {
    const Working working(core);
    while (!core->stopping_) {
        co_await core->sweeper_.Wait(kSweepEvery);
        if (core->stopping_) co_return;
        try {
            co_await Sweep(core);
        } catch (const UnavailableException&) {
            // The next round finds it.
        } catch (const std::exception& e) {
            log::Error("events_sweep_failed", {{"error", e.what()}});
        }
    }
}

Task<void> EventsCore::Sweep(Core core) {
    core->RequireStarted();
    pg::SystemDb db = core->System();
    const std::vector<std::string> dropped =
        co_await DropReaders(db, core->options_.reader_timeout);
    for (const std::string& name : dropped) {
        log::Error("event_reader_dropped", {{"reader", name}});
    }
    for (;;) {
        const std::int64_t deleted = co_await DeleteOldEvents(db, core->options_.keep, kSweepBatch);
        if (deleted < kSweepBatch || core->stopping_) co_return;
    }
}

}  // namespace vf::events
