#pragma once
// For tests of limits: a PostgreSQL with the schema, customers, and nodes whose clocks can be set.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "limits/limits.hpp"
#include "pg/migrations.hpp"
#include "pg/pg_testing.hpp"
#include "pg/roles.hpp"

namespace vf::limits {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The roles and the schema in a cluster.
inline pg::RoleUrls PrepareDatabase(const std::string& owner_url) {
    pg::RoleOptions options;
    options.owner_url = owner_url;
    options.app_password = "app-password";
    options.system_password = "system-password";
    auto urls = pg::EnsureRoles(options);
    if (!urls) throw std::runtime_error(urls.error().message());
    pg::MigrationOptions migration;
    migration.url = owner_url;
    migration.folder = std::filesystem::path(VF_SOURCE_DIR) / "migrations";
    auto report = pg::MigrateNow(migration);
    if (!report) throw std::runtime_error(report.error().message());
    return *urls;
}

inline const pg::RoleUrls& SharedUrls() {
    static const pg::RoleUrls urls = PrepareDatabase(pg::SharedCluster()->url());
    return urls;
}

// The database as its owner sees it: to make customers, to look, and to let time pass.
class Owner {
public:
    explicit Owner(const std::string& url) : connection_(url, milliseconds(5000)) {}

    std::int64_t Number(const std::string& sql, const std::vector<std::string>& parameters = {}) {
        const pg::Rows rows = connection_.Run(sql.c_str(), parameters);
        return rows.empty() || rows[0].IsNull(0) ? -1 : rows[0].Int(0);
    }
    void Run(const std::string& sql, const std::vector<std::string>& parameters = {}) {
        connection_.Run(sql.c_str(), parameters);
    }

    // Writes the plan, or changes it.
    void Put(const Plan& plan) {
        const auto text = [](const std::optional<std::int64_t>& value) {
            return value ? std::to_string(*value) : std::string("NULL");
        };
        Run("INSERT INTO plans (id, catalogue, name, tier, currency, price_minor, quality) "
            "VALUES ($1, 'test', $1, 'paid', 'USD', 0, 'studio') ON CONFLICT DO NOTHING",
            {plan.id});
        Run("UPDATE plans SET requests = " + text(plan.requests) +
                ", characters = " + text(plan.characters) + ", audio_ms = " + text(plan.audio_ms) +
                ", over_request_milli = " + text(plan.over_request_milli) +
                ", over_character_milli = " + text(plan.over_character_milli) +
                ", over_audio_second_milli = " + text(plan.over_audio_second_milli) +
                " WHERE id = $1",
            {plan.id});
    }
    // A billing account on this plan with one team and one key, and its caller.
    Caller Customer(Plan plan, bool live = true) {
        plan.id = "plan-" + NewUuid().Hex();
        if (plan.name.empty()) plan.name = "Test";
        Put(plan);
        Caller caller;
        caller.kind = Caller::Kind::kKey;
        caller.live = live;
        caller.team = TeamId::New();
        caller.key = KeyId::New();
        caller.billing = BillingAccountId::New();
        Run("INSERT INTO billing_accounts (id, name, plan_id) VALUES ($1, 'B', $2)",
            {caller.billing.uuid.Dashed(), plan.id});
        AddTeam(caller.billing, caller.team);
        Run("INSERT INTO api_keys (id, team_id, name, live, prefix, secret_sha256, scopes) "
            "VALUES ($1, $2, 'k', true, 'vf', sha256($3::text::bytea), '{}')",
            {caller.key->uuid.Dashed(), caller.team.uuid.Dashed(), caller.key->Wire()});
        caller.plan = std::make_shared<const Plan>(std::move(plan));
        return caller;
    }
    void AddTeam(BillingAccountId billing, TeamId team) {
        Run("INSERT INTO teams (id, billing_account_id, name) VALUES ($1, $2, 'T')",
            {team.uuid.Dashed(), billing.uuid.Dashed()});
    }
    std::int64_t Used(Subject subject, Uuid id, Metric metric, bool live = true) {
        return Number(
            "SELECT sum(used)::bigint FROM budgets WHERE subject = $1 AND "
            "subject_id = $2 AND metric = $3 AND live = $4",
            {std::string(SubjectName(subject)), id.Dashed(), std::string(MetricName(metric)),
             live ? "t" : "f"});
    }
    // Units that are leased and count, of one billing account's metric.
    std::int64_t Leased(BillingAccountId billing, Metric metric) {
        return Number(
            "SELECT coalesce(sum(l.units), 0)::bigint FROM leases l "
            "JOIN budgets b ON b.id = l.budget_id JOIN lease_holders h ON h.id = l.holder_id "
            "WHERE b.subject_id = $1 AND b.metric = $2 AND h.expires_at > now() "
            "AND (l.expires_at IS NULL OR l.expires_at > now())",
            {billing.uuid.Dashed(), std::string(MetricName(metric))});
    }
    // Makes a node's registrations look as if they had ended long ago.
    void Expire(NodeId node) {
        Run("UPDATE lease_holders SET expires_at = now() - interval '1 minute' WHERE node_id = $1",
            {node.uuid.Dashed()});
    }
    std::int64_t Alerts(TeamId team, int percent) {
        return Number(
            "SELECT count(*) FROM events WHERE team_id = $1 AND type = 'usage.alert' "
            "AND data->>'percent' = $2",
            {team.uuid.Dashed(), std::to_string(percent)});
    }

private:
    pg::BlockingConnection connection_;
};

// A server process, as far as limits go.
struct Node {
    NodeId id = NodeId::New();
    std::unique_ptr<pg::Database> database;
    std::unique_ptr<Limits> limits;
};

class World {
public:
    explicit World(pg::RoleUrls u = SharedUrls()) : urls(std::move(u)) {}
    ~World() {
        // Before the loop goes.
        for (Node& node : nodes) {
            node.limits.reset();
            node.database->Close();
        }
    }

    asio::io_context loop;
    pg::RoleUrls urls;
    LimitsOptions options;
    std::vector<Node> nodes;
    std::chrono::seconds wall_offset{0};
    std::chrono::seconds steady_offset{0};

    Node& Add() {
        Node& node = nodes.emplace_back();
        node.database = MakeDatabase();
        Restart(node);
        return node;
    }
    // A new process on the same data folder; the old one is gone without a word.
    void Restart(Node& node) {
        node.limits.reset();
        Clocks clocks;
        clocks.wall = [this] { return std::chrono::system_clock::now() + wall_offset; };
        clocks.steady = [this] { return std::chrono::steady_clock::now() + steady_offset; };
        node.limits =
            std::make_unique<Limits>(loop, options, MakeLocalConcurrency(), std::move(clocks));
        node.limits->Start(*node.database, node.id);
    }
    std::chrono::year_month Month() const {
        const std::chrono::year_month_day day(
            std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now() + wall_offset));
        return day.year() / day.month();
    }
    // Runs `body(World*)` and stops every node.
    template <class Body>
    void Run(Body body) {
        RunTask(loop, Whole(this, body));
    }

private:
    std::unique_ptr<pg::Database> MakeDatabase() {
        pg::PoolOptions app;
        app.url = urls.app;
        app.connections = 1;
        pg::PoolOptions system = app;
        system.url = urls.system;
        return std::make_unique<pg::Database>(loop, app, system);
    }
    template <class Body>
    static Task<void> Whole(World* world, Body body) {
        constexpr milliseconds kLong{20'000};
        std::exception_ptr failure;
        try {
            for (Node& node : world->nodes) co_await node.database->WaitAvailable(kLong);
            co_await body(world);
        } catch (...) {
            failure = std::current_exception();
        }
        for (Node& node : world->nodes) {
            co_await node.limits->Stop();
            node.database->Close();
        }
        if (failure) std::rethrow_exception(failure);
    }
};

// What one settled operation brings to the ingest.
inline usage::IngestTotals TotalsOf(const Caller& caller, NodeId node,
                                    std::chrono::year_month month, std::int64_t requests,
                                    std::int64_t characters = 0, std::int64_t audio_ms = 0,
                                    std::int64_t charge_milli = 0) {
    return {caller.billing, caller.team, caller.key, caller.live, node,
            month,          requests,    characters, audio_ms,    charge_milli};
}

inline Task<void> Ingest(pg::Database* database, std::vector<usage::IngestTotals> totals,
                         bool commit = true) {
    pg::SystemDb system = database->System("test ingest");
    auto transaction = co_await system.Begin();
    Ledger ledger;
    co_await ledger.OnIngest(*transaction, totals);
    if (commit) {
        co_await transaction->Commit();
    } else {
        co_await transaction->Rollback();
    }
}

inline std::string CodeOf(const Result<Permit>& result) {
    return result ? "" : result.error().code();
}

// Admits with whatever waiting it takes.
inline Task<Result<Permit>> Enter(Limits* limits, Caller caller, Ask ask) {
    std::optional<Result<Permit>> answer = limits->TryAdmit(caller, ask);
    if (answer) co_return *std::move(answer);
    Result<Permit> result = co_await limits->Admit(std::move(caller), ask);
    co_return result;
}

// A plan that bounds nothing else.
inline Plan Requests(std::int64_t requests) {
    Plan plan;
    plan.requests = requests;
    return plan;
}

// Admits and settles `count` requests, one after the other.
struct Tally {
    int admitted = 0;
    std::int64_t charge = 0;
    std::string code;  // of the last refusal
    std::string message;
};
inline Task<Tally> Use(Limits* limits, Caller caller, int count, Ask ask) {
    Tally tally;
    for (int i = 0; i < count; ++i) {
        Result<Permit> permit = co_await Enter(limits, caller, ask);
        if (!permit) {
            tally.code = permit.error().code();
            tally.message = permit.error().message();
            continue;
        }
        ++tally.admitted;
        tally.charge += permit->charge_milli();
        permit->Settle(ask.characters, ask.audio_ms_estimate);
    }
    co_return tally;
}

}  // namespace vf::limits
