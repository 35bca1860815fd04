#include "pg/pg.hpp"

#include "pg/pg_testing.hpp"

namespace vf::pg {
namespace {

using std::chrono::milliseconds;

constexpr Statement kEcho{"test_echo", "SELECT $1::bigint"};
constexpr Statement kEchoAll{"test_echo_all",
                             "SELECT $1::text, $2::bigint, $3::double precision, $4::boolean, "
                             "$5::bytea, $6::text"};
constexpr Statement kDivide{"test_divide", "SELECT 1 / $1::int"};
constexpr Statement kSleep{"test_sleep", "SELECT pg_sleep($1::double precision)"};
constexpr Statement kSleeping{"test_sleeping",
                              "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND "
                              "query LIKE '%pg_sleep($1%' AND pid <> pg_backend_pid()"};
constexpr Statement kCount{"test_count", "SELECT count(*) FROM thing"};
constexpr Statement kInsert{"test_insert", "INSERT INTO thing (id) VALUES ($1::int)"};
constexpr Statement kDrop{"test_drop", "DROP TABLE IF EXISTS thing"};
constexpr Statement kCreate{"test_create",
                            "CREATE TABLE thing (id int CONSTRAINT one PRIMARY KEY)"};
constexpr Statement kPrepares{"test_prepares",
                              "SELECT count(*) FROM pg_prepared_statements WHERE name = $1"};

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

TEST(Pool, CarriesEveryTypeBothWays) {
    auto body = [](Pool* pool) -> Task<void> {
        const std::string bytes("\0\x01\xff'\\", 5);
        Params params;
        params.Text("Grüße 'x'").Int(-9007199254740993).Double(0.1).Bool(true).Bytes(bytes).Null();
        const Rows rows = co_await pool->Query(kEchoAll, std::move(params));
        EXPECT_EQ(rows.size(), 1u);
        EXPECT_EQ(rows[0].Text(0), "Grüße 'x'");
        EXPECT_EQ(rows[0].Int(1), -9007199254740993);
        EXPECT_EQ(rows[0].Double(2), 0.1);
        EXPECT_TRUE(rows[0].Bool(3));
        EXPECT_EQ(rows[0].Bytes(4), bytes);
        EXPECT_TRUE(rows[0].IsNull(5));
        EXPECT_EQ(rows[0].MaybeText(5), std::nullopt);
        EXPECT_THROW(rows[0].Text(5), QueryError);
        EXPECT_THROW(rows[0].Int(0), QueryError);
        EXPECT_THROW(rows[0].Text(6), QueryError);
    };
    WithPool(One(), body);
    EXPECT_THROW(Params().Text(std::string_view("a\0b", 3)), QueryError);
}

struct Tally {
    int wrong = 0;
    int running = 0;
};

Task<void> AskMany(Pool* pool, Tally* tally, int first, int count) {
    for (int i = first; i < first + count; ++i) {
        const Rows rows = co_await pool->Query(kEcho, IntParam(i));
        if (rows[0].Int(0) != i) ++tally->wrong;
    }
    --tally->running;
}

TEST(Pool, TenThousandInterleavedQueriesNeverCross) {
    PoolOptions options = One();
    options.pipeline_depth = 16;  // fewer than callers: waiting for room is part of it
    auto body = [](Pool* pool) -> Task<void> {
        Tally tally;
        Executor loop = co_await asio::this_coro::executor;
        constexpr int kCallers = 50;
        constexpr int kEach = 200;
        for (int caller = 0; caller < kCallers; ++caller) {
            ++tally.running;
            Spawn(loop, AskMany(pool, &tally, caller * kEach, kEach), "ask_many");
        }
        while (tally.running > 0) co_await Sleep(milliseconds(1));
        EXPECT_EQ(tally.wrong, 0);
        EXPECT_EQ(pool->stats().queries, static_cast<std::uint64_t>(kCallers * kEach));
        EXPECT_EQ(pool->stats().in_flight, 0u);
        const Rows prepared = co_await pool->Query(kPrepares, TextParam("test_echo"));
        EXPECT_EQ(prepared[0].Int(0), 1);
    };
    WithPool(options, body);
}

Task<void> Keep(Task<std::string> outcome, std::string* result, int* running) {
    *result = co_await std::move(outcome);
    --*running;
}

TEST(Pool, AnErrorInTheMiddleFailsOnlyItsOwnQuery) {
    auto body = [](Pool* pool) -> Task<void> {
        Executor loop = co_await asio::this_coro::executor;
        std::vector<std::string> results(9, "pending");
        int running = 9;
        for (std::size_t i = 0; i < results.size(); ++i) {
            auto query = pool->Query(kDivide, IntParam(i % 3 == 1 ? 0 : 1));
            Spawn(loop, Keep(Outcome(std::move(query)), &results[i], &running), "keep");
        }
        while (running > 0) co_await Sleep(milliseconds(1));
        for (std::size_t i = 0; i < results.size(); ++i) {
            EXPECT_EQ(results[i], i % 3 == 1 ? "22012" : "") << i;
        }
    };
    WithPool(One(), body);
}

constexpr Statement kBad{"test_bad", "SELECT nonsense FROM nowhere"};

TEST(Pool, AStatementSkippedWhilePreparingIsPreparedAgain) {
    auto body = [](Pool* pool) -> Task<void> {
        Executor loop = co_await asio::this_coro::executor;
        // kEcho is first named in a segment that fails before it; the other two are in flight by
        // then and count on it.
        std::vector<Call> calls;
        calls.emplace_back(kBad, Params());
        calls.emplace_back(kEcho, IntParam(1));
        std::string together = "pending";
        std::string first = "pending";
        std::string second = "pending";
        int running = 3;
        auto one = [](Pool* p, std::vector<Call> list) -> Task<Rows> {
            std::vector<Rows> rows = co_await p->QueryTogether(std::move(list));
            co_return std::move(rows.back());
        };
        auto all = one(pool, std::move(calls));
        Spawn(loop, Keep(Outcome(std::move(all)), &together, &running), "keep");
        auto query = pool->Query(kEcho, IntParam(2));
        Spawn(loop, Keep(Outcome(std::move(query)), &first, &running), "keep");
        auto another = pool->Query(kEcho, IntParam(3));
        Spawn(loop, Keep(Outcome(std::move(another)), &second, &running), "keep");
        while (running > 0) co_await Sleep(milliseconds(1));
        EXPECT_EQ(together, "42P01");
        EXPECT_EQ(first, "");
        EXPECT_EQ(second, "");
        EXPECT_EQ(pool->stats().connected, 1u);
    };
    WithPool(One(), body);
}

constexpr Statement kStar{"test_star", "SELECT * FROM thing"};
constexpr Statement kWiden{"test_widen", "ALTER TABLE thing ADD COLUMN more text"};

TEST(Pool, APlanChangedByAMigrationIsMadeAnew) {
    auto body = [](Pool* pool) -> Task<void> {
        co_await FreshTable(pool);
        co_await pool->Query(kInsert, IntParam(1));
        co_await pool->Query(kStar);
        co_await pool->Query(kWiden);
        const Rows rows = co_await pool->Query(kStar);
        EXPECT_TRUE(rows[0].IsNull(1));
    };
    WithPool(One(), body);
}

TEST(Pool, ADeadlineEndsTheWaitAndTheStatement) {
    PoolOptions options = OptionsFor(SharedCluster()->url());
    options.connections = 2;
    auto body = [](Pool* pool) -> Task<void> {
        while (pool->stats().connected < 2) co_await Sleep(milliseconds(1));
        Params params;
        params.Double(30);
        const auto start = std::chrono::steady_clock::now();
        auto query = pool->Query(kSleep, std::move(params), milliseconds(100));
        const std::string outcome = co_await Outcome(std::move(query));
        EXPECT_EQ(outcome, "database_timeout");
        EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(1500));
        // Cancelled through the other connection, so that this one stays.
        while (pool->stats().in_flight > 0) co_await Sleep(milliseconds(1));
        EXPECT_EQ(pool->stats().connected, 2u);
        EXPECT_EQ(pool->stats().connects, 2u);
        EXPECT_EQ(pool->stats().timeouts, 1u);
        const Rows rows = co_await pool->Query(kEcho, IntParam(7));
        EXPECT_EQ(rows[0].Int(0), 7);
    };
    WithPool(options, body);
}

TEST(Pool, AStatementThatHangsOnTheOnlyConnectionCostsTheConnection) {
    PoolOptions options = One();
    options.reconnect_wait = milliseconds(5000);
    auto body = [](Pool* pool) -> Task<void> {
        Params params;
        params.Double(30);
        auto query = pool->Query(kSleep, std::move(params), milliseconds(50));
        const std::string outcome = co_await Outcome(std::move(query));
        EXPECT_EQ(outcome, "database_timeout");
        const Rows rows = co_await pool->Query(kEcho, IntParam(7));
        EXPECT_EQ(rows[0].Int(0), 7);
        EXPECT_EQ(pool->stats().connects, 2u);
        // And PostgreSQL no longer works on it.
        for (;;) {
            const Rows active = co_await pool->Query(kSleeping);
            if (active[0].Int(0) == 0) break;
            co_await Sleep(milliseconds(1));
        }
    };
    WithPool(options, body);
}

TEST(Pool, RefusesWhenTooManyWait) {
    PoolOptions options = One();
    options.pipeline_depth = 1;
    options.waiting = 1;
    auto body = [](Pool* pool) -> Task<void> {
        Executor loop = co_await asio::this_coro::executor;
        Params params;
        params.Double(0.3);
        std::string running_one = "pending";
        std::string waiting_one = "pending";
        int running = 2;
        auto slow = pool->Query(kSleep, std::move(params));
        Spawn(loop, Keep(Outcome(std::move(slow)), &running_one, &running), "keep");
        auto waits = pool->Query(kEcho, IntParam(1));
        Spawn(loop, Keep(Outcome(std::move(waits)), &waiting_one, &running), "keep");
        while (pool->stats().waiting == 0) co_await Sleep(milliseconds(1));
        auto refused = pool->Query(kEcho, IntParam(2));
        const std::string outcome = co_await Outcome(std::move(refused));
        EXPECT_EQ(outcome, "database_unavailable");
        while (running > 0) co_await Sleep(milliseconds(1));
        EXPECT_EQ(running_one, "");
        EXPECT_EQ(waiting_one, "");
    };
    WithPool(options, body);
}

TEST(Pool, WhatIsSentTogetherHappensTogether) {
    auto body = [](Pool* pool) -> Task<void> {
        co_await FreshTable(pool);
        std::vector<Call> calls;
        calls.emplace_back(kInsert, IntParam(1));
        calls.emplace_back(kInsert, IntParam(1));
        std::string sqlstate;
        std::string constraint;
        try {
            co_await pool->QueryTogether(std::move(calls));
        } catch (const QueryError& e) {
            sqlstate = e.sqlstate();
            constraint = e.constraint();
        }
        EXPECT_EQ(sqlstate, "23505");
        EXPECT_EQ(constraint, "one");
        std::int64_t count = co_await CountThings(pool);
        EXPECT_EQ(count, 0);
        std::vector<Call> good;
        good.emplace_back(kInsert, IntParam(1));
        good.emplace_back(kCount, Params());
        const std::vector<Rows> rows = co_await pool->QueryTogether(std::move(good));
        EXPECT_EQ(rows.size(), 2u);
        EXPECT_EQ(rows[0].affected(), 1);
        EXPECT_EQ(rows[1][0].Int(0), 1);
    };
    WithPool(One(), body);
}

constexpr Statement kNotify{"test_notify", "SELECT pg_notify('news', $1)"};

TEST(Pool, ListensAndHearsWhatIsNotified) {
    auto body = [](Pool* pool) -> Task<void> {
        std::vector<std::string> heard;
        auto callback = [&heard](const ListenEvent& event) {
            const bool message = event.kind == ListenEvent::Kind::kMessage;
            heard.push_back(message ? event.payload : "(listening)");
        };
        const bool in_force = co_await pool->Listen("news", callback);
        EXPECT_TRUE(in_force);
        co_await pool->Query(kNotify, TextParam("one"));
        co_await pool->Query(kNotify, TextParam("two"));
        while (heard.size() < 3) co_await Sleep(milliseconds(1));
        EXPECT_EQ(heard, (std::vector<std::string>{"(listening)", "one", "two"}));
        std::string refusal;
        try {
            co_await pool->Listen("x; DROP TABLE y", callback);
        } catch (const std::invalid_argument& e) {
            refusal = e.what();
        }
        EXPECT_NE(refusal, "");
        pool->Close();
    };
    WithPool(One(), body);
}

TEST(Pool, TakesTheUrlFromTheUsualVariable) {
    PoolOptions pool;
    PrivateClusterOptions cluster;
    SettingsSchema schema;
    DeclareSettings(schema, pool);
    DeclareSettings(schema, cluster);
    const char* const environment[] = {"DATABASE_URL=postgresql://x",
                                       "VOICEFLOW_DATABASE_BIN_DIR=/b"};
    ASSERT_TRUE(schema.Load("", environment, {}));
    EXPECT_EQ(pool.url, "postgresql://x");
    EXPECT_EQ(cluster.bin_dir, "/b");
    EXPECT_EQ(schema.Document().find("postgresql://x"), std::string::npos);
}

TEST(Pool, SaysThatItIsClosed) {
    auto body = [](Pool* pool) -> Task<void> {
        pool->Close();
        auto query = pool->Query(kEcho, IntParam(1));
        const std::string outcome = co_await Outcome(std::move(query));
        EXPECT_EQ(outcome, "database_unavailable");
    };
    WithPool(One(), body);
}

}  // namespace
}  // namespace vf::pg
