// What a caller is told, against a real PostgreSQL.
#include "limits/limits.hpp"

#include <gmock/gmock.h>

#include "limits/limits_testing.hpp"

namespace vf::limits {
namespace {

using testing::HasSubstr;

constexpr Ask kShort{20, 1500};

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
        EXPECT_EQ(tally.code, "allowance_used_up");
        EXPECT_THAT(tally.message, HasSubstr("37 requests a month"));
        EXPECT_THAT(tally.message, HasSubstr("(requests)"));
        EXPECT_THAT(tally.message, HasSubstr("-01T00:00:00Z"));
        // The refusal is at hand, and no question to the database.
        const auto refused = limits->TryAdmit(caller, kShort);
        EXPECT_TRUE(refused && !refused->ok());
        if (refused) EXPECT_EQ(refused->error().status(), 402);
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
        EXPECT_EQ(tally.code, "allowance_used_up");
        EXPECT_THAT(tally.message, HasSubstr("(characters)"));
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
        EXPECT_EQ(tested.code, "allowance_used_up");
        EXPECT_THAT(tested.message, HasSubstr("test allowance"));
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

}  // namespace
}  // namespace vf::limits
