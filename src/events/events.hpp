#pragma once
// The outbox: what happened, written in the transaction that made it happen, and read from there by
// whoever acts on it (webhooks, audit, mail, the live console), at least once and in order.
//
//   co_await events::Append(*transaction, events::NewEvent{...});   // in a feature's transaction
//   events.AddReader(...);                                          // once, at start
//
// Order: events are numbered; a number is delivered when no transaction that may still bring a
// lower one is open (migrations/0005_events.sql says how that is known), so none is ever skipped.
// Of two changes to one resource, the later one has the higher number.
// Everything runs on the loop; not thread-safe.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_pipe.hpp"
#include "base/caller.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/settings.hpp"
#include "base/task.hpp"
#include "pg/database.hpp"

namespace vf::events {

struct NewEvent {
    std::string type;      // "usage.alert", "key.created": [a-z0-9_] in dotted parts, at most 64
    std::string resource;  // wire id of what it is about, at most 200 characters
    bool live = false;     // about billable things, or a test key's or the demo team's
    json::object data;     // at most kMaxData bytes as JSON; no secrets, no text to be spoken
    json::object actor;    // ActorOf(caller); empty: the server itself
};
inline constexpr std::size_t kMaxData = 64 * 1024;

// "job.dead": what an event may be called.
bool IsEventType(std::string_view type);

// Who did it: {"kind":"key","id":"key_…"}, {"kind":"account","id":"acc_…"} or {"kind":"demo"}.
json::object ActorOf(const Caller& caller);

// Becomes visible with the commit of `transaction`. Throws std::invalid_argument for an event that
// is against the rules above (a bug of the caller), and what Query throws.
Task<EventId> Append(pg::TeamTransaction& transaction, NewEvent event);  // of its team
Task<EventId> Append(pg::SystemTransaction& transaction, TeamId team, NewEvent event);

struct Event {
    std::int64_t seq = 0;  // the order of delivery; never on the wire
    EventId id;
    TeamId team;
    std::string type;
    std::string resource;
    bool live = false;
    json::object data;
    json::object actor;      // empty: the server itself
    std::string created_at;  // RFC 3339, UTC, milliseconds
};
// {"id","type","resource","live","data","actor"|null,"created_at"}.
json::object ToJson(const Event& event);

// One named consumer of the outbox. Of all nodes, one runs it at a time; when that node dies
// another takes over within EventOptions::lease + 2 s and starts after the last batch that was
// done.
struct Reader {
    std::string name;  // [a-z0-9_], at most 63; stays the same for ever
    std::size_t batch = 100;
    // Where a reader begins that never ran before: with the oldest event kept, or with what comes.
    bool from_oldest = false;
    // Called with 1 to `batch` events in order. Success moves the position. After an Error or an
    // exception the same events come again, with back-off; so they do after a crash, and when the
    // lease was lost meanwhile another node may have seen them too: be idempotent by event id.
    std::function<Task<Result<void>>(const std::vector<Event>&)> on_events;
};

struct EventOptions {
    std::chrono::milliseconds keep{std::chrono::hours(30 * 24)};
    std::chrono::milliseconds reader_timeout{std::chrono::hours(7 * 24)};
    std::chrono::milliseconds poll{1000};  // when no notification comes
    std::int64_t streams_per_team = 20;
    std::int64_t streams = 1000;  // of this server
    std::chrono::milliseconds heartbeat{15'000};
    // Not settings.
    std::chrono::milliseconds lease{6000};
    std::chrono::milliseconds retry_least{500};
    std::chrono::milliseconds retry_most{30'000};
};
void DeclareSettings(SettingsSchema& schema, EventOptions& options);  // section "events"

// What a team asks for. Events of a type in `types` only, unless that is empty.
struct Query {
    std::set<std::string> types;
    std::optional<EventId> after;  // those that come after this one (before it when newest_first)
    bool newest_first = false;
    std::int64_t limit = 100;
};
struct Page {
    std::vector<Event> events;
    std::optional<EventId> next;  // the last one here, when there are more
};

class EventsCore;

// The node's one watcher of the outbox, its readers, streams and sweeper.
class Events {
public:
    Events(asio::io_context& loop, EventOptions options);
    ~Events();
    Events(const Events&) = delete;
    Events& operator=(const Events&) = delete;

    void AddReader(Reader reader);  // before Start
    // Begins to work. `db` must outlive Stop().
    void Start(pg::Database& db);
    // Ends every stream, whole. The rest goes on.
    void EndStreams();
    // Waits for the readers' callbacks in progress and gives their leases back.
    Task<void> Stop();

    // One page of a team's events. kGone "events_expired": `after` is not (any more) an event of
    // this team. Throws DatabaseUnavailable, also before Start.
    Task<Result<Page>> List(TeamId team, Query query);
    // Follows a team's events from `query.after`, or from now, as server-sent events. The pipe
    // takes no more than the client does; a client that takes nothing is cut off by the server's
    // write timeout and may come back with the last id it got. Errors: as List, kRateLimited
    // "too_many_streams" (of the team), kUnavailable "too_many_streams" (of the server).
    Task<Result<std::shared_ptr<BytePipe>>> Follow(TeamId team, Query query);

    // For tests: how far events are known to be final, and one round of sweeping.
    std::int64_t final_seq() const;
    Task<void> SweepNow();

private:
    std::shared_ptr<EventsCore> core_;
};

// voiceflow_events_total{type}; at most 100 types, the rest is "other".
Reader MetricsReader();

}  // namespace vf::events
