#pragma once
// The one way to team data: a statement runs as a team, or across teams for a stated reason.
//
// Every table with a team_id has row-level security (migrations/0002_teams.sql). A team's statement
// travels as `set_config('vf.team', …, true)` plus the statement in one sync segment, so that the
// setting is gone before the next segment of the same connection is run. Work that crosses teams
// (key look-ups, ingest, outbox readers, sweepers) connects as another PostgreSQL role, whose
// policies let it; `grep 'System("'` finds all of it.
//
// Store functions take a TeamDb (or TeamTransaction), or a SystemDb (or SystemTransaction); there
// is no other handle on a connection outside src/pg, and scripts/lint keeps it so. On the loop; not
// thread-safe. Handles are small values and may outlive nothing but themselves: the Database must
// live as long as what was made from it.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "base/task.hpp"
#include "pg/listen.hpp"
#include "pg/values.hpp"

namespace vf::pg {

struct PoolOptions;
struct PoolStats;
class Pool;
class Transaction;

using Call = std::pair<Statement, Params>;

// A transaction, READ COMMITTED, on a connection of its own. Destroyed without Commit it rolls
// back. A failed query leaves it good for nothing but rollback. One query at a time.
class TransactionBase {
public:
    virtual ~TransactionBase();
    TransactionBase(const TransactionBase&) = delete;
    TransactionBase& operator=(const TransactionBase&) = delete;

    // Throws QueryError or DatabaseUnavailable.
    Task<Rows> Query(Statement statement, Params params = {}, Timeout timeout = {});
    Task<void> Commit();
    Task<void> Rollback();

protected:
    explicit TransactionBase(std::unique_ptr<Transaction> transaction);

private:
    std::unique_ptr<Transaction> transaction_;
};

// Sees and writes the rows of its team only.
class TeamTransaction : public TransactionBase {
public:
    TeamId team() const { return team_; }

private:
    friend class TeamDb;
    TeamTransaction(std::unique_ptr<Transaction> transaction, TeamId team);
    TeamId team_;
};

class SystemTransaction : public TransactionBase {
private:
    friend class SystemDb;
    explicit SystemTransaction(std::unique_ptr<Transaction> transaction);
};

// The database as one team sees it.
class TeamDb {
public:
    TeamId team() const { return team_; }
    // One statement in a transaction of its own. Throws QueryError or DatabaseUnavailable.
    Task<Rows> Query(Statement statement, Params params = {}, Timeout timeout = {});
    // All in one implicit transaction and one round trip; the first error undoes all of them.
    Task<std::vector<Rows>> QueryTogether(std::vector<Call> calls, Timeout timeout = {});
    Task<std::unique_ptr<TeamTransaction>> Begin(Timeout timeout = {});

private:
    friend class Database;
    TeamDb(std::shared_ptr<Pool> pool, TeamId team) : pool_(std::move(pool)), team_(team) {}
    std::shared_ptr<Pool> pool_;
    TeamId team_;
};

// The database across teams.
class SystemDb {
public:
    Task<Rows> Query(Statement statement, Params params = {}, Timeout timeout = {});
    Task<std::vector<Rows>> QueryTogether(std::vector<Call> calls, Timeout timeout = {});
    Task<std::unique_ptr<SystemTransaction>> Begin(Timeout timeout = {});

private:
    friend class Database;
    explicit SystemDb(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}
    std::shared_ptr<Pool> pool_;
};

class Database {
public:
    // Both start connecting at once. `app` and `system` differ in url only, as a rule.
    Database(asio::io_context& loop, PoolOptions app, PoolOptions system);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    TeamDb Team(TeamId team);
    // `why` is a few words for whoever searches for what crosses teams; it is not used.
    SystemDb System(const char* why);

    // Calls back on the loop for every NOTIFY on `channel` ([a-z0-9_]), until closed.
    Task<bool> Listen(std::string channel, ListenCallback callback);

    bool available() const;  // for teams and for the system
    Task<void> WaitAvailable(std::chrono::milliseconds timeout);
    PoolStats team_stats() const;
    // Fails what is in flight and closes every connection. Safe to repeat.
    void Close();

private:
    std::shared_ptr<Pool> app_;
    std::shared_ptr<Pool> system_;
};

}  // namespace vf::pg
