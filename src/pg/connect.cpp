#include "pg/connect.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>

namespace vf::pg {
namespace {

using Clock = std::chrono::steady_clock;

void IgnoreNotice(void*, const PGresult*) {}

// Waits until the socket is ready for what libpq wants next. False: out of time, or told to stop.
bool WaitSocket(PGconn* conn, PostgresPollingStatusType wanted, Clock::time_point deadline,
                const std::atomic<bool>* stop) {
    constexpr int kSliceMs = 50;
    while (stop == nullptr || !stop->load(std::memory_order_relaxed)) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (left <= 0) return false;
        pollfd item{PQsocket(conn),
                    static_cast<short>(wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
        const int ready = ::poll(&item, 1, static_cast<int>(std::min<long long>(left, kSliceMs)));
        if (ready > 0) return true;
    }
    return false;
}

}  // namespace

void CloseConn::operator()(pg_conn* conn) const {
    PQfinish(conn);
}

std::string CleanMessage(const char* message) {
    constexpr std::size_t kMost = 300;
    std::string text = message == nullptr ? "" : message;
    std::replace(text.begin(), text.end(), '\n', ' ');
    if (text.size() > kMost) text.resize(kMost);
    while (!text.empty() && text.back() == ' ') text.pop_back();
    return text;
}

ConnectOutcome Connect(const ConnectRequest& request) {
    // A session that forgets an open transaction must not hold locks for ever.
    const std::string options =
        "-c statement_timeout=" + std::to_string(request.statement_timeout.count()) +
        (request.statement_timeout.count() > 0
             ? " -c idle_in_transaction_session_timeout=" +
                   std::to_string(request.statement_timeout.count())
             : "");
    // The later of two equal keywords wins in libpq: what stands before `dbname` is a default that
    // the url may change, what stands after it is ours.
    const std::array<const char*, 9> keywords = {
        "keepalives_idle", "keepalives_interval", "tcp_user_timeout",
        "dbname",          "application_name",    "client_encoding",
        "options",         "connect_timeout",     nullptr};
    const std::array<const char*, 9> values = {"30",
                                               "10",
                                               "30000",
                                               request.url.c_str(),
                                               request.application_name.c_str(),
                                               "UTF8",
                                               options.c_str(),
                                               "60",
                                               nullptr};
    ConnectOutcome outcome;
    outcome.conn.reset(PQconnectStartParams(keywords.data(), values.data(), 1));
    PGconn* conn = outcome.conn.get();
    if (conn == nullptr) {
        outcome.error = "out of memory";
        return outcome;
    }
    PQsetNoticeReceiver(conn, IgnoreNotice, nullptr);
    const auto deadline = Clock::now() + request.timeout;
    PostgresPollingStatusType state =
        PQstatus(conn) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
        if (!WaitSocket(conn, state, deadline, request.stop.get())) {
            outcome.error = "no connection within the time allowed";
            outcome.conn.reset();
            return outcome;
        }
        state = PQconnectPoll(conn);
    }
    if (state == PGRES_POLLING_FAILED) {
        outcome.error = CleanMessage(PQerrorMessage(conn));
        outcome.conn.reset();
    }
    return outcome;
}

}  // namespace vf::pg
