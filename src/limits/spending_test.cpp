// Spending bounds, and a database that is away.
#include <gmock/gmock.h>

#include "limits/limits_testing.hpp"

namespace vf::limits {
namespace {

using testing::HasSubstr;

constexpr Ask kShort{20, 1500};

Plan Priced() {
    Plan plan;
    plan.requests = 2;
    plan.over_request_milli = 100;
    return plan;
}

Task<void> Bound(World* world, Caller caller, Subject subject, std::int64_t milli, bool hard) {
    SpendingBound bound{subject, subject == Subject::kKey ? caller.key->uuid : caller.team.uuid,
                        milli, hard};
    pg::TeamDb team = world->nodes[0].database->Team(caller.team);
    const Result<void> set = co_await SetSpendingBound(team, bound);
    EXPECT_TRUE(set.ok());
}

TEST(Spending, ATeamIsBoundExactly) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    caller = owner.Customer(Priced());
    world.Run([](World* w) -> Task<void> {
        co_await Bound(w, caller, Subject::kTeam, 550, true);
        const Tally tally = co_await Use(w->nodes[0].limits.get(), caller, 20, kShort);
        EXPECT_EQ(tally.admitted, 2 + 5);
        EXPECT_EQ(tally.charge, 500);
        EXPECT_EQ(tally.code, "spending_bound_reached");
        EXPECT_THAT(tally.message, HasSubstr("The team may cost at most 0.00550 USD"));
    });
}

TEST(Spending, AKeyIsBoundWithinItsTeam) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    caller = owner.Customer(Priced());
    world.Run([](World* w) -> Task<void> {
        Limits* limits = w->nodes[0].limits.get();
        co_await Bound(w, caller, Subject::kTeam, 500, true);
        co_await Bound(w, caller, Subject::kKey, 200, true);
        const Tally tally = co_await Use(limits, caller, 20, kShort);
        EXPECT_EQ(tally.admitted, 2 + 2);
        EXPECT_THAT(tally.message, HasSubstr("The API key"));
        // Another way into the team is bound by the team only.
        Caller session = caller;
        session.key = std::nullopt;
        const Tally rest = co_await Use(limits, session, 20, kShort);
        EXPECT_EQ(rest.admitted, 3);
        EXPECT_THAT(rest.message, HasSubstr("The team"));
    });
}

TEST(Spending, ASoftBoundOnlyAlerts) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    caller = owner.Customer(Priced());
    world.Run([](World* w) -> Task<void> {
        co_await Bound(w, caller, Subject::kTeam, 100, false);
        const Tally tally = co_await Use(w->nodes[0].limits.get(), caller, 20, kShort);
        EXPECT_EQ(tally.admitted, 20);
        EXPECT_EQ(tally.charge, 1800);
    });
}

TEST(Spending, AChangedBoundIsSeen) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    caller = owner.Customer(Priced());
    world.Run([](World* w) -> Task<void> {
        Limits* limits = w->nodes[0].limits.get();
        const Tally open = co_await Use(limits, caller, 5, kShort);
        EXPECT_EQ(open.charge, 300);
        // What was spent before the bound counts, once its rows have come.
        std::vector<usage::IngestTotals> totals;
        totals.push_back(TotalsOf(caller, w->nodes[0].id, w->Month(), 5, 100, 7500, 300));
        co_await Ingest(w->nodes[0].database.get(), std::move(totals));
        co_await Bound(w, caller, Subject::kTeam, 450, true);
        limits->SpendingBoundChanged(caller.team.uuid);
        const Tally bound = co_await Use(limits, caller, 5, kShort);
        EXPECT_EQ(bound.admitted, 1);
        co_await Bound(w, caller, Subject::kTeam, 10'000, true);
        limits->SpendingBoundChanged(caller.team.uuid);
        const Tally raised = co_await Use(limits, caller, 5, kShort);
        EXPECT_EQ(raised.admitted, 5);
        // And without a call, after a while.
        const bool removed = co_await RemoveSpendingBound(w->nodes[0].database->Team(caller.team),
                                                          Subject::kTeam, caller.team.uuid);
        EXPECT_TRUE(removed);
        w->steady_offset += seconds(50);
        co_await limits->TendNow();
        w->steady_offset += seconds(50);
        const Tally looked = co_await Use(limits, caller, 1, kShort);
        EXPECT_EQ(looked.admitted, 1);
        const Tally free = co_await Use(limits, caller, 200, kShort);
        EXPECT_EQ(free.admitted, 200);
    });
}

TEST(Spending, BoundsBelongToTheirTeam) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller mine;
    static Caller other;
    mine = owner.Customer(Priced());
    other = owner.Customer(Priced());
    world.Run([](World* w) -> Task<void> {
        pg::TeamDb team = w->nodes[0].database->Team(mine.team);
        SpendingBound foreign{Subject::kKey, other.key->uuid, 1, true};
        const Result<void> refused = co_await SetSpendingBound(team, foreign);
        EXPECT_FALSE(refused.ok());
        if (!refused) EXPECT_EQ(refused.error().code(), "key_not_found");
        SpendingBound negative{Subject::kTeam, {}, -1, true};
        const Result<void> invalid = co_await SetSpendingBound(team, negative);
        EXPECT_FALSE(invalid.ok());
        co_await Bound(w, other, Subject::kTeam, 7, true);
        co_await Bound(w, other, Subject::kKey, 8, false);
        const auto none = co_await ReadSpendingBounds(team);
        EXPECT_TRUE(none.empty());
        const bool removed = co_await RemoveSpendingBound(team, Subject::kKey, other.key->uuid);
        EXPECT_FALSE(removed);
        const auto two = co_await ReadSpendingBounds(w->nodes[0].database->Team(other.team));
        EXPECT_EQ(two.size(), 2U);
        if (two.size() == 2) {
            EXPECT_EQ(two[0].subject, Subject::kTeam);
            EXPECT_EQ(two[0].bound_milli, 7);
            EXPECT_EQ(two[1].subject_id, other.key->uuid);
            EXPECT_FALSE(two[1].hard);
        }
    });
    EXPECT_GE(owner.Number("SELECT count(*) FROM access_changes WHERE kind = 'spending_bounds' "
                           "AND subject = $1",
                           {other.key->uuid.Dashed()}),
              1);
}

// What goes on without the database, and what does not.
TEST(Spending, WithoutTheDatabaseNothingBoundedGoesUnmetered) {
    static pg::TestCluster cluster;
    const pg::RoleUrls urls = PrepareDatabase(cluster->url());
    static Caller hard;
    static Caller priced;
    static Caller bounded;
    static Caller unseen;
    {
        Owner owner(cluster->url());
        Plan plan;
        plan.requests = 1000;
        hard = owner.Customer(plan);
        Plan pay = plan;
        pay.over_request_milli = 100;
        priced = owner.Customer(pay);
        bounded = owner.Customer(pay);
        unseen = owner.Customer(pay);
    }
    World world(urls);
    world.options.block_requests = 10;
    world.Add();
    world.Run([](World* w) -> Task<void> {
        Limits* limits = w->nodes[0].limits.get();
        co_await Bound(w, bounded, Subject::kTeam, 100'000, true);
        for (const Caller& caller : {hard, priced, bounded}) {
            const Tally tally = co_await Use(limits, caller, 1, kShort);
            EXPECT_EQ(tally.admitted, 1);
        }
        cluster.Stop();
        // The leases at hand last: 10 were taken, one was used.
        const Tally of_hard = co_await Use(limits, hard, 15, kShort);
        EXPECT_EQ(of_hard.admitted, 9);
        EXPECT_EQ(of_hard.code, "budget_unavailable");
        const Tally of_priced = co_await Use(limits, priced, 50, kShort);
        EXPECT_EQ(of_priced.admitted, 50);
        EXPECT_EQ(of_priced.charge, 0);  // in doubt for the customer
        const Tally of_bounded = co_await Use(limits, bounded, 15, kShort);
        EXPECT_EQ(of_bounded.admitted, 9);
        EXPECT_EQ(of_bounded.code, "budget_unavailable");
        const Tally of_unseen = co_await Use(limits, unseen, 3, kShort);
        EXPECT_EQ(of_unseen.admitted, 0);
        EXPECT_EQ(of_unseen.code, "budget_unavailable");
        // Known to be away: the answer is at hand.
        const auto refused = limits->TryAdmit(hard, kShort);
        EXPECT_TRUE(refused && CodeOf(*refused) == "budget_unavailable");
        // Longer than the lease: even what is at hand may be another's by now.
        w->steady_offset += seconds(61);
        const Tally late = co_await Use(limits, hard, 3, kShort);
        EXPECT_EQ(late.admitted, 0);
        cluster.Start();
        co_await w->nodes[0].database->WaitAvailable(milliseconds(20'000));
        w->steady_offset += seconds(2);
        for (const Caller& caller : {hard, priced, bounded, unseen}) {
            const Tally tally = co_await Use(limits, caller, 3, kShort);
            EXPECT_EQ(tally.admitted, 3);
        }
    });
}

}  // namespace
}  // namespace vf::limits
