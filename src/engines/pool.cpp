#include "engines/pool.hpp"

#include <unistd.h>

#include <algorithm>
#include <thread>

#include "base/log.hpp"

namespace vf::engines {
namespace {

using std::chrono::milliseconds;

constexpr int kExitUnavailable = 69;  // EX_UNAVAILABLE: the engine's data is missing
constexpr int kFreeLosses = 3;        // replaced at once
constexpr milliseconds kFirstDelay{50};
constexpr milliseconds kLongestDelay{10'000};
constexpr int kDownStreak = 6;
constexpr int kModelStarts = 3;  // of a model that has never said hello

milliseconds DelayAfter(int streak) {
    if (streak <= kFreeLosses) return milliseconds(0);
    const int doublings = std::min(streak - kFreeLosses - 1, 10);
    return std::min(kFirstDelay * (1 << doublings), kLongestDelay);
}

Error Stopping() {
    return Error(ErrorKind::kUnavailable, "stopping", "The server is stopping.");
}

Error AfterLoss(Loss cause) {
    if (cause == Loss::kStop) return Stopping();
    if (cause == Loss::kTimeout) {
        return Error(ErrorKind::kDeadline, "engine_timeout",
                     "The speech engine took too long for this text.");
    }
    return Error(ErrorKind::kUnavailable, "engine_failed",
                 "The speech engine failed while it spoke this text; try again.");
}

Error NotSpeakable() {
    return Error(ErrorKind::kInvalid, "text_not_speakable",
                 "The speech engine fails on this text with this voice; change the text or the "
                 "voice.");
}

}  // namespace

Pool::Pool(asio::io_context& loop, const EngineOptions& options, std::string engine,
           std::string model, SpawnPlan plan, Catalogue& catalogue, Quarantine& quarantine)
    : loop_(loop), options_(options), name_(model.empty() ? engine : engine + ":" + model),
      model_(std::move(model)), plan_(std::move(plan)), catalogue_(catalogue),
      quarantine_(quarantine), metrics_(name_),
      target_(options.workers_per_engine > 0 ? static_cast<std::size_t>(options.workers_per_engine)
                                             : std::max(1U, std::thread::hardware_concurrency())),
      settle_(loop.get_executor()), respawn_(loop.get_executor()) {
    figures_.name = name_;
    figures_.engine = std::move(engine);
}

Pool::~Pool() {
    for (const auto& worker : workers_) worker->Detach();
    for (const auto& job : queue_) job->Detach();
}

void Pool::Start() {
    if (access(plan_.program.c_str(), X_OK) != 0) {
        GiveUp("there is no program for it");
        return;
    }
    EnsureWorkers();
}

Task<void> Pool::WaitSettled(Job::Clock::time_point deadline) {
    settle_.expires_at(deadline);
    while (!settled_ && Job::Clock::now() < deadline) {
        co_await settle_.async_wait(kAwaitTuple);
    }
}

Task<void> Pool::Stop() {
    stopping_ = true;
    respawn_.cancel();
    FailQueue(Stopping());
    const std::vector<std::shared_ptr<Worker>> workers = workers_;
    for (const auto& worker : workers) worker->Kill(Loss::kStop);
    settle_.expires_at(Job::Clock::time_point::max());
    while (!workers_.empty()) co_await settle_.async_wait(kAwaitTuple);
}

void Pool::Retire() {
    retired_ = true;
    for (const std::string& voice : voices_) catalogue_.Retire(voice);
    voices_.clear();
}

void Pool::GiveUp(std::string_view reason) {
    absent_ = true;
    settled_ = true;
    settle_.cancel();
    log::Info("engine_absent", {{"engine", name_}, {"reason", reason}});
    FailQueue(NoWorker());
}

void Pool::FailQueue(const Error& error) {
    for (const auto& job : std::exchange(queue_, {})) job->Fail(error);
    ShowFigures();
}

void Pool::EnsureWorkers() {
    while (!stopping_ && !absent_ && workers_.size() < target_) {
        Result<SpawnedProcess> process = SpawnWorker(plan_);
        if (!process) {
            log::Error("worker_not_started",
                       {{"engine", name_}, {"error", process.error().message()}});
            streak_ = std::max(streak_ + 1, kFreeLosses + 1);
            RespawnLater(DelayAfter(streak_));
            return;
        }
        workers_.push_back(std::make_shared<Worker>(loop_, *this, *process));
        workers_.back()->Run(options_.start_timeout);
    }
}

void Pool::RespawnLater(milliseconds delay) {
    if (respawn_pending_) return;
    respawn_pending_ = true;
    respawn_.expires_after(delay);
    respawn_.async_wait([this, alive = std::weak_ptr<bool>(alive_)](ErrorCode ec) {
        if (alive.expired()) return;
        respawn_pending_ = false;
        if (!ec) EnsureWorkers();
    });
}

Result<void> Pool::Submit(std::shared_ptr<Job> job) {
    if (stopping_) return Stopping();
    if (quarantine_.Holds(job->key(), Job::Clock::now())) return NotSpeakable();
    if (is_down() || queue_.size() >= static_cast<std::size_t>(options_.queue_limit)) {
        return NoWorker();
    }
    job->SetDeadline(Job::Clock::now() + options_.queue_timeout);
    queue_.push_back(std::move(job));
    Dispatch();
    return {};
}

Error Pool::NoWorker() const {
    const double wait = mean_seconds_ * static_cast<double>(queue_.size() + 1) /
                        static_cast<double>(std::max<std::size_t>(workers_.size(), 1));
    const auto seconds = std::chrono::seconds(std::clamp(static_cast<int>(wait) + 1, 1, 60));
    return Error(ErrorKind::kUnavailable, "no_worker",
                 "All speech workers are busy; try again later.")
        .RetryAfter(seconds);
}

// Later, when the frames that came together with the last one have been looked at: what a worker
// sends after its end must not fall upon the next job.
void Pool::DispatchSoon() {
    if (dispatch_posted_) return;
    dispatch_posted_ = true;
    asio::post(loop_, [this, alive = std::weak_ptr<bool>(alive_)] {
        if (alive.expired()) return;
        dispatch_posted_ = false;
        Dispatch();
    });
}

void Pool::Dispatch() {
    // A copy, since a worker that cannot even be written to is killed on the spot.
    const std::vector<std::shared_ptr<Worker>> workers = workers_;
    for (const auto& worker : workers) {
        if (queue_.empty()) break;
        if (worker->state() != Worker::State::kIdle || worker->HasEnded()) continue;
        const std::shared_ptr<Job> job = queue_.front();
        queue_.pop_front();
        const std::chrono::duration<double> waited = Job::Clock::now() - job->queued_at();
        metrics_.queue_seconds.Observe(waited.count());
        const std::uint64_t max_samples =
            static_cast<std::uint64_t>(job->sample_rate()) *
            static_cast<std::uint64_t>(options_.segment_audio.count()) / 1'000;
        // An alignment tells nothing before its end.
        job->SetDeadline(Job::Clock::now() + (job->request().input ? options_.segment_timeout
                                                                   : options_.first_chunk_timeout));
        worker->Start(job, max_samples);
    }
    ShowFigures();
}

void Pool::OnHello(Hello hello) {
    if (!settled_ || figures_.version.empty()) {
        figures_.version = hello.version;
        figures_.licence = hello.licence;
        figures_.available = true;
        for (Voice& voice : hello.voices) {
            if (retired_) break;
            std::string id = voice.id;
            voice.model = model_;
            if (catalogue_.Add(std::move(voice))) {
                voices_.push_back(std::move(id));
            } else {
                log::Warning("voice_taken", {{"engine", name_}, {"voice", id}});
            }
        }
        log::Info("engine_ready",
                  {{"engine", name_}, {"version", hello.version}, {"voices", hello.voices.size()}});
    }
    settled_ = true;
    settle_.cancel();
    DispatchSoon();
}

void Pool::OnAudio(Job& job, std::vector<std::int16_t> samples) {
    if (!job.got_audio()) {
        const std::chrono::duration<double> waited = Job::Clock::now() - job.started_at();
        metrics_.first_chunk_seconds.Observe(waited.count());
        job.SetDeadline(job.started_at() + options_.segment_timeout);
    }
    job.AddAudio(std::move(samples));
}

void Pool::OnEnd(Worker& worker, const std::shared_ptr<Job>& job, bool spoken,
                 std::uint64_t samples, double cpu_seconds) {
    streak_ = 0;
    figures_.cpu_seconds += cpu_seconds;
    metrics_.cpu_seconds.Increment(cpu_seconds);
    if (job == nullptr) {
        metrics_.cancelled.Increment();
    } else if (!spoken) {
        ++figures_.failed;
        metrics_.failed.Increment();
    } else {
        const std::chrono::duration<double> took = Job::Clock::now() - job->started_at();
        const double audio = static_cast<double>(samples) / job->sample_rate();
        mean_seconds_ += (took.count() - mean_seconds_) / 16;
        ++figures_.segments;
        figures_.audio_seconds += audio;
        metrics_.spoken.Increment();
        metrics_.audio_seconds.Increment(audio);
        if (job->attempts() > 1) quarantine_.Clear(job->key());
        job->Finish();
    }
    if (worker.served() >= options_.recycle_after) {
        worker.Kill(Loss::kRecycle);
    } else {
        DispatchSoon();
    }
}

void Pool::OnLost(const std::shared_ptr<Job>& job, Loss cause, bool was_at_work) {
    if (cause == Loss::kRecycle) {
        ++figures_.recycled;
    } else if (cause != Loss::kStop) {
        ++figures_.restarts;
        // Work that kills is held back by the quarantine; waiting would only punish the others.
        streak_ = was_at_work ? 0 : streak_ + 1;
    }
    if (cause != Loss::kStop) metrics_.CountRestart(NameOf(cause));
    if (job == nullptr) return;
    const auto now = Job::Clock::now();
    const bool is_stop = cause == Loss::kStop;
    if (!is_stop && quarantine_.Strike(job->key(), now) >= Quarantine::kStrikes) {
        ++figures_.failed;
        metrics_.failed.Increment();
        job->Fail(NotSpeakable());
    } else if (!is_stop && !job->delivered() && job->attempts() < 2) {
        job->Requeue();
        job->SetDeadline(now + options_.queue_timeout);
        queue_.push_front(job);
        DispatchSoon();
    } else {
        ++figures_.failed;
        metrics_.failed.Increment();
        job->Fail(AfterLoss(cause));
    }
}

void Pool::OnGone(const std::shared_ptr<Worker>& worker, Loss cause, ExitStatus status) {
    std::erase(workers_, worker);
    ShowFigures();
    if (stopping_) {
        settle_.cancel();
        return;
    }
    if (cause != Loss::kRecycle) {
        log::Warning("worker_lost", {{"engine", name_},
                                     {"pid", worker->pid()},
                                     {"cause", NameOf(cause)},
                                     {"exit_code", status.exit_code},
                                     {"signal", status.signal},
                                     {"served", worker->served()}});
    }
    if (status.exit_code == kExitUnavailable && !figures_.available) {
        if (!absent_) GiveUp("its data is not on this machine");
        return;
    }
    if (!model_.empty() && !figures_.available && streak_ >= kModelStarts) {
        if (!absent_) GiveUp("the model cannot be loaded");
        return;
    }
    const milliseconds delay = cause == Loss::kRecycle ? milliseconds(0) : DelayAfter(streak_);
    if (delay.count() == 0) {
        EnsureWorkers();
    } else {
        RespawnLater(delay);
    }
}

void Pool::OnDeadline(const std::shared_ptr<Job>& job, Worker* worker) {
    if (job->state() == Job::State::kQueued) {
        Forget(*job);
        job->Fail(NoWorker());
    } else if (worker != nullptr && !job->has_room()) {
        job->Fail(
            Error(ErrorKind::kDeadline, "caller_too_slow", "The audio was not taken in time."));
        worker->CancelJob();
    } else if (worker != nullptr) {
        worker->Kill(Loss::kTimeout);
    }
}

void Pool::Forget(const Job& job) {
    std::erase_if(queue_, [&](const auto& queued) { return queued.get() == &job; });
    ShowFigures();
}

std::size_t Pool::CountIdle() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        workers_, [](const auto& w) { return w->state() == Worker::State::kIdle; }));
}

bool Pool::live() const {
    return std::ranges::any_of(workers_, [](const auto& worker) { return worker->live(); });
}

bool Pool::is_down() const {
    return !live() && (absent_ || streak_ >= kDownStreak);
}

bool Pool::serves() const {
    return figures_.available && !stopping_ && !is_down();
}

void Pool::ShowFigures() {
    metrics_.workers.Set(static_cast<double>(
        std::ranges::count_if(workers_, [](const auto& worker) { return worker->live(); })));
    metrics_.queued.Set(static_cast<double>(queue_.size()));
}

EngineStats Pool::stats() const {
    EngineStats now = figures_;
    now.workers = static_cast<std::size_t>(
        std::ranges::count_if(workers_, [](const auto& worker) { return worker->live(); }));
    now.idle = CountIdle();
    now.queued = queue_.size();
    return now;
}

std::vector<int> Pool::WorkerPids() const {
    std::vector<int> pids;
    for (const auto& worker : workers_) {
        if (worker->live()) pids.push_back(worker->pid());
    }
    return pids;
}

}  // namespace vf::engines
