// One running job, part of JobsCore: its handler, its lease, and what becomes of it.

#include <algorithm>

#include "base/log.hpp"
#include "jobs/jobs_running.hpp"

namespace vf::jobs {
namespace {

using Steady = std::chrono::steady_clock;

constexpr Millis kProgressEvery{1000};
constexpr Millis kFirstPause{100};
constexpr Millis kMostPause{5000};

}  // namespace

bool IsFinal(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::kInternal:
        case ErrorKind::kUnavailable:
        case ErrorKind::kDeadline:
        case ErrorKind::kRateLimited:
        case ErrorKind::kRequestTimeout:
        case ErrorKind::kInsufficientStorage: return false;
        default: return true;
    }
}

// The handler's outcome; what it throws is an Error too.
Task<Result<JobResult>> JobsCore::CallHandler(Core core, KindPtr kind, RunningPtr job) {
    if (!job->claimed.sealed) {
        co_return Error(ErrorKind::kGone, "job_payload_expired",
                        "The content of this job has expired.");
    }
    std::optional<Error> failure;
    try {
        std::string sealed = *std::move(job->claimed.sealed);
        job->claimed.sealed.reset();
        const Result<std::string> text = co_await Unseal(core, std::move(sealed));
        Result<json::Parsed> parsed = Error(ErrorKind::kInvalid, "job_payload_unreadable",
                                            "The content of this job cannot be read.");
        if (text.ok()) parsed = json::Parse(*text);
        if (!parsed.ok()) {
            log::Error("job_payload_unreadable", {{"job", job->id().Wire()}});
            co_return Error(ErrorKind::kInvalid, "job_payload_unreadable",
                            "The content of this job cannot be read by this server.");
        }
        job->content = std::move(parsed->root);
        Task<Result<JobResult>> work = kind->handler(*job);
        co_return co_await std::move(work);
    } catch (const UnavailableException& e) {
        failure = e.error;
    } catch (const std::exception& e) {
        log::Error("job_threw",
                   {{"job", job->id().Wire()}, {"kind", kind->name}, {"error", e.what()}});
        failure = Error();
    }
    co_return *failure;
}

Task<void> JobsCore::Run(Core core, KindPtr kind, RunningPtr job) {
    const Working working(core);
    core->metrics_.Running(kind->name, 1);
    if (job->claimed.cancel_requested) {
        job->cancel_requested = true;
        job->flag->Cancel();
    }
    Spawn(core->executor_, KeepLease(core, job), "job_lease");
    Result<JobResult> outcome = co_await CallHandler(core, kind, job);
    try {
        co_await Settle(core, job, std::move(outcome));
    } catch (const std::exception& e) {
        // Its lease runs out, and it is tried again.
        log::Error("job_unsettled", {{"job", job->id().Wire()}, {"error", e.what()}});
    }
    job->settled = true;
    job->bell.Ring();
    const auto mine = core->running_.find(job->id());
    if (mine != core->running_.end() && mine->second == job) core->running_.erase(mine);
    core->metrics_.Running(kind->name, -1);
    --kind->running;
    kind->bell.Ring();
}

// Renews the lease, writes progress, hears of cancellation even when no notification came.
Task<void> JobsCore::KeepLease(Core core, RunningPtr job) {
    const Working working(core);
    const Millis renew_every = job->options.lease / 3;
    auto renewed_at = Steady::now();
    while (!job->settled && !job->lost) {
        co_await job->bell.Wait(std::min(renew_every, kProgressEvery));
        if (job->settled || job->lost) co_return;
        const auto now = Steady::now();
        if (!job->has_news && now - renewed_at < renew_every) continue;
        job->has_news = false;
        std::optional<Renewed> renewed;
        try {
            pg::SystemDb db = core->System();
            renewed = co_await RenewJob(db, job->claimed.fence, job->options.lease, job->progress,
                                        job->note);
        } catch (const std::exception&) {
            // The database is away: the lease may run out, and then the work is for nothing.
        }
        if (job->settled) co_return;
        if (renewed && renewed->is_ours) {
            renewed_at = now;
            if (renewed->cancel_requested && !job->cancel_requested) {
                job->cancel_requested = true;
                job->flag->Cancel();
            }
        } else if (renewed || now - renewed_at > job->options.lease) {
            job->lost = renewed.has_value();
            job->flag->Cancel();
        }
    }
}

Task<bool> JobsCore::WriteEnd(Core core, RunningPtr job, Ending ending) {
    const Fence fence = job->claimed.fence;
    JobChange change{fence.id, fence.team,    job->claimed.kind, job->claimed.live,
                     "",       fence.attempt, ending.error,      {}};
    change.what = StateName(ending.state);
    pg::SystemDb db = core->System();
    auto transaction = co_await db.Begin();
    const bool is_ours = co_await EndJob(*transaction, fence, std::move(ending));
    if (!is_ours) co_return false;
    events::NewEvent event = EventOf(change);
    co_await events::Append(*transaction, fence.team, std::move(event));
    co_await transaction->Commit();
    co_return true;
}

Task<bool> JobsCore::WriteRequeue(Core core, RunningPtr job, Millis pause, bool counts,
                                  Error error) {
    const Fence fence = job->claimed.fence;
    std::optional<Error> shown;
    if (counts) shown = error;
    JobChange change{
        fence.id, fence.team, job->claimed.kind, job->claimed.live, "queued", fence.attempt,
        shown,    {}};
    pg::SystemDb db = core->System();
    auto transaction = co_await db.Begin();
    const bool is_ours = co_await RequeueJob(*transaction, fence, pause, counts, shown);
    if (!is_ours) co_return false;
    events::NewEvent event = EventOf(change);
    co_await events::Append(*transaction, fence.team, std::move(event));
    co_await transaction->Commit();
    co_return true;
}

// What becomes of a job whose handler has ended so.
Task<JobsCore::Verdict> JobsCore::Judge(Core core, RunningPtr job, Result<JobResult> outcome) {
    Verdict verdict;
    Ending& ending = verdict.ending;
    if (outcome.ok() && outcome->body.size() > core->options_.max_result) {
        outcome = Error(ErrorKind::kTooLarge, "job_result_too_large",
                        "The result is larger than this server keeps.");
    }
    if (outcome.ok()) {
        ending.media_type = outcome->media_type;
        std::string body = std::move(outcome->body);
        ending.sealed_result = co_await Seal(core, std::move(body));
        co_return verdict;
    }
    const Error error = outcome.error();
    const int attempt = job->claimed.fence.attempt;
    ending.error = error;
    if (job->cancel_requested) {
        ending.state = JobState::kCancelled;
    } else if (core->stopping_ && job->cancelled()) {
        verdict.requeue = true;
        verdict.counts = false;
    } else if (IsFinal(error.kind()) && !job->cancelled()) {
        ending.state = JobState::kFailed;
    } else if (attempt >= job->claimed.max_attempts) {
        ending.state = JobState::kDead;
    } else {
        verdict.requeue = true;
        verdict.pause = core->BackOff(attempt);
        const Millis wanted = error.retry_after().value_or(std::chrono::seconds(0));
        verdict.pause = std::max(verdict.pause, std::min(wanted, core->options_.retry_most));
    }
    co_return verdict;
}

// Writes what became of the job, however long the database is away; the fence decides whether it
// still counts.
Task<void> JobsCore::Settle(Core core, RunningPtr job, Result<JobResult> outcome) {
    const Verdict verdict = co_await Judge(core, job, std::move(outcome));
    const char* counted = StateName(verdict.ending.state).data();
    if (verdict.requeue) counted = verdict.counts ? "retried" : "returned";
    std::optional<bool> is_ours;
    for (Millis wait = kFirstPause; !job->lost && !core->gave_up_;
         wait = std::min(wait * 2, kMostPause)) {
        try {
            if (verdict.requeue) {
                const Error error = verdict.ending.error.value_or(Error());
                is_ours = co_await WriteRequeue(core, job, verdict.pause, verdict.counts, error);
            } else {
                is_ours = co_await WriteEnd(core, job, verdict.ending);
            }
            break;
        } catch (const UnavailableException&) {
            // Once more, after a while.
        }
        co_await job->retry.Wait(wait);
    }
    const bool is_written = is_ours.value_or(false);
    core->metrics_.Count(job->claimed.kind, is_written ? counted : "lost");
    if (!is_written) log::Warning("job_lease_lost", {{"job", job->id().Wire()}});
}

// What a stop leaves running goes back to the queue, for another node or the next start.
Task<void> JobsCore::GiveBack(Core core) {
    core->gave_up_ = true;
    std::vector<RunningPtr> left;
    for (const auto& [id, job] : core->running_) left.push_back(job);
    for (const RunningPtr& job : left) {
        job->lost = true;
        job->bell.Ring();
        job->retry.Ring();
        try {
            const Error error;
            co_await WriteRequeue(core, job, Millis(0), false, error);
            log::Info("job_given_back", {{"job", job->id().Wire()}});
        } catch (const std::exception&) {
            // Its lease runs out by itself.
        }
    }
}

}  // namespace vf::jobs
