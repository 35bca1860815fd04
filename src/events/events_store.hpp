#pragma once
// The SQL of the outbox. Inside src/events only.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "events/events.hpp"

namespace vf::events {

// A moment of the outbox: the last number that was taken, and the transactions that, after it was
// read, held the appenders' lock.
struct Horizon {
    std::int64_t last = 0;
    std::vector<std::string> open;
};
Task<Horizon> ReadHorizon(pg::SystemDb db);

// The number of one of the team's events.
Task<std::optional<std::int64_t>> FindSeq(pg::TeamDb db, EventId id);

// `from` and `to` are numbers: above `from`, and at or below `to`.
struct Range {
    Range(std::int64_t above, std::int64_t last, std::int64_t most)
        : from(above), to(last), limit(most) {}
    std::int64_t from;
    std::int64_t to;
    std::int64_t limit;
};
Task<std::vector<Event>> EventsOfTeam(pg::TeamDb db, Range range, std::set<std::string> types,
                                      bool newest_first);
Task<std::vector<Event>> EventsOfAll(pg::SystemDb db, Range range);
Task<std::vector<TeamId>> TeamsWithEvents(pg::SystemDb db, std::int64_t from, std::int64_t to);

using Millis = std::chrono::milliseconds;

// Makes the reader when there is none, at `start` (none: before the oldest event). Its position,
// unless another holder's lease lasts.
Task<std::optional<std::int64_t>> TakeReader(pg::SystemDb db, std::string name, std::string holder,
                                             Millis lease, std::optional<std::int64_t> start);
// These say false when the lease is another's by now.
Task<bool> RenewReader(pg::SystemDb db, std::string name, std::string holder, Millis lease,
                       bool is_idle);
Task<bool> MoveReader(pg::SystemDb db, std::string name, std::string holder, std::int64_t seq);
Task<void> GiveReaderBack(pg::SystemDb db, std::string name, std::string holder);

// Names of readers that did not get on for so long, and are gone now.
Task<std::vector<std::string>> DropReaders(pg::SystemDb db, Millis timeout);
// Deletes at most `limit` events older than `keep` that every reader is past; how many.
Task<std::int64_t> DeleteOldEvents(pg::SystemDb db, Millis keep, std::int64_t limit);

}  // namespace vf::events
