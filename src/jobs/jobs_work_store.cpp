// The workers' SQL: claiming, renewing, ending, upkeep.
#include "jobs/jobs_rows.hpp"
#include "jobs/jobs_store.hpp"

namespace vf::jobs {
namespace {

// Steps from team to team through the index, however many jobs each has.
constexpr pg::Statement kTeamsInLine{
    "jobs_teams_in_line",
    "WITH RECURSIVE line(team_id, n) AS ("
    "(SELECT team_id, 1 FROM jobs WHERE state = 'queued' AND kind = $1 AND team_id > $2 "
    "ORDER BY team_id LIMIT 1) "
    "UNION ALL SELECT next.team_id, line.n + 1 FROM line CROSS JOIN LATERAL "
    "(SELECT j.team_id FROM jobs AS j WHERE j.state = 'queued' AND j.kind = $1 "
    "AND j.team_id > line.team_id ORDER BY j.team_id LIMIT 1) AS next WHERE line.n < $3) "
    "SELECT team_id, EXISTS (SELECT 1 FROM jobs AS j WHERE j.state = 'queued' AND j.kind = $1 "
    "AND j.team_id = line.team_id AND j.run_at <= clock_timestamp()) FROM line ORDER BY team_id"};

constexpr pg::Statement kClaim{
    "jobs_claim",
    "UPDATE jobs SET state = 'running', attempt = attempt + 1, holder = $3, "
    "lease_until = clock_timestamp() + $4 * interval '1 ms', started_at = clock_timestamp(), "
    "progress = 0, note = '' WHERE id = (SELECT id FROM jobs WHERE state = 'queued' AND kind = $1 "
    "AND team_id = $2 AND run_at <= clock_timestamp() ORDER BY run_at, id LIMIT 1 "
    "FOR UPDATE SKIP LOCKED) AND team_id = $2 "
    "RETURNING id, team_id, holder, attempt, kind, live, max_attempts, cancel_requested, "
    "CASE WHEN payload_expires_at > clock_timestamp() THEN payload END"};
constexpr pg::Statement kLockLost{
    "jobs_lock_lost",
    "SELECT id, team_id, holder, attempt, kind, live, max_attempts, cancel_requested, NULL::bytea "
    "FROM jobs WHERE state = 'running' AND lease_until < clock_timestamp() "
    "ORDER BY lease_until LIMIT $1 FOR UPDATE SKIP LOCKED"};
constexpr pg::Statement kLockExpired{
    "jobs_lock_expired",
    "SELECT id, team_id, '', attempt, kind, live, max_attempts, cancel_requested, NULL::bytea "
    "FROM jobs WHERE payload IS NOT NULL AND payload_expires_at < clock_timestamp() "
    "AND state = 'queued' ORDER BY payload_expires_at LIMIT $1 FOR UPDATE SKIP LOCKED"};

constexpr pg::Statement kRenew{
    "jobs_renew",
    "UPDATE jobs SET lease_until = clock_timestamp() + $5 * interval '1 ms', progress = $6, "
    "note = $7 WHERE id = $1 AND team_id = $2 AND state = 'running' AND holder = $3 "
    "AND attempt = $4 RETURNING cancel_requested"};
constexpr pg::Statement kEnd{
    "jobs_end",
    "UPDATE jobs SET state = $5, holder = NULL, lease_until = NULL, "
    "finished_at = clock_timestamp(), error_code = $6, error_message = $7, result = $8, "
    "result_type = $9, "
    "progress = CASE WHEN $5 = 'succeeded' THEN 1 ELSE progress END, "
    "result_expires_at = CASE WHEN $5 = 'succeeded' THEN clock_timestamp() + keep_result END, "
    "payload = CASE WHEN $5 = 'succeeded' THEN NULL ELSE payload END, "
    "payload_expires_at = greatest(payload_expires_at, clock_timestamp() + keep_payload) "
    "WHERE id = $1 AND team_id = $2 AND state = 'running' AND holder = $3 AND attempt = $4"};
constexpr pg::Statement kRequeue{
    "jobs_requeue",
    "WITH again AS (UPDATE jobs SET state = 'queued', holder = NULL, lease_until = NULL, "
    "run_at = clock_timestamp() + $5 * interval '1 ms', attempt = attempt - $6, "
    "error_code = coalesce($7, error_code), error_message = coalesce($8, error_message), "
    "progress = 0, note = '' "
    "WHERE id = $1 AND team_id = $2 AND state = 'running' AND holder = $3 AND attempt = $4 "
    "RETURNING kind) SELECT pg_notify('vf_jobs', 'run ' || kind) FROM again"};
constexpr pg::Statement kFailExpired{
    "jobs_fail_expired",
    "UPDATE jobs SET state = 'failed', finished_at = clock_timestamp(), error_code = $3, "
    "error_message = $4, payload = NULL WHERE id = $1 AND team_id = $2 AND state = 'queued'"};

constexpr pg::Statement kErasePayloads{
    "jobs_erase_payloads",
    "UPDATE jobs SET payload = NULL WHERE id IN (SELECT id FROM jobs WHERE payload IS NOT NULL "
    "AND payload_expires_at < clock_timestamp() AND state NOT IN ('queued', 'running') "
    "ORDER BY payload_expires_at LIMIT $1)"};
constexpr pg::Statement kEraseResults{
    "jobs_erase_results",
    "UPDATE jobs SET result = NULL WHERE id IN (SELECT id FROM jobs WHERE result IS NOT NULL "
    "AND result_expires_at < clock_timestamp() ORDER BY result_expires_at LIMIT $1)"};
constexpr pg::Statement kDeleteOld{
    "jobs_delete_old",
    "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE finished_at IS NOT NULL "
    "AND finished_at < clock_timestamp() - $1 * interval '1 ms' ORDER BY finished_at LIMIT $2)"};
constexpr pg::Statement kCountJobs{
    "jobs_count",
    "SELECT count(*) FILTER (WHERE state = 'queued'), count(*) FILTER (WHERE state = 'running'), "
    "(SELECT count(*) FROM jobs WHERE state = 'dead') FROM jobs "
    "WHERE state IN ('queued', 'running')"};

pg::Params ParamsOf(const Fence& fence) {
    pg::Params params;
    params.Text(fence.id.uuid.Dashed()).Text(fence.team.uuid.Dashed());
    params.Text(fence.holder).Int(fence.attempt);
    return params;
}

void AddError(pg::Params& params, const std::optional<Error>& error) {
    if (error) {
        params.Text(error->code()).Text(error->message());
    } else {
        params.Null().Null();
    }
}

ClaimedJob ClaimedOf(const pg::Row& row) {
    ClaimedJob job;
    job.fence.id = JobId{UuidOf(row, 0)};
    job.fence.team = TeamId{UuidOf(row, 1)};
    job.fence.holder = row.Text(2);
    job.fence.attempt = static_cast<int>(row.Int(3));
    job.kind = row.Text(4);
    job.live = row.Bool(5);
    job.max_attempts = static_cast<int>(row.Int(6));
    job.cancel_requested = row.Bool(7);
    if (!row.IsNull(8)) job.sealed = row.Bytes(8);
    return job;
}

std::vector<ClaimedJob> AllOf(const pg::Rows& rows) {
    std::vector<ClaimedJob> jobs;
    jobs.reserve(rows.size());
    for (const pg::Row row : rows) jobs.push_back(ClaimedOf(row));
    return jobs;
}

}  // namespace

Task<std::vector<TeamInLine>> TeamsInLine(pg::SystemDb db, std::string kind, TeamId after,
                                          std::int64_t limit) {
    pg::Params params;
    params.Text(kind).Text(after.uuid.Dashed()).Int(limit);
    const pg::Rows rows = co_await db.Query(kTeamsInLine, std::move(params));
    std::vector<TeamInLine> teams;
    teams.reserve(rows.size());
    for (const pg::Row row : rows) teams.push_back({TeamId{UuidOf(row, 0)}, row.Bool(1)});
    co_return teams;
}

Task<std::optional<ClaimedJob>> ClaimJob(pg::SystemTransaction& transaction, std::string kind,
                                         TeamId team, std::string holder, Millis lease) {
    pg::Params params;
    params.Text(kind).Text(team.uuid.Dashed()).Text(holder).Int(lease.count());
    const pg::Rows rows = co_await transaction.Query(kClaim, std::move(params));
    if (rows.empty()) co_return std::nullopt;
    co_return ClaimedOf(rows[0]);
}

Task<std::vector<ClaimedJob>> LockLost(pg::SystemTransaction& transaction, std::int64_t limit) {
    pg::Params params;
    params.Int(limit);
    const pg::Rows rows = co_await transaction.Query(kLockLost, std::move(params));
    co_return AllOf(rows);
}

Task<std::vector<ClaimedJob>> LockExpired(pg::SystemTransaction& transaction, std::int64_t limit) {
    pg::Params params;
    params.Int(limit);
    const pg::Rows rows = co_await transaction.Query(kLockExpired, std::move(params));
    co_return AllOf(rows);
}

Task<Renewed> RenewJob(pg::SystemDb db, Fence fence, Millis lease, double progress,
                       std::string note) {
    pg::Params params = ParamsOf(fence);
    params.Int(lease.count()).Double(progress).Text(note);
    const pg::Rows rows = co_await db.Query(kRenew, std::move(params));
    Renewed renewed;
    renewed.is_ours = !rows.empty();
    renewed.cancel_requested = renewed.is_ours && rows[0].Bool(0);
    co_return renewed;
}

Task<bool> EndJob(pg::SystemTransaction& transaction, Fence fence, Ending ending) {
    pg::Params params = ParamsOf(fence);
    params.Text(StateName(ending.state));
    AddError(params, ending.error);
    if (ending.sealed_result) {
        params.Bytes(*ending.sealed_result).Text(ending.media_type);
    } else {
        params.Null().Null();
    }
    const pg::Rows rows = co_await transaction.Query(kEnd, std::move(params));
    co_return rows.affected() == 1;
}

Task<bool> RequeueJob(pg::SystemTransaction& transaction, Fence fence, Millis pause, bool counts,
                      std::optional<Error> error) {
    pg::Params params = ParamsOf(fence);
    params.Int(pause.count()).Int(counts ? 0 : 1);
    AddError(params, error);
    const pg::Rows rows = co_await transaction.Query(kRequeue, std::move(params));
    co_return rows.size() == 1;
}

Task<void> FailExpired(pg::SystemTransaction& transaction, Fence fence, Error error) {
    pg::Params params;
    params.Text(fence.id.uuid.Dashed()).Text(fence.team.uuid.Dashed());
    params.Text(error.code()).Text(error.message());
    co_await transaction.Query(kFailExpired, std::move(params));
}

Task<std::int64_t> ErasePayloads(pg::SystemDb db, std::int64_t limit) {
    pg::Params params;
    params.Int(limit);
    const pg::Rows rows = co_await db.Query(kErasePayloads, std::move(params));
    co_return rows.affected();
}

Task<std::int64_t> EraseResults(pg::SystemDb db, std::int64_t limit) {
    pg::Params params;
    params.Int(limit);
    const pg::Rows rows = co_await db.Query(kEraseResults, std::move(params));
    co_return rows.affected();
}

Task<std::int64_t> DeleteOldJobs(pg::SystemDb db, Millis keep, std::int64_t limit) {
    pg::Params params;
    params.Int(keep.count()).Int(limit);
    const pg::Rows rows = co_await db.Query(kDeleteOld, std::move(params));
    co_return rows.affected();
}

Task<JobCounts> CountJobs(pg::SystemDb db) {
    const pg::Rows rows = co_await db.Query(kCountJobs);
    JobCounts counts;
    counts.queued = rows[0].Int(0);
    counts.running = rows[0].Int(1);
    counts.dead = rows[0].Int(2);
    co_return counts;
}

}  // namespace vf::jobs
