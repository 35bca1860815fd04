// PostgreSQL goes away and comes back, in every way it can.

#include <signal.h>

#include "pg/pg_testing.hpp"

namespace vf::pg {
namespace {

using std::chrono::milliseconds;

constexpr Statement kOne{"test_one", "SELECT 1"};
constexpr Statement kSleep{"test_sleep", "SELECT pg_sleep(20)"};

struct Load {
    bool stop = false;
    int running = 0;
    int good = 0;
    int unavailable = 0;
    int other = 0;
};

Task<void> AskUntilStopped(Pool* pool, Load* load) {
    while (!load->stop) {
        auto query = pool->Query(kOne);
        const std::string outcome = co_await Outcome(std::move(query));
        if (outcome.empty()) {
            ++load->good;
        } else if (outcome == "database_unavailable") {
            ++load->unavailable;
            co_await Sleep(milliseconds(1));
        } else {
            ++load->other;
        }
    }
    --load->running;
}

Task<void> Start(Pool* pool, Load* load) {
    Executor loop = co_await asio::this_coro::executor;
    constexpr int kCallers = 8;
    for (int i = 0; i < kCallers; ++i) {
        ++load->running;
        Spawn(loop, AskUntilStopped(pool, load), "load");
    }
    while (load->good < 100) co_await Sleep(milliseconds(1));
}

Task<void> Finish(Load* load) {
    load->stop = true;
    while (load->running > 0) co_await Sleep(milliseconds(1));
    EXPECT_GT(load->unavailable, 0);
    EXPECT_EQ(load->other, 0);
}

Task<void> WaitMore(Load* load) {
    const int before = load->good;
    while (load->good < before + 100) co_await Sleep(milliseconds(1));
}

PoolOptions Impatient(TestCluster& cluster) {
    PoolOptions options = OptionsFor(cluster->url());
    options.reconnect_wait = milliseconds(10);
    return options;
}

TEST(Recovery, StoppedAndStartedUnderLoad) {
    static TestCluster cluster;
    auto body = [](Pool* pool) -> Task<void> {
        Load load;
        co_await Start(pool, &load);
        cluster.Stop();
        while (load.unavailable < 10) co_await Sleep(milliseconds(1));
        EXPECT_FALSE(pool->available());
        cluster.Start();
        co_await WaitMore(&load);
        co_await Finish(&load);
    };
    WithPool(Impatient(cluster), body);
    cluster.Stop();
}

TEST(Recovery, AKilledPostmasterIsStartedAgain) {
    static TestCluster cluster;
    auto body = [](Pool* pool) -> Task<void> {
        Load load;
        co_await Start(pool, &load);
        const int first = cluster->process_id();
        ::kill(first, SIGKILL);
        while (cluster->process_id() == 0 || cluster->process_id() == first) {
            co_await Sleep(milliseconds(1));
        }
        co_await WaitMore(&load);
        co_await Finish(&load);
    };
    WithPool(Impatient(cluster), body);
    cluster.Stop();
}

Task<void> SleepLong(Pool* pool, std::string* code, bool* unknown) {
    try {
        co_await pool->Query(kSleep);
    } catch (const DatabaseUnavailable& e) {
        *code = e.error.code();
        *unknown = e.outcome_unknown();
    }
}

constexpr Statement kEndOthers{"test_end_others",
                               "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                               "query LIKE $1 AND pid <> pg_backend_pid()"};

TEST(Recovery, WhatWasInFlightSaysThatItsOutcomeIsUnknown) {
    auto body = [](Pool* pool) -> Task<void> {
        Executor loop = co_await asio::this_coro::executor;
        while (pool->stats().connected < 2) co_await Sleep(milliseconds(1));
        std::string code;
        bool unknown = false;
        Spawn(loop, SleepLong(pool, &code, &unknown), "sleep_long");
        while (code.empty()) {
            co_await pool->Query(kEndOthers, TextParam("%pg_sleep(20)%"));
            co_await Sleep(milliseconds(1));
        }
        EXPECT_EQ(code, "database_unavailable");
        EXPECT_TRUE(unknown);
    };
    WithPool(OptionsFor(SharedCluster()->url()), body);
}

constexpr Statement kNotify{"test_notify", "SELECT pg_notify('state', 'again')"};

TEST(Recovery, ListensAgainAndSaysSo) {
    auto body = [](Pool* pool) -> Task<void> {
        int listening = 0;
        int messages = 0;
        auto callback = [&](const ListenEvent& event) {
            ++(event.kind == ListenEvent::Kind::kListening ? listening : messages);
        };
        co_await pool->Listen("state", callback);
        EXPECT_EQ(listening, 1);
        co_await pool->Query(kEndOthers, TextParam("LISTEN%"));
        while (listening < 2) co_await Sleep(milliseconds(1));
        co_await pool->Query(kNotify);
        while (messages < 1) co_await Sleep(milliseconds(1));
        EXPECT_EQ(messages, 1);
        pool->Close();
    };
    WithPool(OptionsFor(SharedCluster()->url()), body);
}

constexpr Statement kMarked{"test_marked", "SELECT 'marked for its end'"};

TEST(Recovery, ATransactionThatLostItsConnectionFailsAndLeavesNothing) {
    auto body = [](Pool* pool) -> Task<void> {
        auto transaction = co_await pool->Begin();
        co_await transaction->Query(kMarked);
        co_await pool->Query(kEndOthers, TextParam("%marked for its%"));
        auto query = transaction->Query(kOne);
        const std::string outcome = co_await Outcome(std::move(query));
        EXPECT_EQ(outcome, "database_unavailable");
        transaction.reset();
        EXPECT_EQ(pool->stats().exclusive, 0u);
        auto next = co_await pool->Begin();
        co_await next->Query(kOne);
        co_await next->Commit();
    };
    WithPool(OptionsFor(SharedCluster()->url()), body);
}

TEST(Recovery, WithoutADatabaseEverythingIsRefusedInTime) {
    PoolOptions options = OptionsFor("postgresql://nobody@/postgres?host=/nonexistent");
    options.reconnect_wait = milliseconds(20);
    asio::io_context loop;
    Pool pool(loop, options);
    auto body = [](Pool* p) -> Task<void> {
        auto query = p->Query(kOne);
        const std::string outcome = co_await Outcome(std::move(query));
        EXPECT_EQ(outcome, "database_unavailable");
        std::string code;
        try {
            co_await p->WaitAvailable(milliseconds(20));
        } catch (const DatabaseUnavailable& e) {
            code = e.error.code();
            EXPECT_TRUE(e.error.retry_after().has_value());
        }
        EXPECT_EQ(code, "database_unavailable");
        code.clear();
        try {
            auto transaction = co_await p->Begin();
        } catch (const DatabaseUnavailable& e) {
            code = e.error.code();
        }
        EXPECT_EQ(code, "database_unavailable");
        p->Close();
    };
    RunTask(loop, body(&pool));
}

}  // namespace
}  // namespace vf::pg
