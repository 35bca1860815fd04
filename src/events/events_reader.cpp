// The runners of named readers, part of EventsCore: one node at a time, in order, at least once.

#include <algorithm>

#include "base/log.hpp"
#include "events/events_core.hpp"

namespace vf::events {
namespace {

constexpr Millis kTryToTake{1000};
constexpr int kMostDoublings = 20;

}  // namespace

Millis EventsCore::BackOff(int failures) const {
    const auto factor = std::int64_t{1} << std::min(failures - 1, kMostDoublings);
    return std::min(options_.retry_least * factor, options_.retry_most);
}

Task<void> EventsCore::RunReader(Core core, RunnerPtr runner) {
    const Working working(core);
    const std::string name = runner->reader.name;
    while (!core->stopping_) {
        const Result<bool> read = co_await ReadOnGuarded(core, runner);
        if (core->stopping_) break;
        if (!read) {
            ++runner->failures;
            log::Warning(
                "event_reader_failed",
                {{"reader", name}, {"code", read.error().code()}, {"failures", runner->failures}});
            const Millis pause = core->BackOff(runner->failures);
            co_await runner->end.Wait(pause);
            continue;
        }
        runner->failures = 0;
        if (*read) continue;
        if (runner->leased || !core->settled_) {
            co_await runner->news.Wait(core->options_.poll);
        } else {
            co_await runner->end.Wait(std::min(kTryToTake, core->options_.lease / 3));
        }
    }
    if (!runner->leased) co_return;
    runner->leased = false;
    try {
        pg::SystemDb db = core->System();
        co_await GiveReaderBack(db, name, core->holder_);
    } catch (const UnavailableException&) {
        // The lease runs out by itself.
    }
}

// ReadOn, with what it throws as an Error.
Task<Result<bool>> EventsCore::ReadOnGuarded(Core core, RunnerPtr runner) {
    std::optional<Error> failure;
    try {
        co_return co_await ReadOn(core, runner);
    } catch (const UnavailableException& e) {
        failure = e.error;
    } catch (const std::exception& e) {
        log::Error("event_reader_threw", {{"reader", runner->reader.name}, {"error", e.what()}});
        failure = Error();
    }
    co_return *failure;
}

// One batch; true when there may be more at once, false when it is time to wait.
Task<Result<bool>> EventsCore::ReadOn(Core core, RunnerPtr runner) {
    if (!core->settled_) co_return false;
    pg::SystemDb db = core->System();
    const Reader& reader = runner->reader;
    if (!runner->leased) {
        std::optional<std::int64_t> start;
        if (!reader.from_oldest) start = core->final_;
        const std::optional<std::int64_t> seq =
            co_await TakeReader(db, reader.name, core->holder_, core->options_.lease, start);
        if (!seq) co_return false;
        runner->seq = *seq;
        runner->leased = true;
        log::Info("event_reader_runs", {{"reader", reader.name}, {"seq", *seq}});
    }
    const Range range(runner->seq, core->final_, static_cast<std::int64_t>(reader.batch));
    const std::vector<Event> events = co_await EventsOfAll(db, range);
    runner->idle = events.empty();
    if (events.empty()) co_return false;
    Task<Result<void>> work = reader.on_events(events);
    const Result<void> done = co_await std::move(work);
    if (!done) co_return done.error();
    const std::int64_t last = events.back().seq;
    const bool moved = co_await MoveReader(db, reader.name, core->holder_, last);
    if (!moved) {
        log::Warning("event_reader_lost", {{"reader", reader.name}});
        runner->leased = false;
        co_return false;
    }
    runner->seq = last;
    co_return true;
}

Task<void> EventsCore::RenewLeases(Core core, RunnerPtr runner) {
    const Working working(core);
    while (!core->stopping_) {
        co_await runner->renewal.Wait(core->options_.lease / 3);
        if (!runner->leased || core->stopping_) continue;
        bool is_ours = true;
        try {
            pg::SystemDb db = core->System();
            is_ours = co_await RenewReader(db, runner->reader.name, core->holder_,
                                           core->options_.lease, runner->idle);
        } catch (const UnavailableException&) {
            // Another node that reaches the database may take it; moving on finds out.
        }
        if (is_ours || !runner->leased) continue;
        log::Warning("event_reader_lost", {{"reader", runner->reader.name}});
        runner->leased = false;
    }
}

}  // namespace vf::events
