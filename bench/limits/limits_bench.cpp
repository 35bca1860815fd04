// Nanoseconds for a warm TryAdmit and Settle, by what binds the caller, with budgets in a private
// cluster in a temporary folder; and how many cold admissions a second go through PostgreSQL (a
// block of one: every request asks). Usage: limits_bench [operations per row, default 300000]

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "limits/limits.hpp"
#include "pg/migrations.hpp"
#include "pg/pg.hpp"
#include "pg/private_cluster.hpp"
#include "pg/roles.hpp"

namespace {

namespace limits = vf::limits;
namespace pg = vf::pg;
using vf::Task;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kPlenty = 1'000'000'000'000;

constexpr pg::Statement kPlan{
    "bench_plan",
    "INSERT INTO plans (id, catalogue, name, tier, currency, price_minor, quality, requests, "
    "characters, audio_ms, over_request_milli) "
    "VALUES ($1, 'bench', 'Bench', 'paid', 'USD', 0, 'studio', $2, $3, $4, $5)"};
constexpr pg::Statement kBilling{
    "bench_billing", "INSERT INTO billing_accounts (id, name, plan_id) VALUES ($1, 'B', $2)"};
constexpr pg::Statement kTeam{
    "bench_team", "INSERT INTO teams (id, billing_account_id, name) VALUES ($1, $2, 'T')"};
constexpr pg::Statement kBound{
    "bench_bound",
    "INSERT INTO spending_bounds (subject, subject_id, team_id, bound_milli) "
    "VALUES ('team', $1, $1, $2)"};

void AddInt(pg::Params& params, const std::optional<std::int64_t>& value) {
    if (value) {
        params.Int(*value);
    } else {
        params.Null();
    }
}

Task<vf::Caller> MakeCustomer(pg::Database* db, vf::Plan plan) {
    pg::SystemDb system = db->System("the bench makes its customers");
    vf::Caller caller;
    caller.kind = vf::Caller::Kind::kKey;
    caller.live = true;
    caller.team = vf::TeamId::New();
    caller.key = vf::KeyId::New();
    caller.billing = vf::BillingAccountId::New();
    plan.id = "bench-" + vf::NewUuid().Hex();
    pg::Params of_plan;
    of_plan.Text(plan.id);
    AddInt(of_plan, plan.requests);
    AddInt(of_plan, plan.characters);
    AddInt(of_plan, plan.audio_ms);
    AddInt(of_plan, plan.over_request_milli);
    co_await system.Query(kPlan, std::move(of_plan));
    pg::Params of_billing;
    of_billing.Text(caller.billing.uuid.Dashed()).Text(plan.id);
    co_await system.Query(kBilling, std::move(of_billing));
    pg::Params of_team;
    of_team.Text(caller.team.uuid.Dashed()).Text(caller.billing.uuid.Dashed());
    co_await system.Query(kTeam, std::move(of_team));
    caller.plan = std::make_shared<const vf::Plan>(std::move(plan));
    co_return caller;
}

// Admits and settles; the share that had to wait is done outside of the clock.
Task<void> Measure(const char* what, limits::Limits* subject, vf::Caller caller, int operations) {
    const limits::Ask ask{60, 4000};
    Clock::duration spent{};
    int warm = 0;
    while (warm < operations) {
        constexpr int kRound = 1000;
        const auto start = Clock::now();
        int done = 0;
        for (; done < kRound; ++done) {
            auto permit = subject->TryAdmit(caller, ask);
            if (!permit || !permit->ok()) break;
            (*permit)->Settle(60, 4000);
        }
        spent += Clock::now() - start;
        warm += done;
        if (done == kRound) continue;
        vf::Result<limits::Permit> permit = co_await subject->Admit(caller, ask);
        if (permit) continue;
        std::printf("%-60s %s\n", what, permit.error().message().c_str());
        co_return;
    }
    const double each = std::chrono::duration<double, std::nano>(spent).count() / warm;
    std::printf("%-60s %7.0f ns a request\n", what, each);
}

Task<void> MeasureCold(limits::Limits* subject, vf::Caller caller, int operations) {
    const auto start = Clock::now();
    for (int i = 0; i < operations; ++i) {
        const limits::Ask ask{60, 4000};
        vf::Result<limits::Permit> permit = co_await subject->Admit(caller, ask);
        if (permit) permit->Settle(60, 4000);
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    std::printf("%-60s %7.0f us a request\n", "one after the other, each through PostgreSQL",
                seconds / operations * 1e6);
}

// One shipped batch in which every row is another key's: the worst for the ledger.
Task<void> MeasureIngest(pg::Database* db) {
    constexpr int kTotals = 1000;
    std::vector<vf::usage::IngestTotals> totals(kTotals);
    for (vf::usage::IngestTotals& total : totals) {
        total.billing = vf::BillingAccountId::New();
        total.team = vf::TeamId::New();
        total.key = vf::KeyId::New();
        total.live = true;
        total.node = vf::NodeId::New();
        total.month = std::chrono::year(2026) / std::chrono::month(11);
        total.requests = total.characters = total.audio_ms = 1;
    }
    for (const char* what : {"ledger: 1,000 new keys in one batch", "ledger: the same keys again"}) {
        const auto start = Clock::now();
        pg::SystemDb system = db->System("the bench ingests");
        auto transaction = co_await system.Begin();
        limits::Ledger ledger;
        co_await ledger.OnIngest(*transaction, totals);
        co_await transaction->Commit();
        const double spent = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
        std::printf("%-60s %7.1f ms\n", what, spent);
    }
}

Task<void> MeasureAll(pg::Database* db, limits::Limits* warm, limits::Limits* cold, int count) {
    co_await db->WaitAvailable(std::chrono::milliseconds(10'000));
    vf::Plan plan;
    vf::Caller demo;
    demo.kind = vf::Caller::Kind::kDemo;
    demo.team = vf::kDemoTeam;
    demo.plan = std::make_shared<const vf::Plan>();
    co_await Measure("the demo team", warm, demo, count);
    plan.requests = kPlenty;
    vf::Caller caller = co_await MakeCustomer(db, plan);
    co_await Measure("requests bound", warm, caller, count);
    co_await MeasureCold(cold, caller, 1000);
    plan.concurrency = 100;
    plan.characters = kPlenty;
    plan.audio_ms = kPlenty;
    caller = co_await MakeCustomer(db, plan);
    co_await Measure("requests, characters, audio and concurrency bound", warm, caller, count);
    plan = {};
    plan.requests = 0;
    plan.over_request_milli = 1;
    caller = co_await MakeCustomer(db, plan);
    pg::Params bound;
    bound.Text(caller.team.uuid.Dashed()).Int(kPlenty);
    pg::SystemDb system = db->System("the bench bounds its customer");
    co_await system.Query(kBound, std::move(bound));
    co_await Measure("beyond the allowance, within a spending bound", warm, caller, count);
}

Task<void> Run(pg::Database* db, limits::Limits* warm, limits::Limits* cold, int operations) {
    co_await MeasureAll(db, warm, cold, operations);
    co_await MeasureIngest(db);
    co_await warm->Stop();
    co_await cold->Stop();
    db->Close();
}

int Bench(const std::string& owner_url, int operations) {
    pg::RoleOptions roles;
    roles.owner_url = owner_url;
    roles.app_password = "app";
    roles.system_password = "system";
    const auto urls = pg::EnsureRoles(roles);
    pg::MigrationOptions migration;
    migration.url = owner_url;
    migration.folder = VF_MIGRATIONS;
    if (!urls || !pg::MigrateNow(migration)) return 1;
    pg::PoolOptions app;
    app.url = urls->app;
    pg::PoolOptions system;
    system.url = urls->system;
    boost::asio::io_context loop(1);
    pg::Database database(loop, app, system);
    limits::LimitsOptions options;
    options.block_requests = 1'000'000;  // the leases are not what is measured
    options.block_characters = 100'000'000;
    options.block_audio_ms = 10'000'000'000;
    options.block_spend_milli = 1'000'000;
    limits::Limits warm(loop, options);
    options.block_requests = 1;
    limits::Limits cold(loop, options);
    warm.Start(database, vf::NodeId::New());
    cold.Start(database, vf::NodeId::New());
    vf::RunTask(loop, Run(&database, &warm, &cold, operations));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const int operations = argc > 1 ? std::atoi(argv[1]) : 300'000;
    std::string pattern = (std::filesystem::temp_directory_path() / "limits_bench_XXXXXX").string();
    const std::filesystem::path dir = ::mkdtemp(pattern.data());
    int code = 1;
    {
        auto lock = pg::DataDirLock::Acquire(dir);
        if (!lock) return code;
        auto cluster = pg::PrivateCluster::Start(*lock, {});
        if (!cluster) {
            std::fprintf(stderr, "%s\n", cluster.error().message().c_str());
            return code;
        }
        code = Bench((*cluster)->url(), operations);
    }
    std::error_code ignored;
    std::filesystem::remove_all(dir, ignored);
    return code;
}
