#include "voices/voices_store.hpp"

namespace vf::voices::store {
namespace {

constexpr pg::Statement kAll{
    "voice_settings_all",
    "SELECT voice, stability, similarity_boost, style, use_speaker_boost, speed "
    "FROM voice_settings WHERE team_id = $1 ORDER BY voice LIMIT $2"};

constexpr pg::Statement kSet{
    "voice_settings_set",
    "INSERT INTO voice_settings (team_id, voice, stability, similarity_boost, style, "
    "use_speaker_boost, speed) SELECT $1::uuid, $2::text, $3, $4, $5, $6, $7 "
    "WHERE (SELECT count(*) FROM voice_settings WHERE team_id = $1::uuid AND voice <> $2::text) "
    "< $8::bigint "
    "ON CONFLICT (team_id, voice) DO UPDATE SET stability = EXCLUDED.stability, "
    "similarity_boost = EXCLUDED.similarity_boost, style = EXCLUDED.style, "
    "use_speaker_boost = EXCLUDED.use_speaker_boost, speed = EXCLUDED.speed, updated_at = now()"};

}  // namespace

Task<std::map<std::string, StoredSettings>> All(pg::TeamDb db, std::int64_t limit) {
    pg::Params params;
    params.Text(db.team().uuid.Dashed()).Int(limit);
    const pg::Rows rows = co_await db.Query(kAll, std::move(params));
    std::map<std::string, StoredSettings> out;
    for (const pg::Row row : rows) {
        StoredSettings settings;
        settings.stability = row.Double(1);
        settings.similarity_boost = row.Double(2);
        settings.style = row.Double(3);
        settings.use_speaker_boost = row.Bool(4);
        settings.speed = row.Double(5);
        out.emplace(row.Text(0), settings);
    }
    co_return out;
}

Task<bool> Set(pg::TeamTransaction& transaction, std::string voice, StoredSettings settings,
               std::int64_t most) {
    pg::Params params;
    params.Text(transaction.team().uuid.Dashed()).Text(voice);
    params.Double(settings.stability).Double(settings.similarity_boost).Double(settings.style);
    params.Bool(settings.use_speaker_boost).Double(settings.speed).Int(most);
    const pg::Rows rows = co_await transaction.Query(kSet, std::move(params));
    co_return rows.affected() == 1;
}

}  // namespace vf::voices::store
