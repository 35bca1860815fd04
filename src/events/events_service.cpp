// The outbox as others see it: what is appended, its JSON, the settings.

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "events/events_core.hpp"

namespace vf::events {
namespace {

constexpr pg::Statement kAppend{
    "events_append",
    "INSERT INTO events (id, team_id, type, resource, live, data, actor) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)"};

constexpr std::size_t kMostType = 64;
constexpr std::size_t kMostResource = 200;

// PostgreSQL keeps no NUL in its JSON; a customer's name may hold one.
void ReplaceNul(json::value& value) {
    if (auto* text = value.if_string()) {
        for (std::size_t at = text->find('\0'); at != boost::json::string::npos;) {
            text->replace(at, 1, "\xEF\xBF\xBD");
            at = text->find('\0', at);
        }
    } else if (auto* items = value.if_array()) {
        for (json::value& item : *items) ReplaceNul(item);
    } else if (auto* members = value.if_object()) {
        for (auto& member : *members) ReplaceNul(member.value());
    }
}

std::string TextOf(json::object object) {
    json::value value(std::move(object));
    ReplaceNul(value);
    std::string text = json::Print(value);
    // What a reader could not read again would stop it.
    if (text.size() > kMaxData || !json::Parse(text)) {
        throw std::invalid_argument("an event's data is too large, too deep or not UTF-8");
    }
    return text;
}

pg::Params ParamsOf(EventId id, TeamId team, NewEvent event) {
    if (!IsEventType(event.type)) {
        throw std::invalid_argument("not an event type: " + event.type);
    }
    if (event.resource.size() > kMostResource) {
        throw std::invalid_argument("an event's resource is too long");
    }
    pg::Params params;
    params.Text(id.uuid.Dashed()).Text(team.uuid.Dashed());
    params.Text(event.type).Text(event.resource).Bool(event.live);
    params.Text(TextOf(std::move(event.data)));
    if (event.actor.empty()) {
        params.Null();
    } else {
        params.Text(TextOf(std::move(event.actor)));
    }
    return params;
}

}  // namespace

bool IsEventType(std::string_view type) {
    if (type.empty() || type.size() > kMostType || type.find('.') == std::string_view::npos)
        return false;
    char before = '.';
    for (const char c : type) {
        const bool is_letter = c >= 'a' && c <= 'z';
        const bool is_inner = (c >= '0' && c <= '9') || c == '_' || c == '.';
        if (!is_letter && (before == '.' || !is_inner)) return false;
        before = c;
    }
    return before != '.';
}

json::object ActorOf(const Caller& caller) {
    if (caller.key) return {{"kind", "key"}, {"id", caller.key->Wire()}};
    if (caller.account) return {{"kind", "account"}, {"id", caller.account->Wire()}};
    if (caller.kind == Caller::Kind::kDemo) return {{"kind", "demo"}};
    return {};
}

Task<EventId> Append(pg::TeamTransaction& transaction, NewEvent event) {
    const EventId id = EventId::New();
    pg::Params params = ParamsOf(id, transaction.team(), std::move(event));
    co_await transaction.Query(kAppend, std::move(params));
    co_return id;
}

Task<EventId> Append(pg::SystemTransaction& transaction, TeamId team, NewEvent event) {
    const EventId id = EventId::New();
    pg::Params params = ParamsOf(id, team, std::move(event));
    co_await transaction.Query(kAppend, std::move(params));
    co_return id;
}

json::object ToJson(const Event& event) {
    json::value actor;
    if (!event.actor.empty()) actor = event.actor;
    return {{"id", event.id.Wire()},
            {"type", event.type},
            {"resource", event.resource},
            {"live", event.live},
            {"data", event.data},
            {"actor", std::move(actor)},
            {"created_at", event.created_at}};
}

void DeclareSettings(SettingsSchema& schema, EventOptions& options) {
    using std::chrono::hours;
    using std::chrono::milliseconds;
    using std::chrono::seconds;
    schema.Duration("events.keep", options.keep, hours(1), hours(24 * 3660),
                    {"720h", "How long events are kept for streams to resume and for lists."});
    schema.Duration("events.reader_timeout", options.reader_timeout, hours(1), hours(24 * 366),
                    {"168h",
                     "A reader of events that did not get on for so long is dropped, so that old "
                     "events can go."});
    schema.Duration("events.poll", options.poll, milliseconds(10), seconds(60),
                    {"1s", "How often new events are looked for when no notification comes."});
    schema.Integer("events.streams_per_team", options.streams_per_team, 1, 10'000,
                   {"20", "How many clients of one team may follow its events at once."});
    schema.Integer("events.streams", options.streams, 1, 100'000,
                   {"1000", "How many clients may follow events on this server at once."});
    schema.Duration("events.heartbeat", options.heartbeat, milliseconds(100), seconds(3600),
                    {"15s", "How often a silent event stream gets a comment line."});
}

Events::Events(asio::io_context& loop, EventOptions options)
    : core_(std::make_shared<EventsCore>(loop.get_executor(), std::move(options))) {}

Events::~Events() = default;

void Events::AddReader(Reader reader) {
    core_->AddReader(std::move(reader));
}

void Events::Start(pg::Database& db) {
    core_->Start(db);
}

void Events::EndStreams() {
    core_->EndStreams();
}

Task<void> Events::Stop() {
    return EventsCore::Stop(core_);
}

Task<Result<Page>> Events::List(TeamId team, Query query) {
    return EventsCore::List(core_, team, std::move(query));
}

Task<Result<std::shared_ptr<BytePipe>>> Events::Follow(TeamId team, Query query) {
    return EventsCore::Follow(core_, team, std::move(query));
}

std::int64_t Events::final_seq() const {
    return core_->final_seq();
}

Task<void> Events::SweepNow() {
    return EventsCore::Sweep(core_);
}

}  // namespace vf::events
