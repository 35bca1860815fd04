#pragma once
// The SQL of background work. Inside src/jobs only.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "jobs/jobs.hpp"

namespace vf::jobs {

using Millis = std::chrono::milliseconds;

// --- of one team, in its transaction ---

struct NewRow {
    JobId id;
    std::optional<KeyId> key;
    std::string kind;
    bool live = false;
    std::string sealed;  // the encrypted payload
    std::chrono::seconds keep_payload{};
    std::chrono::seconds keep_result{};
    int max_attempts = 1;
    std::optional<double> run_at;  // seconds since 1970
};
// Also notifies workers, at the commit.
Task<void> InsertJob(pg::TeamTransaction& transaction, NewRow row);
// Queued and running ones; counts no further than `most`.
Task<std::int64_t> CountOpen(pg::TeamTransaction& transaction, std::int64_t most);
Task<std::optional<Job>> FindJob(pg::TeamTransaction& transaction, JobId id);
Task<std::optional<Job>> FindJob(pg::TeamDb db, JobId id);
Task<std::vector<Job>> ListJobs(pg::TeamDb db, JobQuery query);

// A job's row, held to the end of the transaction.
struct LockedJob {
    std::string kind;
    JobState state = JobState::kQueued;
    bool live = false;
    int attempt = 0;
    bool has_payload = false;
};
Task<std::optional<LockedJob>> LockJob(pg::TeamTransaction& transaction, JobId id);
Task<void> CancelQueued(pg::TeamTransaction& transaction, JobId id);
Task<void> RequestCancel(pg::TeamTransaction& transaction, JobId id);  // and notifies its worker
Task<void> QueueAgain(pg::TeamTransaction& transaction, JobId id);     // and notifies workers
Task<void> DeleteJob(pg::TeamTransaction& transaction, JobId id);

struct ResultRow {
    JobState state = JobState::kQueued;
    std::optional<std::string> sealed;  // none: erased, or never there
    std::string media_type;
    bool expired = false;
};
Task<std::optional<ResultRow>> FindResult(pg::TeamDb db, JobId id);

// --- the workers' side, of all teams ---

// Which attempt of which job a worker holds: what it writes counts only while all of it is true.
struct Fence {
    JobId id;
    TeamId team;
    std::string holder;
    int attempt = 0;
};
struct ClaimedJob {
    Fence fence;
    std::string kind;
    bool live = false;
    int max_attempts = 1;
    bool cancel_requested = false;
    std::optional<std::string> sealed;
};

// Teams that have queued jobs of the kind, in order of their ids, behind `after`; and whether one
// of the jobs is due.
struct TeamInLine {
    TeamId team;
    bool is_due = false;
};
Task<std::vector<TeamInLine>> TeamsInLine(pg::SystemDb db, std::string kind, TeamId after,
                                          std::int64_t limit);
Task<std::optional<ClaimedJob>> ClaimJob(pg::SystemTransaction& transaction, std::string kind,
                                         TeamId team, std::string holder, Millis lease);
// Jobs whose lease ran out, locked.
Task<std::vector<ClaimedJob>> LockLost(pg::SystemTransaction& transaction, std::int64_t limit);
// Queued jobs whose payload expired before anybody started them, locked; as a fence without holder.
Task<std::vector<ClaimedJob>> LockExpired(pg::SystemTransaction& transaction, std::int64_t limit);

struct Renewed {
    bool is_ours = false;
    bool cancel_requested = false;
};
Task<Renewed> RenewJob(pg::SystemDb db, Fence fence, Millis lease, double progress,
                       std::string note);

struct Ending {
    JobState state = JobState::kSucceeded;
    std::optional<Error> error;
    std::optional<std::string> sealed_result;
    std::string media_type;
};
// False: the fence does not hold any more, and nothing was written.
Task<bool> EndJob(pg::SystemTransaction& transaction, Fence fence, Ending ending);
// Back to the queue, not before `pause` has passed; `counts`: as an attempt.
Task<bool> RequeueJob(pg::SystemTransaction& transaction, Fence fence, Millis pause, bool counts,
                      std::optional<Error> error);
Task<void> FailExpired(pg::SystemTransaction& transaction, Fence fence, Error error);

// --- upkeep; each handles at most `limit` rows and says how many ---

Task<std::int64_t> ErasePayloads(pg::SystemDb db, std::int64_t limit);
Task<std::int64_t> EraseResults(pg::SystemDb db, std::int64_t limit);
Task<std::int64_t> DeleteOldJobs(pg::SystemDb db, Millis keep, std::int64_t limit);

struct JobCounts {
    std::int64_t queued = 0;
    std::int64_t running = 0;
    std::int64_t dead = 0;
};
Task<JobCounts> CountJobs(pg::SystemDb db);

}  // namespace vf::jobs
