// The ingest: what is used, which leases it is taken from, and alerts.
#include <gmock/gmock.h>

#include "limits/limits_testing.hpp"

namespace vf::limits {
namespace {

using usage::IngestTotals;

std::vector<IngestTotals> Once(World* world, const Caller& caller, std::int64_t requests) {
    return {TotalsOf(caller, world->nodes[0].id, world->Month(), requests)};
}

TEST(Ledger, CountsForTheBillingAccountTheTeamAndTheKey) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    static Caller session;
    caller = owner.Customer(Requests(1000));
    session = caller;
    session.key = std::nullopt;
    world.Run([](World* w) -> Task<void> {
        const NodeId node = w->nodes[0].id;
        std::vector<IngestTotals> totals;
        totals.push_back(TotalsOf(caller, node, w->Month(), 3, 30, 300, 7));
        totals.push_back(TotalsOf(session, node, w->Month(), 2, 20, 200, 0));
        totals.push_back(TotalsOf(caller, NodeId::New(), w->Month(), 1, 10, 100, 1));
        Caller test = caller;
        test.live = false;
        totals.push_back(TotalsOf(test, node, w->Month(), 5, 50, 500, 0));
        Caller demo = caller;
        demo.team = kDemoTeam;
        demo.billing.uuid = kDemoTeam.uuid;
        totals.push_back(TotalsOf(demo, node, w->Month(), 9, 90, 900, 0));
        co_await Ingest(w->nodes[0].database.get(), std::move(totals));
    });
    const Uuid billing = caller.billing.uuid;
    EXPECT_EQ(owner.Used(Subject::kBilling, billing, Metric::kRequests), 6);
    EXPECT_EQ(owner.Used(Subject::kBilling, billing, Metric::kCharacters), 60);
    EXPECT_EQ(owner.Used(Subject::kBilling, billing, Metric::kAudioMs), 600);
    EXPECT_EQ(owner.Used(Subject::kBilling, billing, Metric::kSpendMilli), 8);
    EXPECT_EQ(owner.Used(Subject::kTeam, caller.team.uuid, Metric::kRequests), 6);
    EXPECT_EQ(owner.Used(Subject::kKey, caller.key->uuid, Metric::kRequests), 4);
    EXPECT_EQ(owner.Used(Subject::kKey, caller.key->uuid, Metric::kSpendMilli), 8);
    EXPECT_EQ(owner.Used(Subject::kBilling, billing, Metric::kRequests, false), 5);
    EXPECT_EQ(owner.Used(Subject::kBilling, billing, Metric::kSpendMilli, false), -1);
    EXPECT_EQ(owner.Used(Subject::kTeam, kDemoTeam.uuid, Metric::kRequests, false), -1);
}

TEST(Ledger, WhatIsRolledBackNeverWas) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    caller = owner.Customer(Requests(10));
    world.Run([](World* w) -> Task<void> {
        std::vector<IngestTotals> totals = Once(w, caller, 10);
        co_await Ingest(w->nodes[0].database.get(), totals, false);
        co_await Ingest(w->nodes[0].database.get(), totals, false);
        co_await Ingest(w->nodes[0].database.get(), totals);
    });
    EXPECT_EQ(owner.Used(Subject::kBilling, caller.billing.uuid, Metric::kRequests), 10);
    EXPECT_EQ(owner.Alerts(caller.team, 100), 1);
}

TEST(Ledger, AlertsOnceAtEachLevelForEveryTeamOfTheAccount) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    caller = owner.Customer(Requests(100));
    const TeamId sister = TeamId::New();
    const TeamId gone = TeamId::New();
    owner.AddTeam(caller.billing, sister);
    owner.AddTeam(caller.billing, gone);
    owner.Run("UPDATE teams SET deleted_at = now() WHERE id = $1", {gone.uuid.Dashed()});
    static Owner* own;
    own = &owner;
    world.Run([](World* w) -> Task<void> {
        pg::Database* db = w->nodes[0].database.get();
        const std::int64_t steps[] = {79, 1, 5, 14, 1, 30};
        const int at80[] = {0, 1, 1, 1, 1, 1};
        const int at100[] = {0, 0, 0, 0, 1, 1};
        for (int i = 0; i < 6; ++i) {
            std::vector<IngestTotals> totals = Once(w, caller, steps[i]);
            co_await Ingest(db, std::move(totals));
            EXPECT_EQ(own->Alerts(caller.team, 80), at80[i]) << i;
            EXPECT_EQ(own->Alerts(caller.team, 100), at100[i]) << i;
        }
    });
    EXPECT_EQ(owner.Alerts(sister, 80), 1);
    EXPECT_EQ(owner.Alerts(sister, 100), 1);
    EXPECT_EQ(owner.Alerts(gone, 80), 0);
    EXPECT_EQ(owner.Number("SELECT count(*) FROM events WHERE team_id = $1 AND live AND "
                           "resource LIKE 'budget_%' AND data->>'subject' = 'billing' AND "
                           "data->>'metric' = 'requests' AND data->>'bound' = '100' AND "
                           "data->>'period' = to_char(now() at time zone 'UTC', 'YYYY-MM')",
                           {caller.team.uuid.Dashed()}),
              2);
}

TEST(Ledger, ANewBoundAlertsAnew) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    caller = owner.Customer(Requests(10));
    static Owner* own;
    own = &owner;
    world.Run([](World* w) -> Task<void> {
        pg::Database* db = w->nodes[0].database.get();
        std::vector<IngestTotals> totals = Once(w, caller, 10);
        co_await Ingest(db, totals);
        EXPECT_EQ(own->Alerts(caller.team, 100), 1);
        EXPECT_EQ(own->Alerts(caller.team, 80), 0);  // passed in one step: the greater only
        Plan larger = *caller.plan;
        larger.requests = 100;
        own->Put(larger);
        co_await Ingest(db, totals);
        EXPECT_EQ(own->Alerts(caller.team, 100), 1);
        totals = Once(w, caller, 60);
        co_await Ingest(db, totals);
        EXPECT_EQ(own->Alerts(caller.team, 80), 1);
    });
}

struct Crowd {
    World* world;
    std::vector<Caller> callers;
    int running = 0;
    int failed = 0;
};

// Each batch names the customers in an order of its own.
Task<void> IngestAll(Crowd* crowd, std::size_t node, int times) {
    for (int i = 0; i < times; ++i) {
        std::vector<IngestTotals> totals;
        const std::size_t count = crowd->callers.size();
        for (std::size_t j = 0; j < count; ++j) {
            const std::size_t at = (j * 7 + node * 3 + static_cast<std::size_t>(i)) % count;
            totals.push_back(TotalsOf(crowd->callers[at], crowd->world->nodes[node].id,
                                      crowd->world->Month(), 1, 10));
        }
        try {
            co_await Ingest(crowd->world->nodes[node].database.get(), std::move(totals));
        } catch (const std::exception& e) {
            ADD_FAILURE() << e.what();
            ++crowd->failed;
        }
    }
    --crowd->running;
}

TEST(Ledger, SeveralNodesAtOnceNeitherLoseNorLockEachOther) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    for (int i = 0; i < 4; ++i) world.Add();
    static Crowd crowd;
    crowd = {&world, {}, 0, 0};
    for (int i = 0; i < 10; ++i) crowd.callers.push_back(owner.Customer(Requests(100)));
    world.Run([](World* w) -> Task<void> {
        const Executor loop = co_await asio::this_coro::executor;
        for (std::size_t node = 0; node < w->nodes.size(); ++node) {
            for (int i = 0; i < 2; ++i) {
                ++crowd.running;
                Spawn(loop, IngestAll(&crowd, node, 13), "ingest");
            }
        }
        while (crowd.running > 0) co_await Sleep(milliseconds(1));
    });
    EXPECT_EQ(crowd.failed, 0);
    for (const Caller& caller : crowd.callers) {
        EXPECT_EQ(owner.Used(Subject::kBilling, caller.billing.uuid, Metric::kRequests), 104);
        EXPECT_EQ(owner.Used(Subject::kKey, caller.key->uuid, Metric::kCharacters), 1040);
        EXPECT_EQ(owner.Alerts(caller.team, 80), 1);
        EXPECT_EQ(owner.Alerts(caller.team, 100), 1);
    }
}

TEST(Ledger, ASpendingBoundAlertsItsTeam) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    caller = owner.Customer(Requests(1'000'000));
    world.Run([](World* w) -> Task<void> {
        pg::Database* db = w->nodes[0].database.get();
        pg::TeamDb mine = db->Team(caller.team);
        SpendingBound team{Subject::kTeam, {}, 1000, false};
        const Result<void> set_team = co_await SetSpendingBound(mine, team);
        EXPECT_TRUE(set_team.ok());
        SpendingBound key{Subject::kKey, caller.key->uuid, 100, true};
        const Result<void> set_key = co_await SetSpendingBound(mine, key);
        EXPECT_TRUE(set_key.ok());
        std::vector<IngestTotals> totals;
        totals.push_back(TotalsOf(caller, w->nodes[0].id, w->Month(), 1, 1, 1, 850));
        co_await Ingest(db, std::move(totals));
        const std::vector<Standing> standings =
            co_await ReadStandings(db->System("test"), caller.billing, caller.team, w->Month());
        int bounds = 0;
        for (const Standing& standing : standings) {
            if (standing.metric != Metric::kSpendMilli) continue;
            EXPECT_EQ(standing.used, 850);
            if (standing.bound) ++bounds;
            if (standing.subject == Subject::kKey) EXPECT_TRUE(standing.hard);
        }
        EXPECT_EQ(bounds, 2);
    });
    EXPECT_EQ(owner.Alerts(caller.team, 80), 1);
    EXPECT_EQ(owner.Alerts(caller.team, 100), 1);
}

TEST(Ledger, UsageOfATeamThatIsGoneStillCounts) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    caller = owner.Customer(Requests(10));
    caller.team = TeamId::New();
    world.Run([](World* w) -> Task<void> {
        std::vector<IngestTotals> totals;
        totals.push_back(TotalsOf(caller, w->nodes[0].id, w->Month(), 10, 1, 1, 1));
        co_await Ingest(w->nodes[0].database.get(), std::move(totals));
    });
    EXPECT_EQ(owner.Used(Subject::kTeam, caller.team.uuid, Metric::kRequests), 10);
}

// A node that died held 13 units, of which 5 are in its journal; its successor has a lease of its
// own. What the journal brings late is not taken off the successor's.
TEST(Ledger, ADeadNodesRowsAreTakenOffItsOwnLease) {
    Owner owner(pg::SharedCluster()->url());
    World world;
    world.Add();
    static Caller caller;
    static Owner* own;
    own = &owner;
    caller = owner.Customer(Requests(100));
    world.Run([](World* w) -> Task<void> {
        Node& node = w->nodes[0];
        for (int i = 0; i < 5; ++i) {
            Result<Permit> permit = co_await Enter(node.limits.get(), caller, Ask{1, 0});
            EXPECT_TRUE(permit.ok());
            if (permit) permit->Settle(1, 0);
        }
        EXPECT_EQ(own->Leased(caller.billing, Metric::kRequests), 13);
        w->Restart(node);
        own->Expire(node.id);
        EXPECT_EQ(own->Leased(caller.billing, Metric::kRequests), 0);
        Result<Permit> permit = co_await Enter(node.limits.get(), caller, Ask{1, 0});
        EXPECT_TRUE(permit.ok());
        EXPECT_EQ(own->Leased(caller.billing, Metric::kRequests), 13);
        std::vector<IngestTotals> totals = Once(w, caller, 5);
        co_await Ingest(node.database.get(), std::move(totals));
        EXPECT_EQ(own->Leased(caller.billing, Metric::kRequests), 13);
        EXPECT_EQ(own->Used(Subject::kBilling, caller.billing.uuid, Metric::kRequests), 5);
    });
}

}  // namespace
}  // namespace vf::limits
