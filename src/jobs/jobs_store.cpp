// SQL of one team's jobs; the workers' is in jobs_work_store.cpp.
#include "jobs/jobs_store.hpp"

#include "jobs/jobs_rows.hpp"

namespace vf::jobs {
namespace {

constexpr pg::Statement kInsertJob{
    "jobs_insert",
    "WITH made AS (INSERT INTO jobs (id, team_id, key_id, kind, live, payload, payload_expires_at, "
    "keep_payload, keep_result, max_attempts, run_at) VALUES ($1, $2, $3, $4, $5, $6, "
    "greatest(now(), coalesce(to_timestamp($10), now())) + $7 * interval '1 s', "
    "$7 * interval '1 s', $8 * interval '1 s', $9, coalesce(to_timestamp($10), now())) "
    "RETURNING kind) SELECT pg_notify('vf_jobs', 'run ' || kind) FROM made"};
constexpr pg::Statement kCountOpen{"jobs_count_open",
                                   "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE team_id = $1 "
                                   "AND state IN ('queued', 'running') LIMIT $2) AS open"};

constexpr pg::Statement kFindJob{
    "jobs_find",
    "SELECT id, team_id, key_id, kind, state, live, progress, note, attempt, max_attempts, "
    "cancel_requested, coalesce(error_code, ''), coalesce(error_message, ''), "
    "to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), "
    "to_char(run_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), "
    "to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), "
    "to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), "
    "to_char(result_expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') "
    "FROM jobs WHERE team_id = $1 AND id = $2"};
constexpr pg::Statement kListJobs{
    "jobs_list",
    "SELECT id, team_id, key_id, kind, state, live, progress, note, attempt, max_attempts, "
    "cancel_requested, coalesce(error_code, ''), coalesce(error_message, ''), "
    "to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), "
    "to_char(run_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), "
    "to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), "
    "to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), "
    "to_char(result_expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') "
    "FROM jobs WHERE team_id = $1 AND ($2::uuid IS NULL OR id < $2) "
    "AND ($3::text IS NULL OR state = $3) AND ($4::text IS NULL OR kind = $4) "
    "ORDER BY id DESC LIMIT $5"};

constexpr pg::Statement kLockJob{
    "jobs_lock",
    "SELECT kind, state, live, attempt, payload IS NOT NULL AND payload_expires_at > now() "
    "FROM jobs WHERE team_id = $1 AND id = $2 FOR UPDATE"};
constexpr pg::Statement kCancelQueued{
    "jobs_cancel_queued",
    "UPDATE jobs SET state = 'cancelled', finished_at = clock_timestamp(), payload_expires_at = "
    "greatest(payload_expires_at, now() + keep_payload) WHERE team_id = $1 AND id = $2"};
constexpr pg::Statement kRequestCancel{
    "jobs_request_cancel",
    "WITH asked AS (UPDATE jobs SET cancel_requested = true WHERE team_id = $1 AND id = $2 "
    "RETURNING id) SELECT pg_notify('vf_jobs', 'cancel ' || id) FROM asked"};
constexpr pg::Statement kQueueAgain{
    "jobs_queue_again",
    "WITH again AS (UPDATE jobs SET state = 'queued', attempt = 0, run_at = now(), "
    "started_at = NULL, finished_at = NULL, progress = 0, note = '', cancel_requested = false, "
    "error_code = NULL, error_message = NULL, payload_expires_at = now() + keep_payload "
    "WHERE team_id = $1 AND id = $2 RETURNING kind) "
    "SELECT pg_notify('vf_jobs', 'run ' || kind) FROM again"};
constexpr pg::Statement kDeleteJob{"jobs_delete",
                                   "DELETE FROM jobs WHERE team_id = $1 AND id = $2"};

constexpr pg::Statement kFindResult{
    "jobs_find_result",
    "SELECT state, result, coalesce(result_type, ''), "
    "result IS NULL OR result_expires_at <= now() FROM jobs WHERE team_id = $1 AND id = $2"};

pg::Params ParamsOf(TeamId team, JobId id) {
    pg::Params params;
    params.Text(team.uuid.Dashed()).Text(id.uuid.Dashed());
    return params;
}

Job JobOf(const pg::Row& row) {
    Job job;
    job.id = JobId{UuidOf(row, 0)};
    job.team = TeamId{UuidOf(row, 1)};
    if (!row.IsNull(2)) job.key = KeyId{UuidOf(row, 2)};
    job.kind = row.Text(3);
    job.state = StateOf(row, 4);
    job.live = row.Bool(5);
    job.progress = row.Double(6);
    job.note = row.Text(7);
    job.attempt = static_cast<int>(row.Int(8));
    job.max_attempts = static_cast<int>(row.Int(9));
    job.cancel_requested = row.Bool(10);
    job.error_code = row.Text(11);
    job.error_message = row.Text(12);
    job.created_at = row.Text(13);
    job.run_at = row.Text(14);
    job.started_at = row.MaybeText(15);
    job.finished_at = row.MaybeText(16);
    job.result_expires_at = row.MaybeText(17);
    return job;
}

std::optional<Job> FirstOf(const pg::Rows& rows) {
    if (rows.empty()) return std::nullopt;
    return JobOf(rows[0]);
}

}  // namespace

Task<void> InsertJob(pg::TeamTransaction& transaction, NewRow row) {
    pg::Params params;
    params.Text(row.id.uuid.Dashed()).Text(transaction.team().uuid.Dashed());
    if (row.key) {
        params.Text(row.key->uuid.Dashed());
    } else {
        params.Null();
    }
    params.Text(row.kind).Bool(row.live).Bytes(row.sealed);
    params.Int(row.keep_payload.count()).Int(row.keep_result.count()).Int(row.max_attempts);
    if (row.run_at) {
        params.Double(*row.run_at);
    } else {
        params.Null();
    }
    co_await transaction.Query(kInsertJob, std::move(params));
}

Task<std::int64_t> CountOpen(pg::TeamTransaction& transaction, std::int64_t most) {
    pg::Params params;
    params.Text(transaction.team().uuid.Dashed()).Int(most);
    const pg::Rows rows = co_await transaction.Query(kCountOpen, std::move(params));
    co_return rows[0].Int(0);
}

Task<std::optional<Job>> FindJob(pg::TeamTransaction& transaction, JobId id) {
    pg::Params params = ParamsOf(transaction.team(), id);
    const pg::Rows rows = co_await transaction.Query(kFindJob, std::move(params));
    co_return FirstOf(rows);
}

Task<std::optional<Job>> FindJob(pg::TeamDb db, JobId id) {
    pg::Params params = ParamsOf(db.team(), id);
    const pg::Rows rows = co_await db.Query(kFindJob, std::move(params));
    co_return FirstOf(rows);
}

Task<std::vector<Job>> ListJobs(pg::TeamDb db, JobQuery query) {
    pg::Params params;
    params.Text(db.team().uuid.Dashed());
    if (query.before) {
        params.Text(query.before->uuid.Dashed());
    } else {
        params.Null();
    }
    if (query.state) {
        params.Text(StateName(*query.state));
    } else {
        params.Null();
    }
    params.TextOrNull(query.kind).Int(query.limit);
    const pg::Rows rows = co_await db.Query(kListJobs, std::move(params));
    std::vector<Job> jobs;
    jobs.reserve(rows.size());
    for (const pg::Row row : rows) jobs.push_back(JobOf(row));
    co_return jobs;
}

Task<std::optional<LockedJob>> LockJob(pg::TeamTransaction& transaction, JobId id) {
    pg::Params params = ParamsOf(transaction.team(), id);
    const pg::Rows rows = co_await transaction.Query(kLockJob, std::move(params));
    if (rows.empty()) co_return std::nullopt;
    const pg::Row row = rows[0];
    LockedJob job;
    job.kind = row.Text(0);
    job.state = StateOf(row, 1);
    job.live = row.Bool(2);
    job.attempt = static_cast<int>(row.Int(3));
    job.has_payload = row.Bool(4);
    co_return job;
}

Task<void> CancelQueued(pg::TeamTransaction& transaction, JobId id) {
    pg::Params params = ParamsOf(transaction.team(), id);
    co_await transaction.Query(kCancelQueued, std::move(params));
}

Task<void> RequestCancel(pg::TeamTransaction& transaction, JobId id) {
    pg::Params params = ParamsOf(transaction.team(), id);
    co_await transaction.Query(kRequestCancel, std::move(params));
}

Task<void> QueueAgain(pg::TeamTransaction& transaction, JobId id) {
    pg::Params params = ParamsOf(transaction.team(), id);
    co_await transaction.Query(kQueueAgain, std::move(params));
}

Task<void> DeleteJob(pg::TeamTransaction& transaction, JobId id) {
    pg::Params params = ParamsOf(transaction.team(), id);
    co_await transaction.Query(kDeleteJob, std::move(params));
}

Task<std::optional<ResultRow>> FindResult(pg::TeamDb db, JobId id) {
    pg::Params params = ParamsOf(db.team(), id);
    const pg::Rows rows = co_await db.Query(kFindResult, std::move(params));
    if (rows.empty()) co_return std::nullopt;
    const pg::Row row = rows[0];
    ResultRow result;
    result.state = StateOf(row, 0);
    if (!row.IsNull(1)) result.sealed = row.Bytes(1);
    result.media_type = row.Text(2);
    result.expired = row.Bool(3);
    co_return result;
}

}  // namespace vf::jobs
