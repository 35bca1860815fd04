#pragma once
// Background work: kept in PostgreSQL, done by whichever node is free, survives crashes.
//
//   queued -> running -> succeeded | failed (wrong by itself, not tried again)
//          <- (a failure that may pass, or a node that died: after a while, queued again)
//                     -> dead (tried max_attempts times)
//   queued, running -> cancelled;   failed, dead, cancelled -> queued by Retry
//
// A running job is leased: its node renews the lease; when the node dies the lease runs out and
// another starts the job anew (the attempt counts). A handler may therefore run twice, but what a
// worker brings after it lost its lease is refused. Each change of state appends an event
// ("job.queued", "job.started", "job.succeeded", …) in the same transaction.
// Payloads and results are encrypted at rest and expire. Claiming goes round the teams that have
// work, one job a turn.
// Everything runs on the loop; not thread-safe.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/settings.hpp"
#include "base/task.hpp"
#include "pg/database.hpp"
#include "secrets/keyring.hpp"

namespace vf::jobs {

enum class JobState : std::uint8_t { kQueued, kRunning, kSucceeded, kFailed, kCancelled, kDead };
std::string_view StateName(JobState state);  // "queued"
std::optional<JobState> ParseState(std::string_view name);

struct NewJob {
    std::string kind;     // of a handler: [a-z0-9_], at most 63
    json::value payload;  // at most JobOptions::max_payload bytes as JSON; may hold customers' text
    bool live = false;
    int max_attempts = 5;                                         // 1 to 100
    std::optional<std::chrono::system_clock::time_point> run_at;  // not before; none: at once
    // From its creation (or run_at), and again from its end unless it succeeded: Retry needs it.
    std::chrono::seconds keep_payload{std::chrono::hours(24)};
    std::chrono::seconds keep_result{std::chrono::hours(24)};  // from its end
    std::optional<KeyId> key;                                  // with which it was asked for
};

struct Job {
    JobId id;
    TeamId team;
    std::optional<KeyId> key;
    std::string kind;
    JobState state = JobState::kQueued;
    bool live = false;
    double progress = 0;  // 0 to 1
    std::string note;     // of the handler, on its progress
    int attempt = 0;      // how often it was started
    int max_attempts = 0;
    bool cancel_requested = false;
    std::string error_code;  // of the last attempt; "" when none failed
    std::string error_message;
    // RFC 3339, UTC.
    std::string created_at;
    std::string run_at;
    std::optional<std::string> started_at;  // the last attempt
    std::optional<std::string> finished_at;
    std::optional<std::string> result_expires_at;
};
json::object ToJson(const Job& job);

// What a handler makes: any bytes and their media type.
struct JobResult {
    std::string media_type = "application/json";
    std::string body;
    static JobResult Json(const json::value& value);
};

// What a handler may know and say about the job it works on. Valid until the handler has ended.
class JobContext {
public:
    virtual ~JobContext() = default;
    virtual JobId id() const = 0;
    virtual TeamId team() const = 0;
    virtual bool live() const = 0;
    virtual int attempt() const = 0;  // 1 for the first
    virtual const json::value& payload() const = 0;
    // For whoever follows the job; written at most once a second. `fraction` 0 to 1; `note` at most
    // 200 bytes, no customer text.
    virtual void Progress(double fraction, std::string note = {}) = 0;
    // Somebody asked for the job to be cancelled, the lease is lost or the server stops: end soon,
    // with an Error of any kind. Never null.
    virtual const std::shared_ptr<CancelFlag>& cancel() const = 0;
    bool cancelled() const { return cancel()->cancelled(); }
};

// An Error of a kind that will not pass (kInvalid, kNotFound, kForbidden, kConflict, kGone,
// kTooLarge, kPaymentRequired, …) ends the job as failed; one that may pass (kUnavailable,
// kDeadline, kRateLimited, kInternal, kInsufficientStorage, kRequestTimeout) and any exception is
// tried again.
using Handler = std::function<Task<Result<JobResult>>(JobContext&)>;

struct HandlerOptions {
    int concurrency = 1;  // at once, on this node
    std::chrono::milliseconds lease{30'000};
};

struct JobOptions {
    std::chrono::milliseconds poll{1000};           // when no notification comes
    std::int64_t open_per_team = 10'000;            // queued and running
    std::uint64_t max_payload = 1024 * 1024;        // bytes
    std::uint64_t max_result = 8 * 1024 * 1024;     // bytes
    std::chrono::milliseconds retry_least{1000};    // before the second attempt; then doubled
    std::chrono::milliseconds retry_most{600'000};  // at most
    std::chrono::milliseconds keep{std::chrono::hours(30 * 24)};  // the rows of ended jobs
    std::chrono::milliseconds drain_timeout{5000};  // for running handlers, when the server stops
};
void DeclareSettings(SettingsSchema& schema, JobOptions& options);  // section "jobs"

struct JobQuery {
    std::optional<JobState> state;
    std::optional<std::string> kind;
    std::optional<JobId> before;  // those made before this one
    std::int64_t limit = 100;
};
struct JobPage {
    std::vector<Job> jobs;  // newest first
    std::optional<JobId> next;
};

class JobsCore;

class Jobs {
public:
    // `threads` encrypts what is large.
    Jobs(asio::io_context& loop, asio::thread_pool& threads, JobOptions options);
    ~Jobs();
    Jobs(const Jobs&) = delete;
    Jobs& operator=(const Jobs&) = delete;

    void Handle(std::string kind, HandlerOptions options, Handler handler);  // before Start
    // Begins to claim. `db` must outlive Stop().
    void Start(pg::Database& db, std::shared_ptr<const secrets::Keyring> keyring);
    // No more claims; running handlers finish within drain_timeout, are then cancelled, and what
    // still runs goes back to the queue without the attempt being counted.
    Task<void> Stop();

    // In the caller's transaction; workers wake at its commit. Errors: kRateLimited
    // "too_many_jobs" (open ones of the team), kTooLarge "job_payload_too_large". Throws
    // std::invalid_argument for a NewJob against the rules above, and what Query throws.
    Task<Result<JobId>> Enqueue(pg::TeamTransaction& transaction, NewJob job);

    // All of one team; kNotFound "job_not_found" also for another team's jobs. They throw
    // DatabaseUnavailable, also before Start.
    Task<Result<Job>> Find(TeamId team, JobId id);
    Task<JobPage> List(TeamId team, JobQuery query);
    // A queued job is cancelled at once; a running one when its handler has noticed (the job here
    // then says cancel_requested). kConflict "job_finished" afterwards.
    Task<Result<Job>> Cancel(TeamId team, JobId id);
    // Of a failed, dead or cancelled job: queued again, attempts counted anew. kConflict
    // "job_not_retryable", kGone "job_payload_expired", kRateLimited "too_many_jobs".
    Task<Result<Job>> Retry(TeamId team, JobId id);
    // kConflict "job_running": cancel it first.
    Task<Result<void>> Delete(TeamId team, JobId id);
    // kNotFound "job_result_missing" unless the job succeeded, kGone "job_result_expired".
    Task<Result<JobResult>> ResultOf(TeamId team, JobId id);

    // For features that start jobs in a transaction of their own. Throws DatabaseUnavailable before
    // Start.
    pg::TeamDb Team(TeamId team);

    // For tests: one round of what happens by itself.
    Task<void> RecoverNow();  // jobs whose lease ran out
    Task<void> SweepNow();    // what expired

private:
    std::shared_ptr<JobsCore> core_;
};

}  // namespace vf::jobs
