#pragma once
// The inside of Jobs: the claimers (one a kind), the running jobs with their leases, recovery and
// upkeep. Shared by the coroutines that work for it. Inside src/jobs only; on the loop.

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/bell.hpp"
#include "events/events.hpp"
#include "jobs/jobs_metrics.hpp"
#include "jobs/jobs_store.hpp"

namespace vf::jobs {

class JobsCore : public std::enable_shared_from_this<JobsCore> {
public:
    using Core = std::shared_ptr<JobsCore>;

    JobsCore(Executor executor, asio::thread_pool& threads, JobOptions job_options);

    void Handle(std::string kind, HandlerOptions options, Handler handler);
    void Start(pg::Database& db, std::shared_ptr<const secrets::Keyring> keyring);
    static Task<void> Stop(Core core);

    // Throws UnavailableException before Start.
    void RequireStarted() const;
    pg::TeamDb Team(TeamId team);
    const JobOptions& options() const { return options_; }

    // What is large is encrypted off the loop.
    static Task<std::string> Seal(Core core, std::string text);
    static Task<Result<std::string>> Unseal(Core core, std::string sealed);

    static Task<void> Recover(Core core);
    static Task<void> Sweep(Core core);

private:
    struct Kind {
        Kind(Executor executor, std::string n, HandlerOptions o, Handler h)
            : name(std::move(n)), options(o), handler(std::move(h)), bell(executor) {}
        std::string name;
        HandlerOptions options;
        Handler handler;
        Bell bell;  // there may be something to claim, or a place is free
        int running = 0;
        std::deque<TeamId> line;  // teams that come next, one job each
        TeamId behind;            // where the line was read from last
    };
    using KindPtr = std::shared_ptr<Kind>;
    class Running;
    using RunningPtr = std::shared_ptr<Running>;
    struct Verdict {
        Ending ending;
        bool requeue = false;  // instead of ending
        bool counts = true;    // as an attempt
        Millis pause{0};       // before the next one
    };
    class Working {
    public:
        explicit Working(Core core) : core_(std::move(core)) { ++core_->working_; }
        ~Working() {
            --core_->working_;
            if (core_->stopping_) core_->ended_.Ring();
        }
        Working(const Working&) = delete;
        Working& operator=(const Working&) = delete;

    private:
        Core core_;
    };

    // jobs_core.cpp
    pg::SystemDb System();
    static Task<void> Listen(Core core);
    void OnNotify(const std::string& payload);
    static Task<void> Serve(Core core, KindPtr kind);
    static Task<void> ClaimSome(Core core, KindPtr kind);
    static Task<bool> NextInLine(Core core, KindPtr kind);
    static Task<bool> ClaimOne(Core core, KindPtr kind, TeamId team);
    static Task<void> KeepUp(Core core);
    static Task<void> RecoverOne(Core core, pg::SystemTransaction* transaction, ClaimedJob job);
    Millis BackOff(int attempt) const;
    static Task<void> WaitForEnds(Core core, Millis limit);

    // jobs_run.cpp
    static Task<void> Run(Core core, KindPtr kind, RunningPtr job);
    static Task<Result<JobResult>> CallHandler(Core core, KindPtr kind, RunningPtr job);
    static Task<void> KeepLease(Core core, RunningPtr job);
    static Task<Verdict> Judge(Core core, RunningPtr job, Result<JobResult> outcome);
    static Task<void> Settle(Core core, RunningPtr job, Result<JobResult> outcome);
    static Task<bool> WriteEnd(Core core, RunningPtr job, Ending ending);
    static Task<bool> WriteRequeue(Core core, RunningPtr job, Millis pause, bool counts,
                                   Error error);
    static Task<void> GiveBack(Core core);

    Executor executor_;
    asio::thread_pool& threads_;
    JobOptions options_;
    std::string holder_ = NewUuid().Hex();
    pg::Database* db_ = nullptr;
    std::shared_ptr<const secrets::Keyring> keyring_;
    bool stopping_ = false;
    bool gave_up_ = false;  // what still runs is not ours any more
    int working_ = 0;
    Bell ended_;
    Bell upkeep_;
    std::map<std::string, KindPtr> kinds_;
    std::map<JobId, RunningPtr> running_;
    JobMetrics metrics_;
};

// Appends "job.<what>" about the job.
struct JobChange {
    JobId id;
    TeamId team;
    std::string kind;
    bool live = false;
    std::string what;  // "queued", "started", …
    int attempt = 0;
    std::optional<Error> error;
    json::object actor;
};
events::NewEvent EventOf(const JobChange& change);

// True when trying again cannot help.
bool IsFinal(ErrorKind kind);

}  // namespace vf::jobs
