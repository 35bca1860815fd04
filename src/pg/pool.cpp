#include "pg/pg.hpp"

#include "pg/pool_core.hpp"
#include "pg/transaction_state.hpp"

namespace vf::pg {

void DeclareSettings(SettingsSchema& schema, PoolOptions& options) {
    using std::chrono::milliseconds;
    schema.Secret("database.url", options.url,
                  {"postgresql://voiceflow:secret@db.example:5432/voiceflow",
                   "Where PostgreSQL 15 or newer is; empty: VoiceFlow runs a private one in its "
                   "data folder."});
    schema.AlsoFromEnvironment("database.url", "DATABASE_URL");
    schema.Integer("database.connections", options.connections, 1, 64,
                   {"2", "Connections shared by all single statements."});
    schema.Integer("database.pipeline_depth", options.pipeline_depth, 1, 4096,
                   {"256", "Statements in flight on each shared connection."});
    schema.Integer("database.transactions", options.transactions, 1, 256,
                   {"8", "Connections for transactions, opened on demand."});
    schema.Integer("database.waiting", options.waiting, 1, 100000,
                   {"1024", "Requests that may wait for a free connection; more get 503."});
    schema.Duration("database.connect_timeout", options.connect_timeout, milliseconds(100),
                    milliseconds(60000), {"5s", "How long opening a connection may take."});
    schema.Duration("database.query_timeout", options.query_timeout, milliseconds(50),
                    milliseconds(600000),
                    {"5s", "How long a statement may take, waiting for a connection included."});
    schema.Duration("database.statement_timeout", options.statement_timeout, milliseconds(100),
                    milliseconds(3600000),
                    {"30s", "When PostgreSQL itself ends a statement or a forgotten transaction."});
    schema.Duration("database.reconnect_wait", options.reconnect_wait, milliseconds(0),
                    milliseconds(60000),
                    {"250ms", "How long a statement waits for a lost database before 503."});
}

Pool::Pool(asio::io_context& loop, PoolOptions options)
    : core_(std::make_shared<PoolCore>(loop.get_executor(), std::move(options))) {
    core_->Start();
}

Pool::~Pool() {
    core_->Close();
    core_->JoinThreads();
}

Task<Rows> Pool::Query(Statement statement, Params params, Timeout timeout) {
    auto core = core_;
    auto segment = std::make_shared<Segment>();
    segment->items.push_back({statement, std::move(params)});
    segment->deadline = core->DeadlineAfter(timeout);
    co_await PoolCore::Run(core, segment);
    ThrowUnlessDone(*segment);
    co_return std::move(segment->rows.front());
}

Task<std::vector<Rows>> Pool::QueryTogether(std::vector<Call> calls, Timeout timeout) {
    if (calls.empty()) co_return std::vector<Rows>();
    auto core = core_;
    auto segment = std::make_shared<Segment>();
    for (Call& call : calls) segment->items.push_back({call.first, std::move(call.second)});
    segment->deadline = core->DeadlineAfter(timeout);
    co_await PoolCore::Run(core, segment);
    ThrowUnlessDone(*segment);
    co_return std::move(segment->rows);
}

Task<std::unique_ptr<Transaction>> Pool::Begin(Timeout timeout) {
    auto core = core_;
    const SteadyTime deadline = core->DeadlineAfter(timeout);
    std::shared_ptr<Connection> connection = co_await PoolCore::Acquire(core, deadline);
    auto state = std::make_unique<TransactionState>(core, std::move(connection));
    co_return std::make_unique<Transaction>(std::move(state));
}

Task<bool> Pool::Listen(std::string channel, ListenCallback callback) {
    return PoolCore::Listen(core_, std::move(channel), std::move(callback));
}

bool Pool::available() const {
    return core_->available();
}

Task<void> Pool::WaitAvailable(std::chrono::milliseconds timeout) {
    return PoolCore::WaitAvailable(core_, std::chrono::steady_clock::now() + timeout);
}

PoolStats Pool::stats() const {
    return core_->stats();
}

void Pool::Close() {
    core_->Close();
}

}  // namespace vf::pg
