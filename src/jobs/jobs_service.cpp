// The rules of what a team may do with its jobs.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "jobs/jobs_core.hpp"

namespace vf::jobs {
namespace {

struct StateWord {
    JobState state;
    std::string_view name;
};
constexpr std::array<StateWord, 6> kStates{{{JobState::kQueued, "queued"},
                                            {JobState::kRunning, "running"},
                                            {JobState::kSucceeded, "succeeded"},
                                            {JobState::kFailed, "failed"},
                                            {JobState::kCancelled, "cancelled"},
                                            {JobState::kDead, "dead"}}};

Error NotFound() {
    return Error(ErrorKind::kNotFound, "job_not_found", "There is no such job.");
}

Error TooMany(std::int64_t most) {
    return Error(ErrorKind::kRateLimited, "too_many_jobs",
                 fmt::format("This team has {} jobs waiting or running already. Wait for some to "
                             "end, or cancel them.",
                             most))
        .RetryAfter(std::chrono::seconds(10));
}

bool IsKind(std::string_view kind) {
    return !kind.empty() && kind.size() <= 63 && kind.front() >= 'a' && kind.front() <= 'z' &&
           std::all_of(kind.begin(), kind.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
           });
}

void CheckRules(const NewJob& job) {
    if (!IsKind(job.kind)) throw std::invalid_argument("not a kind of job: " + job.kind);
    if (job.max_attempts < 1 || job.max_attempts > 100) {
        throw std::invalid_argument("a job is tried 1 to 100 times");
    }
    if (job.keep_payload.count() <= 0 || job.keep_result.count() <= 0) {
        throw std::invalid_argument("what a job holds is kept for some time");
    }
}

json::value TextOrNull(const std::optional<std::string>& text) {
    if (text) return json::value(*text);
    return nullptr;
}

}  // namespace

std::string_view StateName(JobState state) {
    for (const StateWord& word : kStates) {
        if (word.state == state) return word.name;
    }
    return "";
}

std::optional<JobState> ParseState(std::string_view name) {
    for (const StateWord& word : kStates) {
        if (word.name == name) return word.state;
    }
    return std::nullopt;
}

json::object ToJson(const Job& job) {
    json::value error;
    if (!job.error_code.empty()) {
        error = json::object{{"code", job.error_code}, {"message", job.error_message}};
    }
    json::value key;
    if (job.key) key = job.key->Wire();
    return {{"id", job.id.Wire()},
            {"kind", job.kind},
            {"state", StateName(job.state)},
            {"live", job.live},
            {"progress", job.progress},
            {"note", job.note},
            {"attempt", job.attempt},
            {"max_attempts", job.max_attempts},
            {"cancel_requested", job.cancel_requested},
            {"error", std::move(error)},
            {"key_id", std::move(key)},
            {"created_at", job.created_at},
            {"run_at", job.run_at},
            {"started_at", TextOrNull(job.started_at)},
            {"finished_at", TextOrNull(job.finished_at)},
            {"result_expires_at", TextOrNull(job.result_expires_at)}};
}

JobResult JobResult::Json(const json::value& value) {
    JobResult result;
    result.body = json::Print(value);
    return result;
}

events::NewEvent EventOf(const JobChange& change) {
    events::NewEvent event;
    event.type = "job." + change.what;
    event.resource = change.id.Wire();
    event.live = change.live;
    event.data = {{"kind", change.kind}, {"attempt", change.attempt}};
    if (change.error) event.data["error_code"] = change.error->code();
    event.actor = change.actor;
    return event;
}

void DeclareSettings(SettingsSchema& schema, JobOptions& options) {
    using std::chrono::hours;
    using std::chrono::milliseconds;
    using std::chrono::seconds;
    schema.Duration("jobs.poll", options.poll, milliseconds(10), seconds(60),
                    {"1s", "How often work is looked for when no notification comes."});
    schema.Integer("jobs.open_per_team", options.open_per_team, 1, 10'000'000,
                   {"10000", "How many background jobs of one team may wait or run."});
    schema.Bytes("jobs.max_payload", options.max_payload, 1024, 64U << 20U,
                 {"1MiB", "The largest content of a background job."});
    schema.Bytes("jobs.max_result", options.max_result, 1024, 256U << 20U,
                 {"8MiB", "The largest result that a background job may leave."});
    schema.Duration("jobs.retry_least", options.retry_least, milliseconds(1), hours(1),
                    {"1s", "The pause before a job's second attempt; doubled each time."});
    schema.Duration("jobs.retry_most", options.retry_most, milliseconds(1), hours(24),
                    {"10m", "The longest pause between two attempts at a job."});
    schema.Duration("jobs.keep", options.keep, hours(1), hours(24 * 3660),
                    {"720h", "How long ended jobs are listed."});
    schema.Duration("jobs.drain_timeout", options.drain_timeout, milliseconds(0), seconds(600),
                    {"5s",
                     "How long running jobs may go on when the server stops, before they go back "
                     "to the queue."});
}

Jobs::Jobs(asio::io_context& loop, asio::thread_pool& threads, JobOptions options)
    : core_(std::make_shared<JobsCore>(loop.get_executor(), threads, std::move(options))) {}

Jobs::~Jobs() = default;

void Jobs::Handle(std::string kind, HandlerOptions options, Handler handler) {
    core_->Handle(std::move(kind), options, std::move(handler));
}

void Jobs::Start(pg::Database& db, std::shared_ptr<const secrets::Keyring> keyring) {
    core_->Start(db, std::move(keyring));
}

Task<void> Jobs::Stop() {
    return JobsCore::Stop(core_);
}

pg::TeamDb Jobs::Team(TeamId team) {
    return core_->Team(team);
}

Task<Result<JobId>> Jobs::Enqueue(pg::TeamTransaction& transaction, NewJob job) {
    CheckRules(job);
    auto core = core_;
    core->RequireStarted();
    std::string text = json::Print(job.payload);
    if (text.size() > core->options().max_payload) {
        co_return Error(ErrorKind::kTooLarge, "job_payload_too_large",
                        fmt::format("The job's content has {} bytes; at most {} are allowed.",
                                    text.size(), core->options().max_payload));
    }
    if (!json::Parse(text)) throw std::invalid_argument("a job's content is too deep or not UTF-8");
    const std::int64_t most = core->options().open_per_team;
    const std::int64_t open = co_await CountOpen(transaction, most);
    if (open >= most) co_return TooMany(most);
    NewRow row;
    row.id = JobId::New();
    row.key = job.key;
    row.kind = job.kind;
    row.live = job.live;
    row.sealed = co_await JobsCore::Seal(core, std::move(text));
    row.keep_payload = job.keep_payload;
    row.keep_result = job.keep_result;
    row.max_attempts = job.max_attempts;
    if (job.run_at) {
        row.run_at = std::chrono::duration<double>(job.run_at->time_since_epoch()).count();
    }
    const JobId id = row.id;
    co_await InsertJob(transaction, std::move(row));
    JobChange change{id, transaction.team(), job.kind, job.live, "queued", 0, {}, {}};
    if (job.key) change.actor = {{"kind", "key"}, {"id", job.key->Wire()}};
    events::NewEvent event = EventOf(change);
    co_await events::Append(transaction, std::move(event));
    co_return id;
}

Task<Result<Job>> Jobs::Find(TeamId team, JobId id) {
    pg::TeamDb db = core_->Team(team);
    std::optional<Job> job = co_await FindJob(db, id);
    if (!job) co_return NotFound();
    co_return *std::move(job);
}

Task<JobPage> Jobs::List(TeamId team, JobQuery query) {
    pg::TeamDb db = core_->Team(team);
    const auto limit = static_cast<std::size_t>(query.limit);
    ++query.limit;
    JobPage page;
    page.jobs = co_await ListJobs(db, std::move(query));
    if (page.jobs.size() > limit) {
        page.jobs.resize(limit);
        page.next = page.jobs.back().id;
    }
    co_return page;
}

Task<Result<Job>> Jobs::Cancel(TeamId team, JobId id) {
    pg::TeamDb db = core_->Team(team);
    auto transaction = co_await db.Begin();
    const std::optional<LockedJob> job = co_await LockJob(*transaction, id);
    if (!job) co_return NotFound();
    if (job->state == JobState::kQueued) {
        co_await CancelQueued(*transaction, id);
        JobChange change{id, team, job->kind, job->live, "cancelled", job->attempt, {}, {}};
        events::NewEvent event = EventOf(change);
        co_await events::Append(*transaction, std::move(event));
    } else if (job->state == JobState::kRunning) {
        co_await RequestCancel(*transaction, id);
    } else {
        co_return Error(ErrorKind::kConflict, "job_finished",
                        fmt::format("This job has ended already: {}.", StateName(job->state)));
    }
    std::optional<Job> found = co_await FindJob(*transaction, id);
    co_await transaction->Commit();
    if (!found) co_return NotFound();
    co_return *std::move(found);
}

Task<Result<Job>> Jobs::Retry(TeamId team, JobId id) {
    auto core = core_;
    pg::TeamDb db = core->Team(team);
    auto transaction = co_await db.Begin();
    const std::optional<LockedJob> job = co_await LockJob(*transaction, id);
    if (!job) co_return NotFound();
    const bool has_stopped = job->state == JobState::kFailed || job->state == JobState::kDead ||
                             job->state == JobState::kCancelled;
    if (!has_stopped) {
        co_return Error(ErrorKind::kConflict, "job_not_retryable",
                        fmt::format("Only jobs that failed, are dead or were cancelled can be "
                                    "tried again; this one is {}.",
                                    StateName(job->state)));
    }
    if (!job->has_payload) {
        co_return Error(ErrorKind::kGone, "job_payload_expired",
                        "The content of this job has expired. Start a new one.");
    }
    const std::int64_t most = core->options().open_per_team;
    const std::int64_t open = co_await CountOpen(*transaction, most);
    if (open >= most) co_return TooMany(most);
    co_await QueueAgain(*transaction, id);
    JobChange change{id, team, job->kind, job->live, "queued", 0, {}, {}};
    events::NewEvent event = EventOf(change);
    co_await events::Append(*transaction, std::move(event));
    std::optional<Job> found = co_await FindJob(*transaction, id);
    co_await transaction->Commit();
    if (!found) co_return NotFound();
    co_return *std::move(found);
}

Task<Result<void>> Jobs::Delete(TeamId team, JobId id) {
    pg::TeamDb db = core_->Team(team);
    auto transaction = co_await db.Begin();
    const std::optional<LockedJob> job = co_await LockJob(*transaction, id);
    if (!job) co_return NotFound();
    if (job->state == JobState::kRunning) {
        co_return Error(ErrorKind::kConflict, "job_running",
                        "This job is running. Cancel it first.");
    }
    co_await DeleteJob(*transaction, id);
    JobChange change{id, team, job->kind, job->live, "deleted", job->attempt, {}, {}};
    events::NewEvent event = EventOf(change);
    co_await events::Append(*transaction, std::move(event));
    co_await transaction->Commit();
    co_return Result<void>();
}

Task<Result<JobResult>> Jobs::ResultOf(TeamId team, JobId id) {
    auto core = core_;
    pg::TeamDb db = core->Team(team);
    std::optional<ResultRow> row = co_await FindResult(db, id);
    if (!row) co_return NotFound();
    if (row->state != JobState::kSucceeded) {
        co_return Error(ErrorKind::kNotFound, "job_result_missing",
                        fmt::format("This job has no result; it is {}.", StateName(row->state)));
    }
    if (row->expired || !row->sealed) {
        co_return Error(ErrorKind::kGone, "job_result_expired", "This job's result has expired.");
    }
    std::string sealed = *std::move(row->sealed);
    Result<std::string> body = co_await JobsCore::Unseal(core, std::move(sealed));
    if (!body.ok()) {
        co_return Error(ErrorKind::kGone, "job_result_expired",
                        "This job's result cannot be read by this server any more.");
    }
    JobResult result;
    result.media_type = row->media_type;
    result.body = *std::move(body);
    co_return result;
}

Task<void> Jobs::RecoverNow() {
    return JobsCore::Recover(core_);
}

Task<void> Jobs::SweepNow() {
    return JobsCore::Sweep(core_);
}

}  // namespace vf::jobs
