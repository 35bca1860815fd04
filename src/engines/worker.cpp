#include "engines/worker.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/write.hpp>

#include "base/log.hpp"
#include "engines/pool.hpp"

namespace vf::engines {
namespace {

constexpr std::size_t kMaxLogLine = 400;
constexpr int kMaxLogLines = 50;  // of one process

}  // namespace

const char* NameOf(Loss loss) {
    switch (loss) {
        case Loss::kNone: return "none";
        case Loss::kCrash: return "crash";
        case Loss::kTimeout: return "timeout";
        case Loss::kProtocol: return "protocol";
        case Loss::kCancelIgnored: return "cancel_ignored";
        case Loss::kHello: return "hello";
        case Loss::kRecycle: return "recycle";
        case Loss::kStop: return "stop";
    }
    return "none";
}

Worker::Worker(asio::io_context& loop, Pool& pool, SpawnedProcess process)
    : pool_(&pool), process_(process),
      socket_(loop.get_executor(), asio::local::stream_protocol(), process.socket),
      log_(loop.get_executor(), process.log), exit_(loop.get_executor(), process.pidfd),
      timer_(loop.get_executor()) {}

Worker::~Worker() {
    // Only without a running loop is the process still there.
    KillWorker(process_.pidfd);
}

void Worker::Run(std::chrono::milliseconds hello_timeout) {
    const Executor executor = socket_.get_executor();
    Arm(hello_timeout, Loss::kHello);
    Spawn(executor, ReadFrames(shared_from_this()), "engine_worker");
    Spawn(executor, ReadLog(shared_from_this()), "engine_worker_log");
}

// Kills the worker when the state it is in now lasts longer than `wait`.
void Worker::Arm(std::chrono::milliseconds wait, Loss cause) {
    timer_.expires_after(wait);
    timer_.async_wait([weak = weak_from_this(), cause, state = state_, id = id_](ErrorCode ec) {
        const std::shared_ptr<Worker> self = weak.lock();
        if (!ec && self && self->state_ == state && self->id_ == id) self->Kill(cause);
    });
}

Task<void> Worker::ReadFrames(std::shared_ptr<Worker> self) {
    const auto buffer = asio::buffer(self->bytes_);
    while (self->state_ != State::kDying) {
        const std::shared_ptr<Job> job = self->job_;
        if (job && !job->has_room()) {
            co_await job->WaitRoom();
            continue;
        }
        const auto [ec, count] = co_await self->socket_.async_read_some(buffer, kAwaitTuple);
        if (ec) break;
        self->reader_.Feed({self->bytes_.data(), count});
        while (self->state_ != State::kDying) {
            Result<std::optional<Frame>> frame = self->reader_.Next();
            if (frame && !*frame) break;
            if (!frame || !self->Handle(std::move(**frame))) self->Kill(Loss::kProtocol);
        }
    }
    self->Lose(Loss::kCrash);
    KillWorker(self->process_.pidfd);
    co_await AwaitExit(self);
}

Task<void> Worker::AwaitExit(std::shared_ptr<Worker> self) {
    co_await self->exit_.async_wait(asio::posix::descriptor_base::wait_read, kAwaitTuple);
    const ExitStatus status = ReapWorker(self->process_.pidfd);
    ErrorCode ignored;
    self->socket_.close(ignored);
    self->timer_.cancel();
    if (self->pool_ == nullptr) co_return;
    self->pool_->OnGone(self, self->cause_, status);
}

Task<void> Worker::ReadLog(std::shared_ptr<Worker> self) {
    std::array<char, 1'024> bytes;
    std::string line;
    const auto buffer = asio::buffer(bytes);
    for (;;) {
        const auto [ec, count] = co_await self->log_.async_read_some(buffer, kAwaitTuple);
        if (ec) break;
        for (const char c : std::string_view(bytes.data(), count)) {
            if (c != '\n') {
                if (line.size() < kMaxLogLine) line += c;
                continue;
            }
            self->LogLine(line);
            line.clear();
        }
    }
    if (!line.empty()) self->LogLine(line);
}

// Our own lines are safe. What an engine's library prints once it has seen a request may quote the
// text, so that only its length is told.
void Worker::LogLine(std::string_view line) {
    if (pool_ == nullptr || ++log_lines_ > kMaxLogLines) return;
    if (id_ == 0) {
        log::Warning("worker_says",
                     {{"engine", pool_->name()}, {"pid", process_.pid}, {"line", line}});
    } else {
        log::Warning("worker_printed",
                     {{"engine", pool_->name()}, {"pid", process_.pid}, {"bytes", line.size()}});
    }
}

bool Worker::HasEnded() const {
    pollfd process{process_.pidfd, POLLIN, 0};
    return ::poll(&process, 1, 0) > 0;
}

void Worker::Start(std::shared_ptr<Job> job, std::uint64_t max_samples) {
    ++id_;
    state_ = State::kBusy;
    timer_.cancel();
    job_ = std::move(job);
    check_.emplace(job_->request().text.size(), max_samples);
    job_->Start(*this);
    if (!Write(EncodeRequest(id_, job_->request()))) {
        Kill(Loss::kProtocol);
    } else if (job_->request().input) {
        sends_input_ = true;
        Spawn(socket_.get_executor(), SendInput(shared_from_this(), job_), "engine_worker_input");
    }
}

// Larger than the socket's buffer. Nothing else is written meanwhile.
Task<void> Worker::SendInput(std::shared_ptr<Worker> self, std::shared_ptr<const Job> job) {
    const std::uint32_t id = self->id_;
    const std::string& input = *job->request().input->bytes;
    const std::size_t most = MaxPayload(FrameType::kInput);
    for (std::size_t at = 0; at < input.size() && self->state_ == State::kBusy; at += most) {
        const std::string frame = EncodeInput(id, std::string_view(input).substr(at, most));
        const auto buffer = asio::buffer(frame);
        const auto [ec, count] = co_await asio::async_write(self->socket_, buffer, kAwaitTuple);
        if (ec) break;
    }
    self->sends_input_ = false;
}

// Requests and cancels are small and the worker reads them before it does anything else, so the
// socket's own buffer always has room; a worker for which it has none is stuck.
bool Worker::Write(const std::string& bytes) {
    const ssize_t sent =
        send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent == static_cast<ssize_t>(bytes.size());
}

void Worker::CancelJob() {
    if (state_ != State::kBusy) return;
    if (sends_input_) {  // the worker waits for the rest and hears no cancel
        job_.reset();
        Kill(Loss::kRecycle);
        return;
    }
    state_ = State::kCancelling;
    job_.reset();
    if (!Write(EncodeCancel(id_))) {
        Kill(Loss::kCancelIgnored);
        return;
    }
    Arm(pool_->options().cancel_grace, Loss::kCancelIgnored);
}

void Worker::Kill(Loss cause) {
    if (state_ == State::kDying) return;
    KillWorker(process_.pidfd);
    Lose(cause);
    // Wakes the reader, which waits for the process's end.
    ErrorCode ignored;
    socket_.cancel(ignored);
}

void Worker::Lose(Loss cause) {
    if (state_ == State::kDying) return;
    const bool was_at_work = state_ == State::kBusy || state_ == State::kCancelling;
    state_ = State::kDying;
    cause_ = cause;
    timer_.cancel();
    const std::shared_ptr<Job> job = std::exchange(job_, nullptr);
    if (pool_ != nullptr) pool_->OnLost(job, cause, was_at_work);
}

void Worker::Detach() {
    pool_ = nullptr;
    if (job_) job_->Detach();
}

bool Worker::Handle(Frame frame) {
    if (state_ != State::kStarting) return HandleReply(std::move(frame));
    if (frame.type != FrameType::kHello || frame.id != 0) return false;
    Result<Hello> hello = DecodeHello(frame.payload);
    if (!hello || hello->engine != pool_->engine()) return false;
    state_ = State::kIdle;
    timer_.cancel();
    pool_->OnHello(std::move(*hello));
    return true;
}

bool Worker::HandleReply(Frame frame) {
    if (state_ == State::kIdle || frame.id != id_) return false;
    switch (frame.type) {
        case FrameType::kAudio: {
            Result<std::vector<std::int16_t>> samples = DecodeAudio(frame.payload);
            if (!samples || !check_->OnAudio(samples->size())) return false;
            if (job_) pool_->OnAudio(*job_, std::move(*samples));
            return true;
        }
        case FrameType::kEvents: {
            Result<std::vector<TimingEvent>> events = DecodeEvents(frame.payload);
            if (!events || !check_->OnEvents(*events)) return false;
            if (job_) job_->AddEvents(std::move(*events));
            return true;
        }
        case FrameType::kDone: {
            const Result<Done> done = DecodeDone(frame.payload);
            if (!done || !check_->OnDone(*done) || (done->cancelled && job_)) return false;
            return EndOfReply(true, static_cast<double>(done->cpu_us) / 1e6);
        }
        case FrameType::kError: {
            Result<WorkerError> error = DecodeError(frame.payload);
            if (!error || !check_->OnError()) return false;
            log::Info("worker_refused", {{"engine", pool_->name()}, {"code", error->code}});
            if (job_) {
                job_->Fail(Error(ErrorKind::kInvalid, error->code,
                                 "The speech engine cannot speak this text."));
            }
            return EndOfReply(false, 0);
        }
        default: return false;
    }
}

bool Worker::EndOfReply(bool spoken, double cpu_seconds) {
    const std::shared_ptr<Job> job = std::exchange(job_, nullptr);
    const std::uint64_t samples = check_->samples();
    state_ = State::kIdle;
    timer_.cancel();
    check_.reset();
    ++served_;
    pool_->OnEnd(*this, job, spoken, samples, cpu_seconds);
    return true;
}

}  // namespace vf::engines
