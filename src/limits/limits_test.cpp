// What a caller is told, against a real PostgreSQL.
#include "limits/limits.hpp"

#include <gmock/gmock.h>

#include "limits/limits_testing.hpp"

namespace vf::limits {
namespace {

using testing::HasSubstr;

constexpr Ask kShort{20, 1500};

Plan Requests(std::int64_t requests) {
    Plan plan;
    plan.requests = requests;
    return plan;
}

// Admits and settles `count` requests; the codes of what was refused, by number.
struct Tally {
    int admitted = 0;
    std::int64_t charge = 0;
    std::string last_code;
    std::string last_message;
};
Task<Tally> Use(Limits* limits, Caller caller, int count, Ask ask) {
    Tally tally;
    for (int i = 0; i < count; ++i) {
        Result<Permit> permit = co_await Enter(limits, caller, ask);
        if (!permit) {
            tally.last_code = permit.error().code();
            tally.last_message = permit.error().message();
            continue;
        }
        ++tally.admitted;
        tally.charge += permit->charge_milli();
        permit->Settle(ask.characters, ask.audio_ms_estimate);
    }
    co_return tally;
}

TEST(Limits, TheDemoTeamAndPlansWithoutBoundsNeedNoDatabase) {
    asio::io_context loop;
    Limits limits(loop, {});
    Caller demo;
    demo.kind = Caller::Kind::kDemo;
    demo.team = kDemoTeam;
    demo.plan = std::make_shared<const Plan>();
    auto permit = limits.TryAdmit(demo, {1'000'000, 0});
    ASSERT_TRUE(permit && permit->ok());
    EXPECT_EQ((*permit)->charge_milli(), 0);
    Caller open = demo;
    open.kind = Caller::Kind::kKey;
    open.team = TeamId::New();
    permit = limits.TryAdmit(open, kShort);
    EXPECT_TRUE(permit && permit->ok());
    Caller bounded = open;
    bounded.plan = std::make_shared<const Plan>(Requests(10));
    permit = limits.TryAdmit(bounded, kShort);
    ASSERT_TRUE(permit);
    EXPECT_EQ(CodeOf(*permit), "budget_unavailable");
    EXPECT_EQ(permit->error().retry_after(), seconds(1));
}

TEST(Limits, ATextThatIsTooLongIsTheCallersMistake) {
    asio::io_context loop;
    Limits limits(loop, {});
    Plan plan;
    plan.name = "Small";
    plan.text_characters = 100;
    Caller caller;
    caller.kind = Caller::Kind::kKey;
    caller.team = TeamId::New();
    caller.plan = std::make_shared<const Plan>(plan);
    const auto refused = limits.TryAdmit(caller, {101, 0});
    ASSERT_TRUE(refused && !refused->ok());
    EXPECT_EQ(refused->error().code(), "text_too_long");
    EXPECT_EQ(refused->error().status(), 400);
    EXPECT_THAT(refused->error().message(), HasSubstr("101 characters"));
    EXPECT_THAT(refused->error().message(), HasSubstr("plan Small allows 100"));
    const auto fits = limits.TryAdmit(caller, {100, 0});
    EXPECT_TRUE(fits && fits->ok());
}

TEST(Limits, AsManyAtOnceAsThePlanAllows) {
    asio::io_context loop;
    Limits limits(loop, {});
    Plan plan;
    plan.concurrency = 2;
    Caller caller;
    caller.kind = Caller::Kind::kKey;
    caller.team = TeamId::New();
    caller.plan = std::make_shared<const Plan>(plan);
    auto first = limits.TryAdmit(caller, kShort);
    auto second = limits.TryAdmit(caller, kShort);
    ASSERT_TRUE(first->ok() && second->ok());
    auto third = limits.TryAdmit(caller, kShort);
    EXPECT_EQ(CodeOf(*third), "too_many_concurrent_requests");
    EXPECT_EQ(third->error().status(), 429);
    EXPECT_EQ(third->error().retry_after(), seconds(1));
    Caller other = caller;
    other.team = TeamId::New();
    EXPECT_TRUE(limits.TryAdmit(other, kShort)->ok());
    first.reset();  // unsettled
    third = limits.TryAdmit(caller, kShort);
    EXPECT_TRUE(third->ok());
    (*second)->Settle(1, 1);  // frees the slot though the permit still lives
    (*second)->Settle(1, 1);
    auto fourth = limits.TryAdmit(caller, kShort);
    EXPECT_TRUE(fourth->ok());
    EXPECT_FALSE(limits.TryAdmit(caller, kShort)->ok());
}

TEST(Limits, APermitMayOutliveTheLimits) {
    asio::io_context loop;
    auto limits = std::make_unique<Limits>(loop, LimitsOptions{});
    Plan plan;
    plan.concurrency = 2;
    Caller caller;
    caller.kind = Caller::Kind::kKey;
    caller.plan = std::make_shared<const Plan>(plan);
    auto settled = limits->TryAdmit(caller, kShort);
    auto dropped = limits->TryAdmit(caller, kShort);
    limits.reset();
    (*settled)->Settle(1, 1);
}

TEST(Limits, WarmAdmissionNeedsNoWaiting) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    caller = owner.Customer(Requests(1000));
    world.Run([](World* w) -> Task<void> {
        Limits* limits = w->nodes[0].limits.get();
        EXPECT_FALSE(limits->TryAdmit(caller, kShort));
        Result<Permit> permit = co_await limits->Admit(caller, kShort);
        EXPECT_TRUE(permit.ok());
        for (int i = 0; i < 50; ++i) {
            const auto again = limits->TryAdmit(caller, kShort);
            EXPECT_TRUE(again && again->ok());
        }
        EXPECT_EQ(limits->leases(), 1U);
    });
    EXPECT_EQ(owner.Leased(caller.billing, Metric::kRequests), 0);  // Stop gave it back
}

TEST(Limits, AHardAllowanceIsExact) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    caller = owner.Customer(Requests(37));
    world.Run([](World* w) -> Task<void> {
        Limits* limits = w->nodes[0].limits.get();
        // What was not used comes back.
        for (int i = 0; i < 100; ++i) {
            const Result<Permit> permit = co_await Enter(limits, caller, kShort);
            EXPECT_TRUE(permit.ok());
        }
        const Tally tally = co_await Use(limits, caller, 60, kShort);
        EXPECT_EQ(tally.admitted, 37);
        EXPECT_EQ(tally.charge, 0);
        EXPECT_EQ(tally.last_code, "allowance_used_up");
        EXPECT_THAT(tally.last_message, HasSubstr("37 requests a month"));
        EXPECT_THAT(tally.last_message, HasSubstr("(requests)"));
        EXPECT_THAT(tally.last_message, HasSubstr("-01T00:00:00Z"));
        // The refusal is at hand, and no question to the database.
        const auto refused = limits->TryAdmit(caller, kShort);
        EXPECT_TRUE(refused && !refused->ok());
        if (refused) EXPECT_EQ(refused->error().status(), 402);
    });
}

TEST(Limits, SeveralNodesShareAnAllowance) {
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

TEST(Limits, NodesThatAskAtOnceGetTogetherWhatThereIs) {
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

TEST(Limits, RequestsAndCharactersBindAtOnce) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    Plan plan = Requests(100);
    plan.characters = 1000;
    caller = owner.Customer(plan);
    world.Run([](World* w) -> Task<void> {
        Limits* limits = w->nodes[0].limits.get();
        const Tally tally = co_await Use(limits, caller, 20, Ask{90, 0});
        EXPECT_EQ(tally.admitted, 11);
        EXPECT_EQ(tally.last_code, "allowance_used_up");
        EXPECT_THAT(tally.last_message, HasSubstr("(characters)"));
        // A shorter text still fits.
        const Tally rest = co_await Use(limits, caller, 1, Ask{10, 0});
        EXPECT_EQ(rest.admitted, 1);
        // The refused ones left the requests as they were: 88 of 100 are left.
        const Tally silent = co_await Use(limits, caller, 100, Ask{0, 0});
        EXPECT_EQ(silent.admitted, 88);
    });
}

TEST(Limits, BeyondAnAllowanceWithAPriceIsCharged) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    Plan plan = Requests(3);
    plan.over_request_milli = 100;
    plan.characters = 100;
    plan.over_character_milli = 7;
    caller = owner.Customer(plan);
    world.Run([](World* w) -> Task<void> {
        Limits* limits = w->nodes[0].limits.get();
        const std::int64_t expected[] = {0, 0, (120 - 100) * 7, 100 + 40 * 7, 100 + 40 * 7};
        for (const std::int64_t charge : expected) {
            Result<Permit> permit = co_await Enter(limits, caller, Ask{40, 0});
            EXPECT_TRUE(permit.ok());
            if (!permit) continue;
            EXPECT_EQ(permit->charge_milli(), charge);
            permit->Settle(40, 0);
            EXPECT_EQ(permit->charge_milli(), charge);
        }
        // A stream that is broken off costs what was spoken.
        Result<Permit> permit = co_await Enter(limits, caller, Ask{40, 0});
        EXPECT_EQ(permit->charge_milli(0, 0), 100);
        EXPECT_EQ(permit->charge_milli(10, 0), 170);
        permit->Settle(10, 0);
        EXPECT_EQ(permit->charge_milli(), 170);
    });
}

TEST(Limits, AudioBeyondTheEstimateIsNotChargedWhileTheAllowanceLasts) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    Plan plan;
    plan.audio_ms = 60'000;
    plan.over_audio_second_milli = 500;
    caller = owner.Customer(plan);
    world.Run([](World* w) -> Task<void> {
        Limits* limits = w->nodes[0].limits.get();
        Result<Permit> first = co_await Enter(limits, caller, Ask{10, 1000});
        EXPECT_EQ(first->charge_milli(10, 50'000), 0);
        first->Settle(10, 50'000);
        // 10 s are left: the next has its 20 s in part.
        Result<Permit> second = co_await Enter(limits, caller, Ask{10, 20'000});
        EXPECT_EQ(second->charge_milli(), 10 * 500);
        EXPECT_EQ(second->charge_milli(10, 10'001), 1);  // a part of a second, rounded up
        second->Settle(10, 20'000);
        Result<Permit> third = co_await Enter(limits, caller, Ask{10, 1000});
        EXPECT_EQ(third->charge_milli(), 500);
    });
}

TEST(Limits, TestUsageHasItsOwnBudgetAndIsNeverBilled) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller live;
    static Caller test;
    Plan plan = Requests(5);
    plan.over_request_milli = 100;
    live = owner.Customer(plan);
    test = live;
    test.live = false;
    world.Run([](World* w) -> Task<void> {
        Limits* limits = w->nodes[0].limits.get();
        const Tally tested = co_await Use(limits, test, 8, kShort);
        EXPECT_EQ(tested.admitted, 5);
        EXPECT_EQ(tested.charge, 0);
        EXPECT_EQ(tested.last_code, "allowance_used_up");
        EXPECT_THAT(tested.last_message, HasSubstr("test allowance"));
        const Tally lived = co_await Use(limits, live, 8, kShort);
        EXPECT_EQ(lived.admitted, 8);
        EXPECT_EQ(lived.charge, 300);
    });
}

TEST(Limits, AnAllowanceRenewsWithTheMonth) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    caller = owner.Customer(Requests(4));
    world.Run([](World* w) -> Task<void> {
        Limits* limits = w->nodes[0].limits.get();
        const Tally before = co_await Use(limits, caller, 6, kShort);
        EXPECT_EQ(before.admitted, 4);
        // A permit of the old month is settled in the new one.
        w->wall_offset += std::chrono::hours(24 * 31);
        const Tally after = co_await Use(limits, caller, 6, kShort);
        EXPECT_EQ(after.admitted, 4);
        co_await limits->TendNow();
    });
    EXPECT_EQ(owner.Number("SELECT count(*) FROM budgets WHERE subject_id = $1",
                           {caller.billing.uuid.Dashed()}),
              2);
}

TEST(Limits, AnUpgradeHelpsAtOnce) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    caller = owner.Customer(Requests(4));
    static Owner* own;
    own = &owner;
    world.Run([](World* w) -> Task<void> {
        Limits* limits = w->nodes[0].limits.get();
        const Tally before = co_await Use(limits, caller, 6, kShort);
        EXPECT_EQ(before.admitted, 4);
        Plan larger = *caller.plan;
        larger.requests = 10;
        own->Put(larger);
        caller.plan = std::make_shared<const Plan>(larger);
        limits->PlanChanged(caller.billing);
        const Tally after = co_await Use(limits, caller, 10, kShort);
        EXPECT_EQ(after.admitted, 6);
        // Back again: what was used is more than the bound now.
        larger.requests = 5;
        own->Put(larger);
        limits->PlansChanged();
        const Tally smaller = co_await Use(limits, caller, 3, kShort);
        EXPECT_EQ(smaller.admitted, 0);
        // No bound at all, of which the caller does not know yet.
        larger.requests = std::nullopt;
        own->Put(larger);
        limits->PlanChanged(caller.billing);
        const Tally open = co_await Use(limits, caller, 20, kShort);
        EXPECT_EQ(open.admitted, 20);
    });
}

Task<void> EnterAndCount(Limits* limits, Caller caller, std::map<std::string, int>* codes) {
    const Result<Permit> permit = co_await Enter(limits, caller, kShort);
    ++(*codes)[CodeOf(permit)];
}

TEST(Limits, ManyAtOnceWaitForOneAnswerAndNotMoreThanMayWait) {
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

TEST(Limits, AnIdleLeaseGoesBackAndIsForgotten) {
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

TEST(Limits, WhatAnUnansweredStatementLeftBehindIsPutRight) {
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

TEST(Limits, ANodeThatCouldNotRenewDoesNotUseWhatOthersMayHave) {
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
        EXPECT_EQ(mine.last_code, "allowance_used_up");
        permit->Settle(20, 0);  // of the time before; changes nothing now
        const Tally again = co_await Use(first, caller, 5, kShort);
        EXPECT_EQ(again.admitted, 0);
    });
}

TEST(Limits, NoRoomForAnotherBudgetIsNoFreePass) {
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
        EXPECT_EQ(two.last_code, "budget_unavailable");
        w->steady_offset += seconds(31);
        co_await limits->TendNow();
        co_await limits->TendNow();
        const Tally later = co_await Use(limits, second, 1, kShort);
        EXPECT_EQ(later.admitted, 1);
    });
}

}  // namespace
}  // namespace vf::limits
