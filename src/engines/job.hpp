#pragma once
// One segment on its way: what Utterance (the caller's side), Pool (the queue) and Worker (the
// process) share. Shared ownership: the caller may go before the worker is done and the other way
// round. Loop thread only.

#include <deque>
#include <memory>
#include <optional>

#include "base/task.hpp"
#include "engines/engines.hpp"
#include "engines/protocol.hpp"
#include "engines/quarantine.hpp"

namespace vf::engines {

class Pool;
class Worker;

class Job : public std::enable_shared_from_this<Job> {
public:
    using Clock = std::chrono::steady_clock;
    enum class State { kQueued, kRunning, kDone, kFailed };

    Job(Executor executor, Pool& pool, Request request, int sample_rate, std::size_t buffer_bytes);

    // --- the caller's side ---
    int sample_rate() const { return sample_rate_; }
    // Waits until the job is no longer in the queue for the first time.
    Task<void> WaitStarted();
    Task<Result<std::optional<EngineChunk>>> Next();
    // The caller has gone.
    void Cancel();

    // --- the pool's and the worker's side ---
    State state() const { return state_; }
    const Request& request() const { return request_; }
    const Quarantine::Key& key() const { return key_; }
    Clock::time_point queued_at() const { return queued_at_; }
    Clock::time_point started_at() const { return started_at_; }
    int attempts() const { return attempts_; }
    bool delivered() const { return delivered_; }
    bool got_audio() const { return got_audio_; }
    const Error& error() const { return error_; }
    bool finished() const { return state_ == State::kDone || state_ == State::kFailed; }

    void Start(Worker& worker);
    // Drops what was buffered and waits in the queue again. Only while nothing was delivered.
    void Requeue();
    void AddAudio(std::vector<std::int16_t> samples);
    void AddEvents(std::vector<TimingEvent> events);
    void Finish();
    void Fail(Error error);
    // The pool is going: the job must not call it any more.
    void Detach();

    // False while the caller has left too much unread; the worker then stops reading.
    bool has_room() const { return buffered_ < buffer_bytes_; }
    Task<void> WaitRoom();

    // Calls Pool::OnDeadline once `at` has come, unless set anew or finished.
    void SetDeadline(Clock::time_point at);

private:
    void Wake();

    Pool* pool_;
    Worker* worker_ = nullptr;  // while kRunning
    Request request_;
    Quarantine::Key key_;
    int sample_rate_;
    std::size_t buffer_bytes_;
    State state_ = State::kQueued;
    int attempts_ = 0;
    bool delivered_ = false;
    bool got_audio_ = false;
    std::deque<EngineChunk> chunks_;
    std::vector<TimingEvent> pending_events_;
    std::size_t buffered_ = 0;  // bytes of audio in chunks_
    Error error_;
    Clock::time_point queued_at_;
    Clock::time_point started_at_;
    SteadyTimer changed_;  // never expires; cancelled to wake the caller
    SteadyTimer drained_;  // likewise, to wake the worker's reader
    SteadyTimer deadline_;
};

}  // namespace vf::engines
