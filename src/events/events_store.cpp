#include "events/events_store.hpp"

#include "base/log.hpp"

namespace vf::events {
namespace {

constexpr pg::Statement kLastSeq{
    "events_last_seq", "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM events_seq_seq"};
// The keys are those of vf_event_appending().
constexpr pg::Statement kAppenders{
    "events_appenders",
    "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'advisory' AND granted "
    "AND classid = 1986422134 AND objid = 0 AND objsubid = 2 "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"};

constexpr pg::Statement kFindSeq{"events_find_seq",
                                 "SELECT seq FROM events WHERE team_id = $1 AND id = $2"};

constexpr pg::Statement kOfTeam{
    "events_of_team",
    "SELECT seq, id, team_id, type, resource, live, data::text, actor::text, "
    "to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') "
    "FROM events WHERE team_id = $1 AND seq > $2 AND seq <= $3 "
    "AND ($4::text[] = '{}' OR type = ANY ($4)) ORDER BY seq LIMIT $5"};
constexpr pg::Statement kOfTeamNewest{
    "events_of_team_newest",
    "SELECT seq, id, team_id, type, resource, live, data::text, actor::text, "
    "to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') "
    "FROM events WHERE team_id = $1 AND seq > $2 AND seq <= $3 "
    "AND ($4::text[] = '{}' OR type = ANY ($4)) ORDER BY seq DESC LIMIT $5"};
constexpr pg::Statement kOfAll{
    "events_of_all",
    "SELECT seq, id, team_id, type, resource, live, data::text, actor::text, "
    "to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') "
    "FROM events WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3"};
constexpr pg::Statement kTeamsWithEvents{
    "events_teams", "SELECT DISTINCT team_id FROM events WHERE seq > $1 AND seq <= $2"};

constexpr pg::Statement kTakeReader{
    "events_take_reader",
    "INSERT INTO event_readers AS r (name, seq, holder, lease_until) "
    "VALUES ($1, $4, $2, clock_timestamp() + $3 * interval '1 ms') "
    "ON CONFLICT (name) DO UPDATE SET holder = $2, "
    "lease_until = clock_timestamp() + $3 * interval '1 ms' "
    "WHERE r.holder IS NULL OR r.holder = $2 OR r.lease_until < clock_timestamp() RETURNING seq"};
constexpr pg::Statement kRenewReader{
    "events_renew_reader",
    "UPDATE event_readers SET lease_until = clock_timestamp() + $3 * interval '1 ms', "
    "moved_at = CASE WHEN $4 THEN clock_timestamp() ELSE moved_at END "
    "WHERE name = $1 AND holder = $2"};
constexpr pg::Statement kMoveReader{
    "events_move_reader",
    "UPDATE event_readers SET seq = $3, moved_at = clock_timestamp() "
    "WHERE name = $1 AND holder = $2"};
constexpr pg::Statement kGiveReaderBack{
    "events_give_reader_back",
    "UPDATE event_readers SET holder = NULL, lease_until = '-infinity' "
    "WHERE name = $1 AND holder = $2"};

constexpr pg::Statement kDropReaders{
    "events_drop_readers",
    "DELETE FROM event_readers WHERE moved_at < clock_timestamp() - $1 * interval '1 ms' "
    "RETURNING name"};
// Looks at the oldest `limit` rows only: numbers and times rise together.
constexpr pg::Statement kDeleteOldEvents{
    "events_delete_old",
    "WITH oldest AS (SELECT seq, created_at FROM events "
    "WHERE seq <= COALESCE((SELECT min(seq) FROM event_readers), 9223372036854775807) "
    "ORDER BY seq LIMIT $2) "
    "DELETE FROM events USING oldest WHERE events.seq = oldest.seq "
    "AND oldest.created_at < clock_timestamp() - $1 * interval '1 ms'"};

Uuid UuidOf(const pg::Row& row, int column) {
    const std::optional<Uuid> uuid = Uuid::Parse(row.Text(column));
    if (!uuid) throw pg::QueryError("22018", "", "a uuid column holds no uuid");
    return *uuid;
}

json::object ObjectOf(const pg::Row& row, int column) {
    if (row.IsNull(column)) return {};
    Result<json::Parsed> parsed = json::Parse(row.Text(column));
    if (parsed && parsed->root.is_object()) return std::move(parsed->root.get_object());
    // Append writes nothing like this; one such row must not stop every reader.
    log::Error("event_unreadable", {{"seq", row.Int(0)}});
    return {};
}

std::vector<Event> EventsOf(const pg::Rows& rows) {
    std::vector<Event> events;
    events.reserve(rows.size());
    for (const pg::Row row : rows) {
        Event& event = events.emplace_back();
        event.seq = row.Int(0);
        event.id = EventId{UuidOf(row, 1)};
        event.team = TeamId{UuidOf(row, 2)};
        event.type = row.Text(3);
        event.resource = row.Text(4);
        event.live = row.Bool(5);
        event.data = ObjectOf(row, 6);
        event.actor = ObjectOf(row, 7);
        event.created_at = row.Text(8);
    }
    return events;
}

// Types are checked to be of [a-z0-9_.] by whoever reads them.
std::string ArrayOf(const std::set<std::string>& types) {
    std::string text = "{";
    for (const std::string& type : types) text += (text.size() > 1 ? "," : "") + type;
    return text + "}";
}

}  // namespace

Task<Horizon> ReadHorizon(pg::SystemDb db) {
    // In this order: whoever took a number up to the last one holds the lock, or has ended.
    std::vector<pg::Call> calls;
    calls.emplace_back(kLastSeq, pg::Params());
    calls.emplace_back(kAppenders, pg::Params());
    const std::vector<pg::Rows> rows = co_await db.QueryTogether(std::move(calls));
    Horizon horizon;
    horizon.last = rows[0][0].Int(0);
    for (const pg::Row row : rows[1]) horizon.open.emplace_back(row.Text(0));
    co_return horizon;
}

Task<std::optional<std::int64_t>> FindSeq(pg::TeamDb db, EventId id) {
    pg::Params params;
    params.Text(db.team().uuid.Dashed()).Text(id.uuid.Dashed());
    const pg::Rows rows = co_await db.Query(kFindSeq, std::move(params));
    if (rows.empty()) co_return std::nullopt;
    co_return rows[0].Int(0);
}

Task<std::vector<Event>> EventsOfTeam(pg::TeamDb db, Range range, std::set<std::string> types,
                                      bool newest_first) {
    pg::Params params;
    params.Text(db.team().uuid.Dashed()).Int(range.from).Int(range.to);
    params.Text(ArrayOf(types)).Int(range.limit);
    const pg::Statement statement = newest_first ? kOfTeamNewest : kOfTeam;
    const pg::Rows rows = co_await db.Query(statement, std::move(params));
    co_return EventsOf(rows);
}

Task<std::vector<Event>> EventsOfAll(pg::SystemDb db, Range range) {
    pg::Params params;
    params.Int(range.from).Int(range.to).Int(range.limit);
    const pg::Rows rows = co_await db.Query(kOfAll, std::move(params));
    co_return EventsOf(rows);
}

Task<std::vector<TeamId>> TeamsWithEvents(pg::SystemDb db, std::int64_t from, std::int64_t to) {
    pg::Params params;
    params.Int(from).Int(to);
    const pg::Rows rows = co_await db.Query(kTeamsWithEvents, std::move(params));
    std::vector<TeamId> teams;
    for (const pg::Row row : rows) teams.push_back(TeamId{UuidOf(row, 0)});
    co_return teams;
}

Task<std::optional<std::int64_t>> TakeReader(pg::SystemDb db, std::string name, std::string holder,
                                             Millis lease, std::optional<std::int64_t> start) {
    pg::Params params;
    params.Text(name).Text(holder).Int(lease.count()).Int(start.value_or(0));
    const pg::Rows rows = co_await db.Query(kTakeReader, std::move(params));
    if (rows.empty()) co_return std::nullopt;
    co_return rows[0].Int(0);
}

Task<bool> RenewReader(pg::SystemDb db, std::string name, std::string holder, Millis lease,
                       bool is_idle) {
    pg::Params params;
    params.Text(name).Text(holder).Int(lease.count()).Bool(is_idle);
    const pg::Rows rows = co_await db.Query(kRenewReader, std::move(params));
    co_return rows.affected() == 1;
}

Task<bool> MoveReader(pg::SystemDb db, std::string name, std::string holder, std::int64_t seq) {
    pg::Params params;
    params.Text(name).Text(holder).Int(seq);
    const pg::Rows rows = co_await db.Query(kMoveReader, std::move(params));
    co_return rows.affected() == 1;
}

Task<void> GiveReaderBack(pg::SystemDb db, std::string name, std::string holder) {
    pg::Params params;
    params.Text(name).Text(holder);
    co_await db.Query(kGiveReaderBack, std::move(params));
}

Task<std::vector<std::string>> DropReaders(pg::SystemDb db, Millis timeout) {
    pg::Params params;
    params.Int(timeout.count());
    const pg::Rows rows = co_await db.Query(kDropReaders, std::move(params));
    std::vector<std::string> names;
    for (const pg::Row row : rows) names.emplace_back(row.Text(0));
    co_return names;
}

Task<std::int64_t> DeleteOldEvents(pg::SystemDb db, Millis keep, std::int64_t limit) {
    pg::Params params;
    params.Int(keep.count()).Int(limit);
    const pg::Rows rows = co_await db.Query(kDeleteOldEvents, std::move(params));
    co_return rows.affected();
}

}  // namespace vf::events
