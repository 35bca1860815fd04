#include "pg/pg_testing.hpp"

namespace vf::pg {
namespace {

using std::chrono::milliseconds;

constexpr Statement kEcho{"test_echo", "SELECT $1::bigint"};
constexpr Statement kCount{"test_count", "SELECT count(*) FROM thing"};
constexpr Statement kInsert{"test_insert", "INSERT INTO thing (id) VALUES ($1::int)"};
constexpr Statement kDrop{"test_drop", "DROP TABLE IF EXISTS thing"};
constexpr Statement kCreate{"test_create",
                            "CREATE TABLE thing (id int CONSTRAINT one PRIMARY KEY)"};

PoolOptions One() {
    PoolOptions options = OptionsFor(SharedCluster()->url());
    options.connections = 1;
    return options;
}

Task<void> FreshTable(Pool* pool) {
    std::vector<Call> calls;
    calls.emplace_back(kDrop, Params());
    calls.emplace_back(kCreate, Params());
    co_await pool->QueryTogether(std::move(calls));
}

Task<std::int64_t> CountThings(Pool* pool) {
    const Rows rows = co_await pool->Query(kCount);
    co_return rows[0].Int(0);
}

TEST(Transaction, CommitsRollsBackAndForgets) {
    auto body = [](Pool* pool) -> Task<void> {
        co_await FreshTable(pool);
        auto kept = co_await pool->Begin();
        co_await kept->Query(kInsert, IntParam(1));
        std::int64_t count = co_await CountThings(pool);
        EXPECT_EQ(count, 0);
        co_await kept->Commit();
        auto undone = co_await pool->Begin();
        co_await undone->Query(kInsert, IntParam(2));
        co_await undone->Rollback();
        auto forgotten = co_await pool->Begin();
        co_await forgotten->Query(kInsert, IntParam(3));
        forgotten.reset();
        auto unused = co_await pool->Begin();
        co_await unused->Commit();
        count = co_await CountThings(pool);
        EXPECT_EQ(count, 1);
        EXPECT_LE(pool->stats().exclusive, 2u);
    };
    WithPool(One(), body);
}

TEST(Transaction, CannotCommitAfterAFailedQuery) {
    auto body = [](Pool* pool) -> Task<void> {
        co_await FreshTable(pool);
        auto transaction = co_await pool->Begin();
        co_await transaction->Query(kInsert, IntParam(1));
        auto again = transaction->Query(kInsert, IntParam(1));
        const std::string outcome = co_await Outcome(std::move(again));
        EXPECT_EQ(outcome, "23505");
        std::string sqlstate;
        try {
            co_await transaction->Commit();
        } catch (const QueryError& e) {
            sqlstate = e.sqlstate();
        }
        EXPECT_EQ(sqlstate, "25P02");
        const std::int64_t count = co_await CountThings(pool);
        EXPECT_EQ(count, 0);
        auto next = co_await pool->Begin();
        co_await next->Query(kInsert, IntParam(5));
        co_await next->Commit();
        EXPECT_EQ(pool->stats().exclusive, 1u);
    };
    WithPool(One(), body);
}

TEST(Transaction, WaitsForAConnectionNoLongerThanItsDeadline) {
    PoolOptions options = One();
    options.transactions = 1;
    auto body = [](Pool* pool) -> Task<void> {
        auto first = co_await pool->Begin();
        std::string code;
        try {
            auto second = co_await pool->Begin(milliseconds(50));
        } catch (const DatabaseUnavailable& e) {
            code = e.error.code();
            EXPECT_FALSE(e.outcome_unknown());
        }
        EXPECT_EQ(code, "database_unavailable");
        first.reset();
        auto third = co_await pool->Begin(milliseconds(2000));
        co_await third->Query(kEcho, IntParam(1));
        co_await third->Commit();
    };
    WithPool(options, body);
}

TEST(Transaction, FailsWhenItOutlivesThePool) {
    auto body = [](Pool* pool) -> Task<void> {
        auto transaction = co_await pool->Begin();
        co_await transaction->Query(kEcho, IntParam(1));
        pool->Close();
        auto query = transaction->Query(kEcho, IntParam(2));
        const std::string outcome = co_await Outcome(std::move(query));
        EXPECT_TRUE(outcome == "" || outcome == "database_unavailable") << outcome;
    };
    WithPool(One(), body);
}

}  // namespace
}  // namespace vf::pg
