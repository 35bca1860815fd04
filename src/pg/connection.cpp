#include "pg/connection.hpp"

#include <libpq-fe.h>

#include <cstring>
#include <stdexcept>

#include "base/log.hpp"

namespace vf::pg {
namespace {

// How long a statement past its deadline may hold up the others, while its cancellation is under
// way, before the connection is given up.
constexpr std::chrono::milliseconds kStallGrace{1000};

std::string Diagnostic(const PGresult* result, int field) {
    const char* text = PQresultErrorField(result, field);
    return text == nullptr ? "" : text;
}

}  // namespace

void Segment::Reset() {
    rows.clear();
    state = SegmentState::kPending;
    sent = false;
    prepare_failed = false;
    sqlstate.clear();
    constraint.clear();
    message.clear();
}

Task<void> WaitFor(std::shared_ptr<Segment> segment) {
    if (segment->state != SegmentState::kPending) co_return;
    auto park = [](auto handler, Segment* parked) {
        parked->waiter = std::make_unique<WaiterFor<decltype(handler)>>(std::move(handler));
    };
    Segment* parked = segment.get();
    co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(park, kAwait,
                                                                                 parked);
}

Connection::Connection(Executor loop, ConnPtr conn, std::string application_name, std::size_t depth,
                       std::weak_ptr<Observer> observer)
    : loop_(loop), conn_(std::move(conn)), socket_(loop),
      application_name_(std::move(application_name)), depth_(depth), observer_(std::move(observer)),
      sweep_(loop) {
    PQsetnonblocking(conn_.get(), 1);
    PQenterPipelineMode(conn_.get());
    server_process_ = PQbackendPID(conn_.get());
}

Connection::~Connection() {
    // libpq closes the descriptor, also when the loop is taken down around us.
    if (conn_ && socket_.is_open()) socket_.release();
}

void Connection::Start() {
    socket_.assign(PQsocket(conn_.get()));
    ArmRead();
}

bool Connection::idle_transaction() const {
    return conn_ && PQtransactionStatus(conn_.get()) == PQTRANS_IDLE;
}

Connection::Prepared& Connection::PreparedFor(const Statement& statement) {
    const auto [found, fresh] = prepared_.try_emplace(statement.name);
    Prepared& prepared = found->second;
    if (fresh) {
        prepared.sql = statement.sql;
        prepared.server_name = statement.name;
    } else if (prepared.sql != statement.sql && std::strcmp(prepared.sql, statement.sql) != 0) {
        throw std::logic_error(std::string("two statements are called ") + statement.name);
    }
    return prepared;
}

bool Connection::SendItem(SegmentItem& item) {
    PGconn* conn = conn_.get();
    Prepared& prepared = PreparedFor(item.statement);
    item.sent_prepare = !prepared.made;
    if (!prepared.made) {
        if (!PQsendPrepare(conn, prepared.server_name.c_str(), item.statement.sql, 0, nullptr)) {
            return false;
        }
        prepared.made = true;
    }
    item.params.Fill(values_, lengths_, formats_);
    return PQsendQueryPrepared(conn, prepared.server_name.c_str(), static_cast<int>(values_.size()),
                               values_.data(), lengths_.data(), formats_.data(), 0) == 1;
}

void Connection::Submit(std::shared_ptr<Segment> segment) {
    for (const SegmentItem& item : segment->items) PreparedFor(item.statement);
    in_flight_.push_back(segment);
    if (in_flight_.size() == 1) item_ = 0;
    segment->sent = true;
    bool sent = true;
    for (SegmentItem& item : segment->items) sent = sent && SendItem(item);
    if (in_flight_.size() == 1) prepare_next_ = segment->items.front().sent_prepare;
    sent = sent && PQpipelineSync(conn_.get()) == 1;
    if (!sent) {
        Lose(CleanMessage(PQerrorMessage(conn_.get())));
        return;
    }
    Flush();
    if (conn_) ArmSweep(segment->deadline);
}

void Connection::Flush() {
    const int left = PQflush(conn_.get());
    if (left < 0) {
        Lose(CleanMessage(PQerrorMessage(conn_.get())));
    } else if (left > 0) {
        ArmWrite();
    }
}

void Connection::ArmWrite() {
    if (writing_) return;
    writing_ = true;
    socket_.async_wait(asio::posix::descriptor_base::wait_write,
                       [self = shared_from_this()](ErrorCode error) {
                           self->writing_ = false;
                           if (!error && self->conn_) self->Flush();
                       });
}

void Connection::ArmRead() {
    socket_.async_wait(asio::posix::descriptor_base::wait_read,
                       [self = shared_from_this()](ErrorCode error) {
                           if (!error && self->conn_) self->OnReadable();
                       });
}

void Connection::OnReadable() {
    const bool healthy = PQconsumeInput(conn_.get()) == 1;
    TakeResults();
    if (!conn_) return;
    while (PGnotify* notify = PQnotifies(conn_.get())) {
        const std::string channel = notify->relname;
        std::string payload = notify->extra;
        PQfreemem(notify);
        if (const auto observer = observer_.lock()) observer->OnNotify(channel, std::move(payload));
        if (!conn_) return;
    }
    if (!healthy || PQstatus(conn_.get()) == CONNECTION_BAD) {
        Lose(CleanMessage(PQerrorMessage(conn_.get())));
        return;
    }
    ArmRead();
}

void Connection::TakeResults() {
    int empty = 0;
    while (conn_ && !in_flight_.empty() && !PQisBusy(conn_.get())) {
        PGresult* result = PQgetResult(conn_.get());
        if (result == nullptr) {
            // One NULL ends each statement; two in a row mean that libpq has nothing more.
            if (++empty > 1) return;
            continue;
        }
        empty = 0;
        TakeResult(result);
    }
}

void Connection::TakeResult(pg_result* result) {
    Segment& head = *in_flight_.front();
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_PIPELINE_SYNC) {
        PQclear(result);
        FinishHead();
        return;
    }
    if (item_ >= head.items.size()) {
        PQclear(result);
        Lose("more results than statements");
        return;
    }
    const bool of_prepare = prepare_next_;
    if (of_prepare) {
        prepare_next_ = false;
    } else {
        ++item_;
        prepare_next_ = item_ < head.items.size() && head.items[item_].sent_prepare;
    }
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY) {
        if (of_prepare || head.state != SegmentState::kPending) {
            PQclear(result);
        } else {
            head.rows.emplace_back(result);
        }
        return;
    }
    const std::size_t index = of_prepare ? item_ : item_ - 1;
    if (of_prepare) prepared_.find(head.items[index].statement.name)->second.made = false;
    if (status != PGRES_PIPELINE_ABORTED) TakeError(head, result, of_prepare);
    PQclear(result);
}

void Connection::TakeError(Segment& segment, pg_result* result, bool of_prepare) {
    const std::string sqlstate = Diagnostic(result, PG_DIAG_SQLSTATE);
    const std::string severity = Diagnostic(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (sqlstate.empty() || severity == "FATAL" || severity == "PANIC") {
        Lose(CleanMessage(PQresultErrorMessage(result)));
        return;
    }
    std::string message = Diagnostic(result, PG_DIAG_MESSAGE_PRIMARY);
    const bool plan_changed =
        sqlstate == "0A000" && message.find("cached plan") != std::string::npos;
    if (!of_prepare && (sqlstate == "26000" || plan_changed)) {
        // Prepared by a segment that failed before its Parse, or made before a migration changed
        // the table: the next use prepares it again, under another name.
        Prepared& prepared = prepared_.find(segment.items[item_ - 1].statement.name)->second;
        prepared.made = false;
        prepared.server_name = std::string(segment.items[item_ - 1].statement.name) + "." +
                               std::to_string(++prepared.generation);
        segment.prepare_failed = true;
    }
    segment.sqlstate = sqlstate;
    segment.constraint = Diagnostic(result, PG_DIAG_CONSTRAINT_NAME);
    segment.message = std::move(message);
}

void Connection::FinishHead() {
    const std::shared_ptr<Segment> head = std::move(in_flight_.front());
    in_flight_.pop_front();
    item_ = 0;
    prepare_next_ = !in_flight_.empty() && in_flight_.front()->items.front().sent_prepare;
    stalled_ = false;
    if (head->state == SegmentState::kPending) {
        head->state = head->sqlstate.empty() ? SegmentState::kDone : SegmentState::kRefused;
        if (head->waiter) head->waiter->Complete(loop_);
        head->waiter.reset();
    }
    if (!in_flight_.empty() && in_flight_.front()->state == SegmentState::kTimedOut) {
        ArmSweep(std::chrono::steady_clock::now());
    }
    if (const auto observer = observer_.lock()) observer->OnRoom();
}

void Connection::ArmSweep(SteadyTime at) {
    if (at >= sweep_at_) return;
    sweep_at_ = at;
    sweep_.expires_at(at);
    sweep_.async_wait([self = shared_from_this()](ErrorCode error) {
        if (!error && self->conn_) self->Sweep();
    });
}

void Connection::Sweep() {
    sweep_at_ = SteadyTime::max();
    const SteadyTime now = std::chrono::steady_clock::now();
    SteadyTime next = SteadyTime::max();
    for (const auto& segment : in_flight_) {
        if (segment->state != SegmentState::kPending) continue;
        if (segment->deadline > now) {
            next = std::min(next, segment->deadline);
            continue;
        }
        segment->state = SegmentState::kTimedOut;
        if (segment->waiter) segment->waiter->Complete(loop_);
        segment->waiter.reset();
    }
    if (!in_flight_.empty() && in_flight_.front()->state == SegmentState::kTimedOut) {
        Segment& head = *in_flight_.front();
        if (!stalled_) {
            stalled_ = true;
            head.deadline = now + kStallGrace;
            if (const auto observer = observer_.lock()) observer->OnStalled(*this);
        } else if (now >= head.deadline) {
            Lose("a statement did not end after its deadline");
            return;
        }
        next = std::min(next, head.deadline);
    }
    if (conn_ && next != SteadyTime::max()) ArmSweep(next);
}

void Connection::Lose(std::string reason) {
    if (!conn_) return;
    log::Warning("database_connection_lost", {{"reason", reason}});
    Close();
    if (const auto observer = observer_.lock()) observer->OnLost(*this);
}

void Connection::Close() {
    if (!conn_) return;
    sweep_.cancel();
    // libpq closes the descriptor; Asio only forgets it.
    if (socket_.is_open()) socket_.release();
    conn_.reset();
    FailAll();
}

void Connection::FailAll() {
    std::deque<std::shared_ptr<Segment>> failed;
    failed.swap(in_flight_);
    for (const auto& segment : failed) {
        if (segment->state != SegmentState::kPending) continue;
        segment->state = SegmentState::kLost;
        if (segment->waiter) segment->waiter->Complete(loop_);
        segment->waiter.reset();
    }
}

}  // namespace vf::pg
