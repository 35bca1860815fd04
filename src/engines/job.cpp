#include "engines/job.hpp"

#include "engines/pool.hpp"
#include "engines/worker.hpp"

namespace vf::engines {

namespace {

// What was asked for, so that phonemes or audio that kill a worker do not put the text itself in
// quarantine.
Quarantine::Key KeyOf(const Request& request) {
    std::string input = request.text;
    for (const Pronunciation& one : request.pronunciations) {
        input += '\0' + std::to_string(one.begin) + ' ' + std::to_string(one.end) + ' ';
        input += one.phonemes;
    }
    if (request.input) {
        const std::string_view bytes = *request.input->bytes;
        input += '\0' + std::to_string(std::hash<std::string_view>()(bytes));
    }
    return Quarantine::KeyOf(request.voice, input);
}

}  // namespace

Job::Job(Executor executor, Pool& pool, Request request, int sample_rate, std::size_t buffer_bytes)
    : pool_(&pool), request_(std::move(request)), key_(KeyOf(request_)), sample_rate_(sample_rate),
      buffer_bytes_(buffer_bytes), queued_at_(Clock::now()), changed_(executor), drained_(executor),
      deadline_(executor) {
    changed_.expires_at(Clock::time_point::max());
    drained_.expires_at(Clock::time_point::max());
}

void Job::Wake() {
    changed_.cancel();
}

Task<void> Job::WaitStarted() {
    while (state_ == State::kQueued) co_await changed_.async_wait(kAwaitTuple);
}

Task<Result<std::optional<EngineChunk>>> Job::Next() {
    while (chunks_.empty() && !finished()) co_await changed_.async_wait(kAwaitTuple);
    if (state_ == State::kFailed) co_return error_;
    if (chunks_.empty()) co_return std::optional<EngineChunk>();
    std::optional<EngineChunk> chunk(std::move(chunks_.front()));
    chunks_.pop_front();
    delivered_ = true;
    buffered_ -= chunk->samples.size() * sizeof(std::int16_t);
    if (has_room()) drained_.cancel();
    co_return chunk;
}

Task<void> Job::WaitRoom() {
    while (!has_room() && !finished()) co_await drained_.async_wait(kAwaitTuple);
}

void Job::Cancel() {
    if (finished()) return;
    Pool* pool = pool_;
    Worker* worker = worker_;
    const bool was_queued = state_ == State::kQueued;
    Fail(Error(ErrorKind::kUnavailable, "cancelled", "The caller has gone."));
    if (pool == nullptr) return;
    if (was_queued) {
        pool->Forget(*this);
    } else if (worker != nullptr) {
        worker->CancelJob();
    }
}

void Job::Start(Worker& worker) {
    state_ = State::kRunning;
    worker_ = &worker;
    started_at_ = Clock::now();
    ++attempts_;
    Wake();
}

void Job::Requeue() {
    state_ = State::kQueued;
    worker_ = nullptr;
    got_audio_ = false;
    chunks_.clear();
    pending_events_.clear();
    buffered_ = 0;
    queued_at_ = Clock::now();
    drained_.cancel();
}

void Job::AddAudio(std::vector<std::int16_t> samples) {
    got_audio_ = true;
    buffered_ += samples.size() * sizeof(std::int16_t);
    chunks_.push_back({std::move(samples), std::exchange(pending_events_, {})});
    Wake();
}

void Job::AddEvents(std::vector<TimingEvent> events) {
    pending_events_.insert(pending_events_.end(), std::make_move_iterator(events.begin()),
                           std::make_move_iterator(events.end()));
}

void Job::Finish() {
    if (!pending_events_.empty()) chunks_.push_back({{}, std::exchange(pending_events_, {})});
    state_ = State::kDone;
    worker_ = nullptr;
    deadline_.cancel();
    Wake();
}

void Job::Fail(Error error) {
    state_ = State::kFailed;
    error_ = std::move(error);
    worker_ = nullptr;
    chunks_.clear();
    pending_events_.clear();
    buffered_ = 0;
    deadline_.cancel();
    drained_.cancel();
    Wake();
}

void Job::Detach() {
    pool_ = nullptr;
    worker_ = nullptr;
}

void Job::SetDeadline(Clock::time_point at) {
    deadline_.expires_at(at);
    deadline_.async_wait([weak = weak_from_this()](ErrorCode ec) {
        const std::shared_ptr<Job> job = weak.lock();
        if (ec || job == nullptr || job->finished() || job->pool_ == nullptr) return;
        // A timer set anew may already have this call in the queue.
        if (Clock::now() < job->deadline_.expiry()) return;
        job->pool_->OnDeadline(job, job->worker_);
    });
}

}  // namespace vf::engines
