#pragma once
// For tests of background work: a worker node with handlers that do what a script says.

#include <map>

#include "events/events_testing.hpp"
#include "jobs/jobs.hpp"

namespace vf::jobs {

inline std::shared_ptr<const secrets::Keyring> TestKeyring() {
    static const pg::TempDir dir;
    static const auto keyring = secrets::Keyring::LoadOrMake(dir.path() / "server.key");
    return keyring.value();
}

inline JobOptions QuickJobs() {
    JobOptions options;
    options.poll = std::chrono::milliseconds(20);
    options.retry_least = std::chrono::milliseconds(2);
    options.retry_most = std::chrono::milliseconds(10);
    options.drain_timeout = std::chrono::milliseconds(50);
    return options;
}

// What handlers of a test saw and wait for.
struct Stage {
    std::vector<std::string> log;     // the payloads' "name", in the order of starting
    std::map<JobId, int> running;     // now, on all nodes
    bool overlapped = false;          // one job ran twice at a time
    bool is_open = true;              // false: handlers wait at the gate
    std::vector<ErrorKind> failures;  // of the next runs; then success
    std::vector<int> attempts;
    bool throws = false;
    bool saw_cancel = false;
    bool heeds_cancel = true;
};

inline Task<Result<JobResult>> Act(Stage* stage, JobContext* job) {
    const JobId id = job->id();
    stage->log.emplace_back(job->payload().at("name").as_string());
    stage->attempts.push_back(job->attempt());
    if (++stage->running[id] > 1) stage->overlapped = true;
    while (!stage->is_open && !(job->cancelled() && stage->heeds_cancel)) {
        co_await Sleep(std::chrono::milliseconds(1));
    }
    co_await Sleep(std::chrono::milliseconds(1));
    --stage->running[id];
    if (job->cancelled()) stage->saw_cancel = true;
    if (job->cancelled() && stage->heeds_cancel) {
        co_return Error(ErrorKind::kUnavailable, "test_stopped", "Stopped.");
    }
    if (stage->throws) throw std::runtime_error("as the test wants it");
    if (!stage->failures.empty()) {
        const ErrorKind kind = stage->failures.front();
        stage->failures.erase(stage->failures.begin());
        co_return Error(kind, "test_failed", "As the test wants it.");
    }
    const json::value result = json::object{{"done", job->payload().at("name")}};
    co_return JobResult::Json(result);
}

inline void HandleWith(Jobs& jobs, Stage& stage, std::string kind, HandlerOptions options = {}) {
    jobs.Handle(std::move(kind), options, [&stage](JobContext& job) { return Act(&stage, &job); });
}

inline NewJob TestJob(std::string kind, std::string name) {
    NewJob job;
    job.kind = std::move(kind);
    job.payload = json::object{{"name", std::move(name)}};
    return job;
}

// One job in a transaction of its own.
inline Task<Result<JobId>> Ask(Jobs* jobs, TeamId team, NewJob job) {
    pg::TeamDb db = jobs->Team(team);
    auto transaction = co_await db.Begin();
    const Result<JobId> id = co_await jobs->Enqueue(*transaction, std::move(job));
    if (id.ok()) co_await transaction->Commit();
    co_return id;
}

// The job when it has reached the state; as it is otherwise, after a long while.
inline Task<Job> Until(Jobs* jobs, TeamId team, JobId id, JobState state) {
    Job job;
    for (int i = 0; i < 4000; ++i) {
        try {
            const Result<Job> found = co_await jobs->Find(team, id);
            if (found.ok()) job = found.value();
        } catch (const UnavailableException&) {
            // Some tests take the database away.
        }
        if (job.state == state) co_return job;
        co_await Sleep(std::chrono::milliseconds(3));
    }
    co_return job;
}

}  // namespace vf::jobs
