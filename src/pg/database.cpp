#include "pg/database.hpp"

#include "pg/pg.hpp"

namespace vf::pg {
namespace {

constexpr Statement kSetTeam{"vf_set_team", "SELECT WHERE set_config('vf.team', $1, true) IS NULL"};

Params TeamParams(TeamId team) {
    Params params;
    params.Text(team.uuid.Dashed());
    return params;
}

}  // namespace

TransactionBase::TransactionBase(std::unique_ptr<Transaction> transaction)
    : transaction_(std::move(transaction)) {}

TransactionBase::~TransactionBase() = default;

TeamTransaction::TeamTransaction(std::unique_ptr<Transaction> transaction, TeamId team)
    : TransactionBase(std::move(transaction)), team_(team) {}

SystemTransaction::SystemTransaction(std::unique_ptr<Transaction> transaction)
    : TransactionBase(std::move(transaction)) {}

Task<Rows> TransactionBase::Query(Statement statement, Params params, Timeout timeout) {
    return transaction_->Query(statement, std::move(params), timeout);
}

Task<void> TransactionBase::Commit() {
    return transaction_->Commit();
}

Task<void> TransactionBase::Rollback() {
    return transaction_->Rollback();
}

Task<Rows> TeamDb::Query(Statement statement, Params params, Timeout timeout) {
    auto pool = pool_;
    std::vector<Call> calls;
    calls.reserve(2);
    calls.emplace_back(kSetTeam, TeamParams(team_));
    calls.emplace_back(statement, std::move(params));
    std::vector<Rows> rows = co_await pool->QueryTogether(std::move(calls), timeout);
    co_return std::move(rows[1]);
}

Task<std::vector<Rows>> TeamDb::QueryTogether(std::vector<Call> calls, Timeout timeout) {
    auto pool = pool_;
    calls.emplace(calls.begin(), kSetTeam, TeamParams(team_));
    std::vector<Rows> rows = co_await pool->QueryTogether(std::move(calls), timeout);
    rows.erase(rows.begin());
    co_return rows;
}

Task<std::unique_ptr<TeamTransaction>> TeamDb::Begin(Timeout timeout) {
    const TeamId team = team_;
    auto pool = pool_;
    std::unique_ptr<Transaction> transaction = co_await pool->Begin(timeout);
    co_await transaction->Query(kSetTeam, TeamParams(team), timeout);
    co_return std::unique_ptr<TeamTransaction>(new TeamTransaction(std::move(transaction), team));
}

Task<Rows> SystemDb::Query(Statement statement, Params params, Timeout timeout) {
    auto pool = pool_;
    co_return co_await pool->Query(statement, std::move(params), timeout);
}

Task<std::vector<Rows>> SystemDb::QueryTogether(std::vector<Call> calls, Timeout timeout) {
    auto pool = pool_;
    co_return co_await pool->QueryTogether(std::move(calls), timeout);
}

Task<std::unique_ptr<SystemTransaction>> SystemDb::Begin(Timeout timeout) {
    auto pool = pool_;
    std::unique_ptr<Transaction> transaction = co_await pool->Begin(timeout);
    co_return std::unique_ptr<SystemTransaction>(new SystemTransaction(std::move(transaction)));
}

Database::Database(asio::io_context& loop, PoolOptions app, PoolOptions system)
    : app_(std::make_shared<Pool>(loop, std::move(app))),
      system_(std::make_shared<Pool>(loop, std::move(system))) {}

Database::~Database() {
    Close();
}

TeamDb Database::Team(TeamId team) {
    return TeamDb(app_, team);
}

SystemDb Database::System(const char* /*why*/) {
    return SystemDb(system_);
}

Task<bool> Database::Listen(std::string channel, ListenCallback callback) {
    return system_->Listen(std::move(channel), std::move(callback));
}

bool Database::available() const {
    return app_->available() && system_->available();
}

Task<void> Database::WaitAvailable(std::chrono::milliseconds timeout) {
    auto app = app_;
    auto system = system_;
    co_await app->WaitAvailable(timeout);
    co_await system->WaitAvailable(timeout);
}

PoolStats Database::team_stats() const {
    return app_->stats();
}

void Database::Close() {
    app_->Close();
    system_->Close();
}

}  // namespace vf::pg
