#include "jobs/jobs_core.hpp"

#include <algorithm>
#include <random>
#include <stdexcept>

#include "base/log.hpp"
#include "base/unavailable.hpp"
#include "jobs/jobs_running.hpp"

namespace vf::jobs {
namespace {

constexpr std::size_t kSealInline = 64 * 1024;  // under a tenth of a millisecond
constexpr std::int64_t kLineLength = 64;        // teams read at once
constexpr std::int64_t kBatch = 100;
constexpr std::int64_t kEraseBatch = 1000;
constexpr std::chrono::seconds kSweepEvery{60};
constexpr std::chrono::seconds kCountEvery{15};
constexpr Millis kAfterCancel{1000};
constexpr int kMostDoublings = 20;
constexpr const char* kPurpose = "jobs";

using Steady = std::chrono::steady_clock;

Error LeaseLost() {
    return Error(ErrorKind::kUnavailable, "job_node_lost",
                 "The server that worked on this job went away.");
}

}  // namespace

JobsCore::JobsCore(Executor executor, asio::thread_pool& threads, JobOptions job_options)
    : executor_(executor), threads_(threads), options_(std::move(job_options)), ended_(executor),
      upkeep_(executor) {}

void JobsCore::Handle(std::string kind, HandlerOptions options, Handler handler) {
    auto entry = std::make_shared<Kind>(executor_, kind, options, std::move(handler));
    const bool is_new = kinds_.emplace(kind, std::move(entry)).second;
    if (!is_new) throw std::logic_error("two handlers for jobs of the kind " + kind);
}

void JobsCore::Start(pg::Database& db, std::shared_ptr<const secrets::Keyring> keyring) {
    db_ = &db;
    keyring_ = std::move(keyring);
    const Core self = shared_from_this();
    Spawn(executor_, Listen(self), "jobs_listen");
    Spawn(executor_, KeepUp(self), "jobs_upkeep");
    for (const auto& [name, kind] : kinds_) Spawn(executor_, Serve(self, kind), "jobs_serve");
}

void JobsCore::RequireStarted() const {
    if (db_) return;
    throw UnavailableException(DatabaseNotUp());
}

pg::TeamDb JobsCore::Team(TeamId team) {
    RequireStarted();
    return db_->Team(team);
}

pg::SystemDb JobsCore::System() {
    RequireStarted();
    return db_->System("workers serve all teams");
}

Task<std::string> JobsCore::Seal(Core core, std::string text) {
    auto keyring = core->keyring_;
    if (text.size() <= kSealInline) co_return keyring->Encrypt(kPurpose, text);
    auto work = [keyring, text = std::move(text)] { return keyring->Encrypt(kPurpose, text); };
    co_return co_await Offload(core->threads_, std::move(work));
}

Task<Result<std::string>> JobsCore::Unseal(Core core, std::string sealed) {
    auto keyring = core->keyring_;
    if (sealed.size() <= kSealInline) co_return keyring->Decrypt(kPurpose, sealed);
    auto work = [keyring, sealed = std::move(sealed)] {
        return keyring->Decrypt(kPurpose, sealed);
    };
    co_return co_await Offload(core->threads_, std::move(work));
}

Task<void> JobsCore::Listen(Core core) {
    auto weak = std::weak_ptr<JobsCore>(core);
    pg::ListenCallback callback = [weak](const pg::ListenEvent& event) {
        const Core alive = weak.lock();
        if (!alive) return;
        if (event.kind == pg::ListenEvent::Kind::kMessage) {
            alive->OnNotify(event.payload);
            return;
        }
        for (const auto& [name, kind] : alive->kinds_) kind->bell.Ring();
    };
    co_await core->db_->Listen("vf_jobs", std::move(callback));
}

// "run <kind>" or "cancel <id>".
void JobsCore::OnNotify(const std::string& payload) {
    const std::size_t space = payload.find(' ');
    if (space == std::string::npos) return;
    const std::string what = payload.substr(0, space);
    const std::string which = payload.substr(space + 1);
    if (what == "run") {
        const auto kind = kinds_.find(which);
        if (kind != kinds_.end()) kind->second->bell.Ring();
    } else if (what == "cancel") {
        const std::optional<Uuid> uuid = Uuid::Parse(which);
        if (!uuid) return;
        const auto job = running_.find(JobId{*uuid});
        if (job == running_.end()) return;
        const RunningPtr running = job->second;
        running->cancel_requested = true;
        running->flag->Cancel();
    }
}

Task<void> JobsCore::Serve(Core core, KindPtr kind) {
    const Working working(core);
    while (!core->stopping_) {
        try {
            co_await ClaimSome(core, kind);
        } catch (const UnavailableException&) {
            // Tried again after the poll time.
        } catch (const std::exception& e) {
            log::Error("jobs_claim_failed", {{"kind", kind->name}, {"error", e.what()}});
        }
        if (core->stopping_) co_return;
        co_await kind->bell.Wait(core->options_.poll);
    }
}

// Until there is no place or nothing due.
Task<void> JobsCore::ClaimSome(Core core, KindPtr kind) {
    bool is_fruitless = false;  // a whole round brought nothing
    while (kind->running < kind->options.concurrency && !core->stopping_) {
        if (kind->line.empty()) {
            const bool began_anew = kind->behind == TeamId{};
            const bool is_end = co_await NextInLine(core, kind);
            if (kind->line.empty()) {
                if (is_end && (began_anew || is_fruitless)) co_return;
                if (is_end) is_fruitless = true;
                continue;
            }
        }
        const TeamId team = kind->line.front();
        kind->line.pop_front();
        const bool claimed = co_await ClaimOne(core, kind, team);
        if (claimed) is_fruitless = false;
    }
}

// Reads the next teams; true when behind them the line begins anew.
Task<bool> JobsCore::NextInLine(Core core, KindPtr kind) {
    pg::SystemDb db = core->System();
    const std::vector<TeamInLine> teams =
        co_await TeamsInLine(db, kind->name, kind->behind, kLineLength);
    for (const TeamInLine& one : teams) {
        if (one.is_due) kind->line.push_back(one.team);
    }
    const bool is_end = teams.size() < static_cast<std::size_t>(kLineLength);
    kind->behind = is_end ? TeamId{} : teams.back().team;
    co_return is_end;
}

Task<bool> JobsCore::ClaimOne(Core core, KindPtr kind, TeamId team) {
    pg::SystemDb db = core->System();
    auto transaction = co_await db.Begin();
    std::optional<ClaimedJob> claimed =
        co_await ClaimJob(*transaction, kind->name, team, core->holder_, kind->options.lease);
    if (!claimed) co_return false;
    const Fence fence = claimed->fence;
    JobChange change{fence.id, fence.team, kind->name, claimed->live, "started", fence.attempt};
    events::NewEvent event = EventOf(change);
    co_await events::Append(*transaction, team, std::move(event));
    co_await transaction->Commit();
    auto job = std::make_shared<Running>(core->executor_, *std::move(claimed), kind->options);
    ++kind->running;
    core->running_[fence.id] = job;
    Spawn(core->executor_, Run(core, kind, job), "job");
    co_return true;
}

// Exponential, with jitter: half of the pause at least, so that many do not come back at once.
Millis JobsCore::BackOff(int attempt) const {
    static thread_local std::minstd_rand random{std::random_device{}()};
    const auto factor = std::int64_t{1} << std::clamp(attempt - 1, 0, kMostDoublings);
    const Millis whole = std::min(options_.retry_least * factor, options_.retry_most);
    std::uniform_int_distribution<std::int64_t> share(whole.count() / 2, whole.count());
    return Millis(share(random));
}

Task<void> JobsCore::Recover(Core core) {
    pg::SystemDb db = core->System();
    for (;;) {
        auto transaction = co_await db.Begin();
        const std::vector<ClaimedJob> lost = co_await LockLost(*transaction, kBatch);
        for (const ClaimedJob& job : lost) {
            co_await RecoverOne(core, transaction.get(), job);
        }
        co_await transaction->Commit();
        if (lost.size() < static_cast<std::size_t>(kBatch)) co_return;
    }
}

Task<void> JobsCore::RecoverOne(Core core, pg::SystemTransaction* transaction, ClaimedJob job) {
    const Fence fence = job.fence;
    const Error error = LeaseLost();
    JobChange change{fence.id, fence.team, job.kind, job.live, "queued", fence.attempt, error};
    Ending ending;
    ending.error = error;
    if (job.cancel_requested || fence.attempt >= job.max_attempts) {
        ending.state = job.cancel_requested ? JobState::kCancelled : JobState::kDead;
        change.what = StateName(ending.state);
        co_await EndJob(*transaction, fence, std::move(ending));
    } else {
        const Millis pause = core->BackOff(fence.attempt);
        co_await RequeueJob(*transaction, fence, pause, true, error);
    }
    log::Warning("job_recovered",
                 {{"job", fence.id.Wire()}, {"kind", job.kind}, {"state", change.what}});
    events::NewEvent event = EventOf(change);
    co_await events::Append(*transaction, fence.team, std::move(event));
}

Task<void> JobsCore::Sweep(Core core) {
    pg::SystemDb db = core->System();
    const Error error(ErrorKind::kGone, "job_payload_expired",
                      "Nobody started this job before its content expired.");
    for (bool again = true; again;) {
        auto transaction = co_await db.Begin();
        const std::vector<ClaimedJob> expired = co_await LockExpired(*transaction, kBatch);
        for (const ClaimedJob& job : expired) {
            const Fence fence = job.fence;
            co_await FailExpired(*transaction, fence, error);
            JobChange change{fence.id, fence.team,    job.kind, job.live,
                             "failed", fence.attempt, error};
            events::NewEvent event = EventOf(change);
            co_await events::Append(*transaction, fence.team, std::move(event));
        }
        co_await transaction->Commit();
        again = expired.size() == static_cast<std::size_t>(kBatch);
    }
    std::int64_t done = kEraseBatch;
    while (done == kEraseBatch) done = co_await ErasePayloads(db, kEraseBatch);
    done = kEraseBatch;
    while (done == kEraseBatch) done = co_await EraseResults(db, kEraseBatch);
    done = kEraseBatch;
    while (done == kEraseBatch) done = co_await DeleteOldJobs(db, core->options_.keep, kEraseBatch);
}

// Recovery at every poll, counting and sweeping less often.
Task<void> JobsCore::KeepUp(Core core) {
    const Working working(core);
    auto swept = Steady::now();
    std::optional<Steady::time_point> counted;
    while (!core->stopping_) {
        try {
            co_await Recover(core);
            const auto now = Steady::now();
            if (!counted || now - *counted >= kCountEvery) {
                counted = now;
                pg::SystemDb db = core->System();
                const JobCounts counts = co_await CountJobs(db);
                core->metrics_.Show(counts);
            }
            if (now - swept >= kSweepEvery) {
                swept = now;
                co_await Sweep(core);
            }
        } catch (const UnavailableException&) {
            // Tried again after the poll time.
        } catch (const std::exception& e) {
            log::Error("jobs_upkeep_failed", {{"error", e.what()}});
        }
        if (core->stopping_) co_return;
        co_await core->upkeep_.Wait(core->options_.poll);
    }
}

Task<void> JobsCore::WaitForEnds(Core core, Millis limit) {
    const auto end = Steady::now() + limit;
    while (core->working_ > 0) {
        const auto left = end - Steady::now();
        if (left.count() <= 0) co_return;
        co_await core->ended_.Wait(left);
    }
}

Task<void> JobsCore::Stop(Core core) {
    core->stopping_ = true;
    core->upkeep_.Ring();
    for (const auto& [name, kind] : core->kinds_) kind->bell.Ring();
    co_await WaitForEnds(core, core->options_.drain_timeout);
    if (core->running_.empty()) co_return;
    std::vector<RunningPtr> left;
    for (const auto& [id, job] : core->running_) left.push_back(job);
    for (const RunningPtr& job : left) job->flag->Cancel();
    co_await WaitForEnds(core, kAfterCancel);
    co_await GiveBack(core);
}

}  // namespace vf::jobs
