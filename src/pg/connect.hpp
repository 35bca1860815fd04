#pragma once
// Opens a libpq connection on a thread that may wait: name look-up, TLS and SCRAM hashing take
// milliseconds to seconds and have no place on the loop.

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

struct pg_conn;

namespace vf::pg {

struct CloseConn {
    void operator()(pg_conn* conn) const;
};
using ConnPtr = std::unique_ptr<pg_conn, CloseConn>;

struct ConnectRequest {
    std::string url;
    std::string application_name;
    std::chrono::milliseconds timeout{5000};
    std::chrono::milliseconds statement_timeout{0};  // 0: none
    std::shared_ptr<std::atomic<bool>> stop;         // gives up within 50 ms once true; may be null
};

struct ConnectOutcome {
    ConnPtr conn;       // null: failed
    std::string error;  // for the log; without the password
};

ConnectOutcome Connect(const ConnectRequest& request);

// A libpq message without line ends and at most 300 bytes.
std::string CleanMessage(const char* message);

}  // namespace vf::pg
