#pragma once
// One worker process and the connection to it: reads its frames for as long as it lives, checks
// them, and hands them to the job at work. Kept alive by its own coroutines until the process has
// been reaped. Loop thread only.

#include <array>
#include <memory>
#include <string>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/task.hpp"
#include "engines/job.hpp"
#include "engines/worker_process.hpp"

namespace vf::engines {

// Why a worker had to go; also the label `cause` of the restart counter.
enum class Loss {
    kNone,
    kCrash,          // it ended by itself
    kTimeout,        // it missed a deadline
    kProtocol,       // it broke a rule of the protocol
    kCancelIgnored,  // it went on after a cancel
    kHello,          // it did not introduce itself in time
    kRecycle,        // it had served enough
    kStop,           // the server stops
};
const char* NameOf(Loss loss);

class Worker : public std::enable_shared_from_this<Worker> {
public:
    enum class State { kStarting, kIdle, kBusy, kCancelling, kDying };

    Worker(asio::io_context& loop, Pool& pool, SpawnedProcess process);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // Starts reading. The pool hears OnHello, OnIdle, OnLost (once, when the job must be given
    // back) and OnGone (once, when the process has been reaped).
    void Run(std::chrono::milliseconds hello_timeout);

    State state() const { return state_; }
    bool live() const { return state_ != State::kStarting && state_ != State::kDying; }
    int pid() const { return process_.pid; }
    std::int64_t served() const { return served_; }
    // The process is dead already, though its end has not been read yet: no text is to blame then.
    bool HasEnded() const;

    // Hands over a job; the worker must be idle.
    void Start(std::shared_ptr<Job> job, std::uint64_t max_samples);
    // The caller has gone: tells the worker, which has `cancel_grace` to obey.
    void CancelJob();
    void Kill(Loss cause);
    void Detach();

private:
    static Task<void> ReadFrames(std::shared_ptr<Worker> self);
    static Task<void> ReadLog(std::shared_ptr<Worker> self);
    static Task<void> AwaitExit(std::shared_ptr<Worker> self);

    // False when the frame broke a rule.
    bool Handle(Frame frame);
    bool HandleReply(Frame frame);
    bool EndOfReply(bool spoken, double cpu_seconds);
    bool Write(const std::string& bytes);
    static Task<void> SendInput(std::shared_ptr<Worker> self, std::shared_ptr<const Job> job);
    void Lose(Loss cause);
    void LogLine(std::string_view line);
    void Arm(std::chrono::milliseconds wait, Loss cause);

    Pool* pool_;
    SpawnedProcess process_;
    asio::basic_stream_socket<asio::local::stream_protocol, Executor> socket_;
    asio::posix::basic_stream_descriptor<Executor> log_;
    asio::posix::basic_stream_descriptor<Executor> exit_;
    SteadyTimer timer_;
    State state_ = State::kStarting;
    Loss cause_ = Loss::kNone;
    FrameReader reader_;
    std::shared_ptr<Job> job_;
    std::optional<ReplyCheck> check_;
    std::uint32_t id_ = 0;
    std::int64_t served_ = 0;
    bool sends_input_ = false;
    int log_lines_ = 0;
    std::array<char, 65'536> bytes_;
};

}  // namespace vf::engines
