#pragma once
// The PostgreSQL client underneath pg/database.hpp, which is what features use: a pool of shared
// pipelined connections for single statements, exclusive connections for transactions, and one
// connection for LISTEN.
//
// Everything runs on one loop thread and is not thread-safe. Connections are opened on two helper
// threads of the pool (name look-up, TLS and SCRAM take milliseconds) and re-opened with back-off
// for as long as the pool lives. An awaited query cannot be cancelled from outside; its deadline
// bounds it.
// Protocol: PostgreSQL 15 documentation, chapters 34.5 (pipeline mode) and 55.2.3 (extended query).

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/settings.hpp"
#include "base/task.hpp"
#include "pg/database.hpp"
#include "pg/values.hpp"

namespace vf::pg {

struct PoolOptions {
    std::string url;                    // postgresql://… or "host=… user=…"; secret
    std::int64_t connections = 2;       // shared ones, always open
    std::int64_t pipeline_depth = 256;  // segments in flight on each
    std::int64_t transactions = 8;      // exclusive ones, opened on demand, closed when idle
    std::int64_t waiting = 1024;        // callers that may wait for room, of each kind
    std::chrono::milliseconds connect_timeout{5000};
    std::chrono::milliseconds query_timeout{5000};       // default deadline, waiting included
    std::chrono::milliseconds statement_timeout{30000};  // the server's own; caps every deadline
    std::chrono::milliseconds reconnect_wait{250};       // how long a query waits while it is away
};

// Section "database".
void DeclareSettings(SettingsSchema& schema, PoolOptions& options);

struct PoolStats {
    std::size_t connected = 0;  // shared connections that are up
    std::size_t in_flight = 0;  // segments sent and not answered
    std::size_t waiting = 0;    // callers waiting for room or for an exclusive connection
    std::size_t exclusive = 0;  // exclusive connections, idle ones included
    std::uint64_t queries = 0;
    std::uint64_t timeouts = 0;
    std::uint64_t connects = 0;  // connections opened, first ones and reconnections
};

class PoolCore;
class TransactionState;

// A transaction on a connection of its own, READ COMMITTED. BEGIN travels with the first query.
// Destroyed without Commit it rolls back. A failed query leaves it good for nothing but rollback.
// One query at a time. May outlive the pool (its queries then fail).
class Transaction {
public:
    explicit Transaction(std::unique_ptr<TransactionState> state);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    Task<Rows> Query(Statement statement, Params params = {}, Timeout timeout = {});
    // Throws QueryError when it could not commit, DatabaseUnavailable with outcome_unknown() when
    // the connection went in the middle of it.
    Task<void> Commit();
    Task<void> Rollback();

private:
    std::unique_ptr<TransactionState> state_;
};

class Pool {
public:
    // Starts connecting at once, on `loop`, which must outlive the pool.
    Pool(asio::io_context& loop, PoolOptions options);
    // Closes, and waits for the helper threads (≤ 100 ms, a name look-up in progress longer).
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    // One statement in a transaction of its own. Throws QueryError or DatabaseUnavailable.
    Task<Rows> Query(Statement statement, Params params = {}, Timeout timeout = {});
    // All in one implicit transaction and one round trip; the first error undoes all of them.
    Task<std::vector<Rows>> QueryTogether(std::vector<Call> calls, Timeout timeout = {});
    // Waits for an exclusive connection, at most `timeout`.
    Task<std::unique_ptr<Transaction>> Begin(Timeout timeout = {});

    // Calls back on the loop for every NOTIFY on `channel` ([a-z0-9_], at most 63), until the pool
    // closes. True: in force now. False: the database is away, it will be in force when it is back.
    // The callback must not throw and must not destroy the pool.
    Task<bool> Listen(std::string channel, ListenCallback callback);

    bool available() const;  // at least one shared connection is up
    // Throws DatabaseUnavailable when none is up after `timeout`.
    Task<void> WaitAvailable(std::chrono::milliseconds timeout);
    PoolStats stats() const;
    // Fails what is in flight, closes every connection; nothing of the pool keeps the loop busy
    // afterwards. Safe to repeat.
    void Close();

private:
    std::shared_ptr<PoolCore> core_;
};

}  // namespace vf::pg
