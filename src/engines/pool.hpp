#pragma once
// The workers of one engine and the queue before them: starts and replaces workers, gives each
// idle one the job that waits longest, and decides what becomes of a job whose worker was lost.
// Loop thread only; made and destroyed by Engines.

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "engines/engine_metrics.hpp"
#include "engines/engines.hpp"
#include "engines/job.hpp"
#include "engines/worker.hpp"

namespace vf::engines {

class Pool {
public:
    // `model`: the installed model that the workers of `engine` have loaded, or empty.
    Pool(asio::io_context& loop, const EngineOptions& options, std::string engine,
         std::string model, SpawnPlan plan, Catalogue& catalogue, Quarantine& quarantine);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    void Start();
    // Until the first hello, or until it is clear that the engine is absent.
    Task<void> WaitSettled(Job::Clock::time_point deadline);
    Task<void> Stop();

    // The queue's end; the job's outcome shows in the job. An error: it was not taken.
    Result<void> Submit(std::shared_ptr<Job> job);

    const std::string& name() const { return name_; }
    const std::string& engine() const { return figures_.engine; }
    const std::string& model() const { return model_; }
    // Takes its voices out of the catalogue; what is queued and comes late is still spoken.
    void Retire();
    bool retired() const { return retired_; }
    bool settled() const { return settled_; }
    const EngineOptions& options() const { return options_; }
    bool live() const;
    // Takes work, which may wait in the queue: it has said hello, and its workers, when they are
    // being replaced, come back.
    bool serves() const;
    EngineStats stats() const;
    std::vector<int> WorkerPids() const;

    // --- called by workers ---
    void OnHello(Hello hello);
    void OnAudio(Job& job, std::vector<std::int16_t> samples);
    void OnEnd(Worker& worker, const std::shared_ptr<Job>& job, bool spoken, std::uint64_t samples,
               double cpu_seconds);
    void OnLost(const std::shared_ptr<Job>& job, Loss cause, bool was_at_work);
    void OnGone(const std::shared_ptr<Worker>& worker, Loss cause, ExitStatus status);
    // --- called by jobs ---
    void OnDeadline(const std::shared_ptr<Job>& job, Worker* worker);
    void Forget(const Job& job);

private:
    void EnsureWorkers();
    void RespawnLater(std::chrono::milliseconds delay);
    void DispatchSoon();
    void Dispatch();
    void GiveUp(std::string_view reason);
    void FailQueue(const Error& error);
    void ShowFigures();
    bool is_down() const;
    std::size_t CountIdle() const;
    Error NoWorker() const;

    asio::io_context& loop_;
    EngineOptions options_;
    std::string name_;
    std::string model_;
    SpawnPlan plan_;
    Catalogue& catalogue_;
    Quarantine& quarantine_;
    EngineMetrics metrics_;
    std::size_t target_;
    std::vector<std::shared_ptr<Worker>> workers_;
    std::deque<std::shared_ptr<Job>> queue_;
    EngineStats figures_;
    std::vector<std::string> voices_;  // in the catalogue, by this pool
    bool retired_ = false;
    bool settled_ = false;
    bool absent_ = false;
    bool stopping_ = false;
    bool dispatch_posted_ = false;
    int streak_ = 0;  // workers lost without work since one did work: the program is broken
    double mean_seconds_ = 0.1;  // of a segment, moving
    SteadyTimer settle_;
    SteadyTimer respawn_;
    bool respawn_pending_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for posted calls
};

}  // namespace vf::engines
