// Random work on several nodes, with crashes, replays, months and lapses, against a model: bounds
// hold up to what was in flight on nodes that died, `used` is exact when every journal is shipped,
// and every lease comes back.
#include <deque>
#include <map>
#include <random>

#include "limits/limits_testing.hpp"

namespace vf::limits {
namespace {

constexpr std::size_t kNodes = 3;
constexpr int kSteps = 300;

struct Amount {
    std::int64_t requests = 0;
    std::int64_t characters = 0;
    Amount& operator+=(const Amount& other) {
        requests += other.requests;
        characters += other.characters;
        return *this;
    }
};

struct Customer {
    Caller caller;
    bool is_hard = true;
};

// A row of a node's journal, not shipped yet.
struct Row {
    std::size_t customer = 0;
    std::chrono::year_month month;
    std::int64_t characters = 0;
    std::int64_t charge = 0;
};

struct Operation {
    std::size_t node = 0;
    std::size_t customer = 0;
    std::chrono::year_month month;
    std::int64_t characters = 0;
    Permit permit;
};

struct Model {
    World world;
    Owner owner{pg::SharedCluster()->url()};
    std::mt19937_64 random;
    bool with_crashes = true;
    std::vector<Customer> customers;
    std::vector<std::deque<Row>> journals{kNodes};
    std::vector<Operation> running;
    using Key = std::pair<std::size_t, std::chrono::year_month>;
    std::map<Key, Amount> shipped;
    std::map<Key, Amount> excused;  // was in flight on a node when its leases ended
    std::map<Key, std::int64_t> charged;
    std::map<std::string, int> refusals;
    int entering = 0;

    std::int64_t Below(std::int64_t bound) {
        return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(bound));
    }
    void Check(const char* after) {
        std::map<Key, Amount> total = shipped;
        for (const auto& journal : journals) {
            for (const Row& row : journal) total[{row.customer, row.month}] += {1, row.characters};
        }
        for (const Operation& op : running) total[{op.customer, op.month}] += {1, op.characters};
        for (const auto& [key, amount] : total) {
            const Customer& customer = customers[key.first];
            if (!customer.is_hard) continue;
            const Amount& more = excused[key];
            EXPECT_LE(amount.requests, *customer.caller.plan->requests + more.requests) << after;
            EXPECT_LE(amount.characters, *customer.caller.plan->characters + more.characters)
                << after;
        }
    }
};

Task<void> EnterOne(Model* model) {
    Operation op;
    op.node = static_cast<std::size_t>(model->Below(kNodes));
    op.customer =
        static_cast<std::size_t>(model->Below(static_cast<std::int64_t>(model->customers.size())));
    op.characters = model->Below(120) + 1;
    op.month = model->world.Month();
    Limits* const limits = model->world.nodes[op.node].limits.get();
    Caller caller = model->customers[op.customer].caller;
    const Ask ask{op.characters, 0};
    Result<Permit> permit = co_await Enter(limits, std::move(caller), ask);
    --model->entering;
    if (permit) {
        op.permit = *std::move(permit);
        model->running.push_back(std::move(op));
    } else {
        ++model->refusals[permit.error().code()];
    }
}

Task<void> EnterSeveral(Model* model, int count) {
    const Executor loop = co_await asio::this_coro::executor;
    model->entering = count;
    for (int i = 0; i < count; ++i) Spawn(loop, EnterOne(model), "enter");
    while (model->entering > 0) co_await asio::post(loop, kAwait);
}

// The operation is over: journalled, then settled; or it came to nothing.
void EndOne(Model* model) {
    if (model->running.empty()) return;
    const auto at =
        model->running.begin() + model->Below(static_cast<std::int64_t>(model->running.size()));
    Operation op = std::move(*at);
    model->running.erase(at);
    if (model->Below(6) == 0) return;
    const std::int64_t spoken =
        model->Below(4) == 0 ? model->Below(op.characters + 1) : op.characters;
    const std::int64_t charge = op.permit.charge_milli(spoken, 0);
    model->journals[op.node].push_back({op.customer, op.month, spoken, charge});
    op.permit.Settle(spoken, 0);
}

Task<void> Ship(Model* model, std::size_t node, std::int64_t most) {
    std::deque<Row>& journal = model->journals[node];
    const std::int64_t count = std::min(most, static_cast<std::int64_t>(journal.size()));
    if (count == 0) co_return;
    std::vector<usage::IngestTotals> totals;
    const NodeId id = model->world.nodes[node].id;
    for (std::int64_t i = 0; i < count; ++i) {
        const Row& row = journal[static_cast<std::size_t>(i)];
        totals.push_back(TotalsOf(model->customers[row.customer].caller, id, row.month, 1,
                                  row.characters, 0, row.charge));
    }
    pg::Database* const database = model->world.nodes[node].database.get();
    // A batch that fails before its commit comes again.
    const bool fails_first = model->Below(5) == 0;
    if (fails_first) co_await Ingest(database, totals, false);
    co_await Ingest(database, std::move(totals));
    for (std::int64_t i = 0; i < count; ++i) {
        const Row& row = journal.front();
        model->shipped[{row.customer, row.month}] += {1, row.characters};
        model->charged[{row.customer, row.month}] += row.charge;
        journal.pop_front();
    }
}

// Nothing of the process is left but its journal.
void Crash(Model* model, std::size_t node) {
    for (auto op = model->running.begin(); op != model->running.end();) {
        if (op->node != node) {
            ++op;
            continue;
        }
        // A mark had been written, or not.
        if (model->Below(2) == 0) {
            const std::int64_t charge = op->permit.charge_milli();
            model->journals[node].push_back({op->customer, op->month, op->characters, charge});
        }
        op = model->running.erase(op);
    }
    Node& crashed = model->world.nodes[node];
    model->world.Restart(crashed);
    if (model->Below(2) == 0) {
        model->owner.Expire(crashed.id);
        for (const Row& row : model->journals[node]) {
            model->excused[{row.customer, row.month}] += {1, row.characters};
        }
    }
}

Task<void> PassTime(Model* model) {
    model->world.steady_offset += seconds(14);
    for (Node& node : model->world.nodes) co_await node.limits->TendNow();
}

Task<void> StepOne(Model* model) {
    const std::int64_t dice = model->Below(100);
    const auto node = static_cast<std::size_t>(model->Below(kNodes));
    const char* what = "entering";
    if (dice < 40) {
        co_await EnterSeveral(model, 1);
    } else if (dice < 45) {
        co_await EnterSeveral(model, 12);
    } else if (dice < 75) {
        what = "an end";
        EndOne(model);
    } else if (dice < 88) {
        what = "shipping";
        const std::int64_t most = model->Below(10) + 1;
        co_await Ship(model, node, most);
    } else if (dice < 95) {
        what = "time";
        co_await PassTime(model);
    } else if (dice < 96) {
        what = "a month";
        const bool is_early = model->world.wall_offset.count() == 0;
        if (is_early) model->world.wall_offset += std::chrono::hours(24 * 31);
    } else if (model->with_crashes) {
        what = "a crash";
        Crash(model, node);
    }
    model->Check(what);
}

Task<void> Play(Model* model) {
    for (int i = 0; i < kSteps; ++i) co_await StepOne(model);
    while (!model->running.empty()) EndOne(model);
    for (std::size_t node = 0; node < kNodes; ++node) {
        co_await Ship(model, node, 1'000'000);
        co_await model->world.nodes[node].limits->Stop();
        EXPECT_EQ(model->world.nodes[node].limits->leases(), 0U);
    }
    model->Check("the end");
}

void CheckEnd(Model& model) {
    for (std::size_t i = 0; i < model.customers.size(); ++i) {
        const Caller& caller = model.customers[i].caller;
        Amount total;
        std::int64_t charge = 0;
        for (const auto& [key, amount] : model.shipped) {
            if (key.first == i) total += amount;
        }
        for (const auto& [key, amount] : model.charged) charge += key.first == i ? amount : 0;
        const auto used = [&](Subject subject, Uuid id, Metric metric) {
            return std::max<std::int64_t>(model.owner.Used(subject, id, metric), 0);
        };
        EXPECT_EQ(used(Subject::kBilling, caller.billing.uuid, Metric::kRequests), total.requests);
        EXPECT_EQ(used(Subject::kBilling, caller.billing.uuid, Metric::kCharacters),
                  total.characters);
        EXPECT_EQ(used(Subject::kTeam, caller.team.uuid, Metric::kRequests), total.requests);
        EXPECT_EQ(used(Subject::kKey, caller.key->uuid, Metric::kSpendMilli), charge);
        if (!model.with_crashes) {
            EXPECT_EQ(model.owner.Leased(caller.billing, Metric::kRequests), 0);
            EXPECT_EQ(model.owner.Leased(caller.billing, Metric::kCharacters), 0);
        }
    }
    for (const Node& node : model.world.nodes) model.owner.Expire(node.id);
    for (const Customer& customer : model.customers) {
        EXPECT_EQ(model.owner.Leased(customer.caller.billing, Metric::kRequests), 0);
    }
    // Every alert once: a budget has at most one of each level.
    EXPECT_EQ(model.owner.Number("SELECT count(*) FROM (SELECT 1 FROM events WHERE type = "
                                 "'usage.alert' GROUP BY team_id, resource, data->>'percent' "
                                 "HAVING count(*) > 1) twice"),
              0);
    EXPECT_EQ(model.owner.Number("SELECT count(*) FROM budgets b WHERE alerted <> CASE "
                                 "WHEN used >= bound THEN 100 WHEN used >= bound - bound / 5 "
                                 "THEN 80 ELSE 0 END"),
              0);
}

// What was charged for: the overage, and little more (while others held the last of the allowance)
// or less (what was in flight when rows beyond the allowance were shipped).
void CheckOverage(Model& model) {
    for (const auto& [key, amount] : model.shipped) {
        const Customer& customer = model.customers[key.first];
        if (customer.is_hard || model.with_crashes) continue;
        const Plan& plan = *customer.caller.plan;
        const std::int64_t over = std::max<std::int64_t>(amount.requests - *plan.requests, 0);
        const std::int64_t charged = model.charged[key] / *plan.over_request_milli;
        EXPECT_LE(charged, over + 15);
        EXPECT_GE(charged, over - 15);
    }
}

void PlaySeed(std::uint64_t seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Model model;
    model.random.seed(seed);
    model.with_crashes = seed % 3 != 0;
    for (std::size_t i = 0; i < kNodes; ++i) model.world.Add();
    Plan plan;
    plan.requests = 12 + model.Below(20);
    plan.characters = 3000;
    model.customers.push_back({model.owner.Customer(plan), true});
    plan.requests = 1000;
    plan.characters = 800 + model.Below(1000);
    model.customers.push_back({model.owner.Customer(plan), true});
    plan.requests = 30;
    plan.over_request_milli = 10;
    plan.characters = std::nullopt;
    model.customers.push_back({model.owner.Customer(plan), false});
    static Model* playing;
    playing = &model;
    model.world.Run([](World*) -> Task<void> { co_await Play(playing); });
    CheckEnd(model);
    CheckOverage(model);
    for (const auto& [code, count] : model.refusals) EXPECT_EQ(code, "allowance_used_up") << count;
    model.running.clear();
}

TEST(LimitsProperty, BoundsHoldAndNothingIsLost) {
    for (std::uint64_t seed = 1; seed <= 9; ++seed) PlaySeed(seed);
}

}  // namespace
}  // namespace vf::limits
