#pragma once
// One established connection in libpq's pipeline mode, on the loop. Inside src/pg only.
//
// What is submitted together is a Segment: its statements, then one Sync. PostgreSQL runs a segment
// as one implicit transaction and answers segments in order; an error skips the rest of its own
// segment and nothing else.

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/task.hpp"
#include "pg/connect.hpp"
#include "pg/values.hpp"

namespace vf::pg {

using SteadyTime = std::chrono::steady_clock::time_point;

// A coroutine parked until Complete(), which resumes it through the loop's queue.
class Waiter {
public:
    virtual ~Waiter() = default;
    virtual void Complete(Executor loop) = 0;
};

template <class Handler>
class WaiterFor final : public Waiter {
public:
    explicit WaiterFor(Handler handler) : handler_(std::move(handler)) {}
    void Complete(Executor loop) override { asio::post(loop, std::move(handler_)); }

private:
    Handler handler_;
};

struct SegmentItem {
    Statement statement;
    Params params;
    bool sent_prepare = false;  // on this submission
};

enum class SegmentState {
    kPending,
    kDone,      // rows are complete
    kRefused,   // by PostgreSQL: `sqlstate`, `constraint`, `message`
    kLost,      // the connection went; the outcome is unknown when `sent`
    kTimedOut,  // its deadline passed; the answer, if any, is thrown away
};

struct Segment {
    std::vector<SegmentItem> items;
    std::vector<Rows> rows;
    SteadyTime deadline;
    SegmentState state = SegmentState::kPending;
    bool sent = false;
    bool prepare_failed = false;  // by 26000 or a changed plan: sending it again will help
    std::string sqlstate;
    std::string constraint;
    std::string message;
    std::unique_ptr<Waiter> waiter;

    void Reset();  // for another submission
};

// Parks the caller until `segment` is no longer pending.
Task<void> WaitFor(std::shared_ptr<Segment> segment);

class Connection : public std::enable_shared_from_this<Connection> {
public:
    // Called on the loop; none may destroy the pool.
    class Observer {
    public:
        virtual ~Observer() = default;
        virtual void OnRoom() = 0;                           // a segment was answered
        virtual void OnLost(Connection& connection) = 0;     // once; not for Close()
        virtual void OnStalled(Connection& connection) = 0;  // its oldest segment timed out
        virtual void OnNotify(const std::string& channel, std::string payload) = 0;
    };

    Connection(Executor loop, ConnPtr conn, std::string application_name, std::size_t depth,
               std::weak_ptr<Observer> observer);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    void Start();  // once, after make_shared

    // Sends at once. The connection must be alive and not full.
    void Submit(std::shared_ptr<Segment> segment);
    void Close();

    bool alive() const { return conn_ != nullptr; }
    bool full() const { return in_flight_.size() >= depth_; }
    // Its oldest segment is past its deadline and still runs: new work goes elsewhere.
    bool stalled() const { return stalled_; }
    std::size_t in_flight() const { return in_flight_.size(); }
    int server_process() const { return server_process_; }
    const std::string& application_name() const { return application_name_; }
    bool idle_transaction() const;  // no transaction is open

private:
    struct Prepared {
        const char* sql;
        int generation = 0;
        bool made = false;
        std::string server_name;
    };

    Prepared& PreparedFor(const Statement& statement);
    bool SendItem(SegmentItem& item);
    void ArmRead();
    void ArmWrite();
    void OnReadable();
    void TakeResults();
    void TakeResult(pg_result* result);
    void TakeError(Segment& segment, pg_result* result, bool of_prepare);
    void FinishHead();
    void Flush();
    void ArmSweep(SteadyTime at);
    void Sweep();
    void Lose(std::string reason);
    void FailAll();

    Executor loop_;
    ConnPtr conn_;
    asio::posix::basic_stream_descriptor<Executor> socket_;
    std::string application_name_;
    std::size_t depth_;
    std::weak_ptr<Observer> observer_;
    int server_process_ = 0;

    std::deque<std::shared_ptr<Segment>> in_flight_;
    std::size_t item_ = 0;       // of the oldest segment: whose result comes next
    bool prepare_next_ = false;  // and whether it is that of its Parse
    std::unordered_map<std::string_view, Prepared> prepared_;

    SteadyTimer sweep_;
    SteadyTime sweep_at_ = SteadyTime::max();
    bool stalled_ = false;
    bool writing_ = false;

    std::vector<const char*> values_;  // scratch
    std::vector<int> lengths_;
    std::vector<int> formats_;
};

}  // namespace vf::pg
