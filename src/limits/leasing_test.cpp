// How nodes take, keep and give back what they admit from, against a real PostgreSQL.
#include <gmock/gmock.h>

#include <map>

#include "limits/limits_testing.hpp"

namespace vf::limits {
namespace {

constexpr Ask kShort{20, 1500};

TEST(Leasing, SeveralNodesShareAnAllowance) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    for (int i = 0; i < 3; ++i) world.Add();
    static Caller caller;
    caller = owner.Customer(Requests(500));
    world.Run([](World* w) -> Task<void> {
        int admitted = 0;
        for (int i = 0; i < 600; ++i) {
            Limits* limits = w->nodes[static_cast<std::size_t>(i) % 3].limits.get();
            const Tally tally = co_await Use(limits, caller, 1, kShort);
            admitted += tally.admitted;
        }
        // Blocks get small towards the end, so that little is stuck in other nodes' leases.
        EXPECT_LE(admitted, 500);
        EXPECT_GE(admitted, 490);
    });
}

struct Race {
    World* world;
    Caller caller;
    int admitted = 0;
    int running = 0;
};
Task<void> RunRace(Race* race, std::size_t node) {
    Limits* const limits = race->world->nodes[node].limits.get();
    const Tally tally = co_await Use(limits, race->caller, 60, kShort);
    race->admitted += tally.admitted;
    --race->running;
}

TEST(Leasing, NodesThatAskAtOnceGetTogetherWhatThereIs) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.options.block_requests = 1;  // a question for every request
    for (int i = 0; i < 5; ++i) world.Add();
    static Race race;
    race = {&world, owner.Customer(Requests(200)), 0, 0};
    world.Run([](World* w) -> Task<void> {
        const Executor loop = co_await asio::this_coro::executor;
        for (std::size_t node = 0; node < w->nodes.size(); ++node) {
            ++race.running;
            Spawn(loop, RunRace(&race, node), "race");
        }
        while (race.running > 0) co_await Sleep(milliseconds(1));
        EXPECT_EQ(race.admitted, 200);
    });
}

Task<void> EnterAndCount(Limits* limits, Caller caller, std::map<std::string, int>* codes) {
    const Result<Permit> permit = co_await Enter(limits, caller, kShort);
    ++(*codes)[CodeOf(permit)];
}

TEST(Leasing, ManyAtOnceWaitForOneAnswerAndNotMoreThanMayWait) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.options.waiting = 100;
    world.Add();
    static Caller caller;
    caller = owner.Customer(Requests(100'000));
    world.Run([](World* w) -> Task<void> {
        std::map<std::string, int> codes;
        const Executor loop = co_await asio::this_coro::executor;
        for (int i = 0; i < 500; ++i) {
            Spawn(loop, EnterAndCount(w->nodes[0].limits.get(), caller, &codes), "enter");
        }
        while (codes[""] + codes["budget_unavailable"] < 500) co_await Sleep(milliseconds(1));
        EXPECT_EQ(codes[""], 101);
        EXPECT_EQ(codes["budget_unavailable"], 399);
    });
}

TEST(Leasing, AnIdleLeaseGoesBackAndIsForgotten) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    static Owner* own;
    own = &owner;
    caller = owner.Customer(Requests(1000));
    world.Run([](World* w) -> Task<void> {
        Limits* limits = w->nodes[0].limits.get();
        const Tally tally = co_await Use(limits, caller, 5, kShort);
        EXPECT_EQ(tally.admitted, 5);
        EXPECT_EQ(own->Leased(caller.billing, Metric::kRequests), 125);
        co_await limits->TendNow();
        EXPECT_EQ(own->Leased(caller.billing, Metric::kRequests), 125);
        w->steady_offset += seconds(31);
        co_await limits->TendNow();
        // The five that were settled are kept back until their rows come.
        EXPECT_EQ(own->Leased(caller.billing, Metric::kRequests), 5);
        EXPECT_EQ(limits->leases(), 0U);
        std::vector<usage::IngestTotals> totals;
        totals.push_back(TotalsOf(caller, w->nodes[0].id, w->Month(), 5));
        co_await Ingest(w->nodes[0].database.get(), std::move(totals));
        EXPECT_EQ(own->Leased(caller.billing, Metric::kRequests), 0);
        EXPECT_EQ(own->Used(Subject::kBilling, caller.billing.uuid, Metric::kRequests), 5);
    });
}

TEST(Leasing, WhatAnUnansweredStatementLeftBehindIsPutRight) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    static Owner* own;
    own = &owner;
    caller = owner.Customer(Requests(1000));
    world.Run([](World* w) -> Task<void> {
        Limits* limits = w->nodes[0].limits.get();
        Result<Permit> permit = co_await Enter(limits, caller, kShort);
        own->Run(
            "UPDATE leases SET units = units + 300 WHERE budget_id IN "
            "(SELECT id FROM budgets WHERE subject_id = $1)",
            {caller.billing.uuid.Dashed()});
        w->steady_offset += seconds(29);
        co_await limits->TendNow();
        const Tally tally = co_await Use(limits, caller, 1, kShort);
        EXPECT_EQ(tally.admitted, 1);
        for (int i = 0; i < 10; ++i) {
            w->steady_offset += seconds(29);
            co_await limits->TendNow();
            const Result<Permit> busy = co_await Enter(limits, caller, kShort);
            EXPECT_TRUE(busy.ok());
        }
        // The open lease holds what the node knows of (124 of 125, one is settled); the rest is
        // closed and comes back by itself.
        EXPECT_EQ(own->Number("SELECT sum(units)::bigint FROM leases l JOIN budgets b ON "
                              "b.id = l.budget_id WHERE b.subject_id = $1 AND expires_at IS NULL",
                              {caller.billing.uuid.Dashed()}),
                  124);
        EXPECT_EQ(own->Leased(caller.billing, Metric::kRequests), 425);
    });
}

TEST(Leasing, ANodeThatCouldNotRenewDoesNotUseWhatOthersMayHave) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    world.Add();
    static Caller caller;
    static Owner* own;
    own = &owner;
    caller = owner.Customer(Requests(80));
    world.Run([](World* w) -> Task<void> {
        Limits* first = w->nodes[0].limits.get();
        Limits* second = w->nodes[1].limits.get();
        Result<Permit> permit = co_await Enter(first, caller, kShort);
        own->Expire(w->nodes[0].id);
        w->steady_offset += seconds(61);  // so that the first knows it, too
        const Tally others = co_await Use(second, caller, 100, kShort);
        EXPECT_EQ(others.admitted, 80);
        const Tally mine = co_await Use(first, caller, 5, kShort);
        EXPECT_EQ(mine.admitted, 0);
        EXPECT_EQ(mine.code, "allowance_used_up");
        permit->Settle(20, 0);  // of the time before; changes nothing now
        const Tally again = co_await Use(first, caller, 5, kShort);
        EXPECT_EQ(again.admitted, 0);
    });
}

TEST(Leasing, NoRoomForAnotherBudgetIsNoFreePass) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.options.budgets = 1;
    world.Add();
    static Caller first;
    static Caller second;
    first = owner.Customer(Requests(10));
    second = owner.Customer(Requests(10));
    world.Run([](World* w) -> Task<void> {
        Limits* limits = w->nodes[0].limits.get();
        const Tally one = co_await Use(limits, first, 1, kShort);
        EXPECT_EQ(one.admitted, 1);
        const Tally two = co_await Use(limits, second, 1, kShort);
        EXPECT_EQ(two.code, "budget_unavailable");
        w->steady_offset += seconds(31);
        co_await limits->TendNow();
        co_await limits->TendNow();
        const Tally later = co_await Use(limits, second, 1, kShort);
        EXPECT_EQ(later.admitted, 1);
    });
}

TEST(Leasing, WhatNobodyNeedsIsSwept) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    static Owner* own;
    own = &owner;
    caller = owner.Customer(Requests(1000));
    world.Run([](World* w) -> Task<void> {
        Limits* limits = w->nodes[0].limits.get();
        const Tally tally = co_await Use(limits, caller, 1, kShort);
        EXPECT_EQ(tally.admitted, 1);
        own->Run("INSERT INTO lease_holders (id, node_id, expires_at) "
                 "VALUES ($1, $1, now() - interval '8 days')",
                 {caller.team.uuid.Dashed()});
        own->Run("INSERT INTO leases (id, budget_id, holder_id, units) SELECT $1, id, $1, 5 "
                 "FROM budgets WHERE subject_id = $2",
                 {caller.team.uuid.Dashed(), caller.billing.uuid.Dashed()});
        own->Run("INSERT INTO budgets (id, subject, subject_id, team_id, metric, period, live) "
                 "VALUES ($1, 'team', $1, $1, 'requests', '2020-01-01', true)",
                 {caller.team.uuid.Dashed()});
        w->steady_offset += seconds(61);
        co_await limits->TendNow();
        w->steady_offset += seconds(61);
        co_await limits->TendNow();
        for (const char* table : {"lease_holders", "leases", "budgets"}) {
            EXPECT_EQ(own->Number("SELECT count(*) FROM " + std::string(table) + " WHERE id = $1",
                                  {caller.team.uuid.Dashed()}),
                      0)
                << table;
        }
        EXPECT_EQ(own->Number("SELECT count(*) FROM budgets WHERE subject_id = $1",
                              {caller.billing.uuid.Dashed()}),
                  1);
    });
}

}  // namespace
}  // namespace vf::limits
