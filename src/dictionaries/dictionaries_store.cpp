#include "dictionaries/dictionaries_store.hpp"

namespace vf::dictionaries::store {
namespace {

constexpr pg::Statement kCount{"dictionaries_count",
                               "SELECT count(*) FROM dictionaries WHERE team_id = $1"};

constexpr pg::Statement kInsert{
    "dictionaries_insert",
    "INSERT INTO dictionaries (id, team_id, name, description, latest_id, created_by) "
    "VALUES ($2, $1, $3, $4, $5, $6)"};

constexpr pg::Statement kInsertVersion{
    "dictionaries_insert_version",
    "INSERT INTO dictionary_versions (id, team_id, dictionary_id, number, rules, rule_count, "
    "created_by) VALUES ($2, $1, $3, $4, $5::jsonb, $6, $7)"};

constexpr pg::Statement kSetLatest{
    "dictionaries_set_latest",
    "UPDATE dictionaries SET latest_id = $3 WHERE team_id = $1 AND id = $2"};

#define VF_DICTIONARY_COLUMNS                                                                 \
    "SELECT d.id, d.name, d.description, d.latest_id, v.number, v.rule_count, d.created_by, " \
    "(extract(epoch FROM d.created_at) * 1000)::bigint, "                                     \
    "(extract(epoch FROM d.archived_at) * 1000)::bigint "                                     \
    "FROM dictionaries d JOIN dictionary_versions v ON v.id = d.latest_id "

// Alone: a join would be read as it was before the lock was waited for.
constexpr pg::Statement kLock{
    "dictionaries_lock", "SELECT 1 FROM dictionaries WHERE team_id = $1 AND id = $2 FOR UPDATE"};
constexpr pg::Statement kFind{"dictionaries_find",
                              VF_DICTIONARY_COLUMNS "WHERE d.team_id = $1 AND d.id = $2"};
constexpr pg::Statement kList{"dictionaries_list", VF_DICTIONARY_COLUMNS
                              "WHERE d.team_id = $1 AND ($2::boolean OR d.archived_at IS NULL) "
                              "AND ($3::uuid IS NULL OR d.id < $3) ORDER BY d.id DESC LIMIT $4"};
#undef VF_DICTIONARY_COLUMNS

constexpr pg::Statement kUpdate{
    "dictionaries_update",
    "UPDATE dictionaries SET name = $3, description = $4, "
    "archived_at = CASE WHEN $5::boolean THEN coalesce(archived_at, now()) END "
    "WHERE team_id = $1 AND id = $2"};

constexpr pg::Statement kDelete{"dictionaries_delete",
                                "DELETE FROM dictionaries WHERE team_id = $1 AND id = $2"};

constexpr pg::Statement kRulesOf{
    "dictionaries_rules_of",
    "SELECT rules::text FROM dictionary_versions WHERE team_id = $1 AND id = $2"};

constexpr pg::Statement kVersions{
    "dictionaries_versions",
    "SELECT id, dictionary_id, number, rule_count, created_by, "
    "(extract(epoch FROM created_at) * 1000)::bigint FROM dictionary_versions "
    "WHERE team_id = $1 AND dictionary_id = $2 AND ($3::uuid IS NULL OR id < $3) "
    "ORDER BY id DESC LIMIT $4"};

constexpr pg::Statement kFindVersion{
    "dictionaries_find_version",
    "SELECT id, dictionary_id, number, rule_count, created_by, "
    "(extract(epoch FROM created_at) * 1000)::bigint FROM dictionary_versions "
    "WHERE team_id = $1 AND dictionary_id = $2 AND id = $3"};

constexpr pg::Statement kLoadVersion{"dictionaries_load_version",
                                     "SELECT rules::text FROM dictionary_versions "
                                     "WHERE team_id = $1 AND dictionary_id = $2 AND id = $3"};

constexpr pg::Statement kLatest{"dictionaries_latest",
                                "SELECT latest_id FROM dictionaries WHERE team_id = $1 "
                                "AND id = $2"};

constexpr pg::Statement kLatestByName{
    "dictionaries_latest_by_name",
    "SELECT id, latest_id FROM dictionaries WHERE team_id = $1 AND name = $2 "
    "AND archived_at IS NULL"};

constexpr pg::Statement kDefaults{
    "dictionaries_defaults",
    "SELECT d.id, d.latest_id FROM dictionary_defaults f "
    "JOIN dictionaries d ON d.id = f.dictionary_id AND d.team_id = f.team_id "
    "WHERE f.team_id = $1 AND d.archived_at IS NULL ORDER BY f.position"};

constexpr pg::Statement kClearDefaults{"dictionaries_clear_defaults",
                                       "DELETE FROM dictionary_defaults WHERE team_id = $1"};

constexpr pg::Statement kAddDefault{
    "dictionaries_add_default",
    "INSERT INTO dictionary_defaults (team_id, position, dictionary_id) "
    "SELECT team_id, $2, id FROM dictionaries WHERE team_id = $1 AND id = $3"};

Uuid UuidOf(const pg::Row& row, int column) {
    const std::optional<Uuid> uuid = Uuid::Parse(row.Text(column));
    if (!uuid) throw pg::QueryError("22018", "", "a uuid column holds no uuid");
    return *uuid;
}

Clock::time_point TimeOf(std::int64_t millis) {
    return Clock::time_point(std::chrono::milliseconds(millis));
}

Dictionary DictionaryOf(const pg::Row& row) {
    Dictionary out;
    out.id = DictionaryId{UuidOf(row, 0)};
    out.name = row.Text(1);
    out.description = row.Text(2);
    out.latest = VersionId{UuidOf(row, 3)};
    out.latest_number = row.Int(4);
    out.rules = row.Int(5);
    out.created_by = row.Text(6);
    out.created_at = TimeOf(row.Int(7));
    if (const auto archived = row.MaybeInt(8)) out.archived_at = TimeOf(*archived);
    return out;
}

Version VersionOf(const pg::Row& row) {
    Version out;
    out.id = VersionId{UuidOf(row, 0)};
    out.dictionary = DictionaryId{UuidOf(row, 1)};
    out.number = row.Int(2);
    out.rules = row.Int(3);
    out.created_by = row.Text(4);
    out.created_at = TimeOf(row.Int(5));
    return out;
}

pg::Params Of(TeamId team) {
    pg::Params params;
    params.Text(team.uuid.Dashed());
    return params;
}

pg::Params Of(TeamId team, DictionaryId id) {
    pg::Params params = Of(team);
    params.Text(id.uuid.Dashed());
    return params;
}

template <class Tag>
void IdOrNull(pg::Params& params, const std::optional<Id<Tag>>& id) {
    if (id) {
        params.Text(id->uuid.Dashed());
    } else {
        params.Null();
    }
}

}  // namespace

Task<std::int64_t> Count(pg::TeamTransaction& transaction) {
    pg::Params params = Of(transaction.team());
    const pg::Rows rows = co_await transaction.Query(kCount, std::move(params));
    co_return rows[0].Int(0);
}

Task<void> Insert(pg::TeamTransaction& transaction, DictionaryId id, std::string name,
                  std::string description, VersionId latest, std::string created_by) {
    pg::Params params = Of(transaction.team(), id);
    params.Text(name).Text(description).Text(latest.uuid.Dashed()).Text(created_by);
    co_await transaction.Query(kInsert, std::move(params));
}

Task<void> InsertVersion(pg::TeamTransaction& transaction, NewVersion version) {
    pg::Params params = Of(transaction.team());
    params.Text(version.id.uuid.Dashed()).Text(version.dictionary.uuid.Dashed());
    params.Int(version.number).Text(version.rules).Int(version.rule_count);
    params.Text(version.created_by);
    co_await transaction.Query(kInsertVersion, std::move(params));
}

Task<void> SetLatest(pg::TeamTransaction& transaction, DictionaryId id, VersionId latest) {
    pg::Params params = Of(transaction.team(), id);
    params.Text(latest.uuid.Dashed());
    co_await transaction.Query(kSetLatest, std::move(params));
}

Task<std::optional<Dictionary>> Lock(pg::TeamTransaction& transaction, DictionaryId id) {
    pg::Params params = Of(transaction.team(), id);
    const pg::Rows locked = co_await transaction.Query(kLock, std::move(params));
    if (locked.empty()) co_return std::nullopt;
    pg::Params again = Of(transaction.team(), id);
    const pg::Rows rows = co_await transaction.Query(kFind, std::move(again));
    if (rows.empty()) co_return std::nullopt;
    co_return DictionaryOf(rows[0]);
}

Task<void> Update(pg::TeamTransaction& transaction, DictionaryId id, std::string name,
                  std::string description, bool archived) {
    pg::Params params = Of(transaction.team(), id);
    params.Text(name).Text(description).Bool(archived);
    co_await transaction.Query(kUpdate, std::move(params));
}

Task<void> Delete(pg::TeamTransaction& transaction, DictionaryId id) {
    pg::Params params = Of(transaction.team(), id);
    co_await transaction.Query(kDelete, std::move(params));
}

Task<std::string> RulesOf(pg::TeamTransaction& transaction, VersionId version) {
    pg::Params params = Of(transaction.team());
    params.Text(version.uuid.Dashed());
    const pg::Rows rows = co_await transaction.Query(kRulesOf, std::move(params));
    if (rows.empty()) throw pg::QueryError("22002", "", "a dictionary without its latest version");
    co_return std::string(rows[0].Text(0));
}

Task<std::optional<Dictionary>> Find(pg::TeamDb db, DictionaryId id) {
    pg::Params params = Of(db.team(), id);
    const pg::Rows rows = co_await db.Query(kFind, std::move(params));
    if (rows.empty()) co_return std::nullopt;
    co_return DictionaryOf(rows[0]);
}

Task<std::vector<Dictionary>> List(pg::TeamDb db, bool with_archived,
                                   std::optional<DictionaryId> after, std::int64_t limit) {
    pg::Params params = Of(db.team());
    params.Bool(with_archived);
    IdOrNull(params, after);
    params.Int(limit);
    const pg::Rows rows = co_await db.Query(kList, std::move(params));
    std::vector<Dictionary> out;
    out.reserve(rows.size());
    for (const pg::Row row : rows) out.push_back(DictionaryOf(row));
    co_return out;
}

Task<std::vector<Version>> Versions(pg::TeamDb db, DictionaryId id, std::optional<VersionId> after,
                                    std::int64_t limit) {
    pg::Params params = Of(db.team(), id);
    IdOrNull(params, after);
    params.Int(limit);
    const pg::Rows rows = co_await db.Query(kVersions, std::move(params));
    std::vector<Version> out;
    out.reserve(rows.size());
    for (const pg::Row row : rows) out.push_back(VersionOf(row));
    co_return out;
}

Task<std::optional<Version>> FindVersion(pg::TeamDb db, DictionaryId id, VersionId version) {
    pg::Params params = Of(db.team(), id);
    params.Text(version.uuid.Dashed());
    const pg::Rows rows = co_await db.Query(kFindVersion, std::move(params));
    if (rows.empty()) co_return std::nullopt;
    co_return VersionOf(rows[0]);
}

Task<std::optional<VersionRules>> LoadVersion(pg::TeamDb db, DictionaryId id, VersionId version) {
    pg::Params params = Of(db.team(), id);
    params.Text(version.uuid.Dashed());
    const pg::Rows rows = co_await db.Query(kLoadVersion, std::move(params));
    if (rows.empty()) co_return std::nullopt;
    VersionRules out;
    out.version = version;
    out.dictionary = id;
    out.rules = rows[0].Text(0);
    co_return out;
}

Task<std::optional<VersionId>> Latest(pg::TeamDb db, DictionaryId id) {
    pg::Params params = Of(db.team(), id);
    const pg::Rows rows = co_await db.Query(kLatest, std::move(params));
    if (rows.empty()) co_return std::nullopt;
    co_return VersionId{UuidOf(rows[0], 0)};
}

Task<std::optional<Place>> LatestByName(pg::TeamDb db, std::string name) {
    pg::Params params = Of(db.team());
    params.Text(name);
    const pg::Rows rows = co_await db.Query(kLatestByName, std::move(params));
    if (rows.empty()) co_return std::nullopt;
    co_return Place{DictionaryId{UuidOf(rows[0], 0)}, VersionId{UuidOf(rows[0], 1)}};
}

Task<std::vector<Place>> Defaults(pg::TeamDb db) {
    pg::Params params = Of(db.team());
    const pg::Rows rows = co_await db.Query(kDefaults, std::move(params));
    std::vector<Place> out;
    for (const pg::Row row : rows) {
        out.push_back({DictionaryId{UuidOf(row, 0)}, VersionId{UuidOf(row, 1)}});
    }
    co_return out;
}

Task<void> ClearDefaults(pg::TeamTransaction& transaction) {
    pg::Params params = Of(transaction.team());
    co_await transaction.Query(kClearDefaults, std::move(params));
}

Task<bool> AddDefault(pg::TeamTransaction& transaction, std::int64_t position, DictionaryId id) {
    pg::Params params = Of(transaction.team());
    params.Int(position).Text(id.uuid.Dashed());
    const pg::Rows rows = co_await transaction.Query(kAddDefault, std::move(params));
    co_return rows.affected() == 1;
}

}  // namespace vf::dictionaries::store
