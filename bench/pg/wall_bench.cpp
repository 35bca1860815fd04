// What the wall between teams costs: one row by its id, as a team (set_config and select in one
// sync segment, under row-level security), beside the same select by the owner of an equal table
// without a wall. Many in flight on one connection, in alternating rounds of one run. Usage:
// wall_bench [seconds per round, default 2]

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "bench_database.hpp"
#include "pg/blocking.hpp"

namespace {

using namespace vf;
using Clock = std::chrono::steady_clock;

constexpr int kCallers = 256;
constexpr int kRounds = 5;
constexpr int kTeams = 50;
constexpr pg::Statement kWalled{"bench_walled",
                                "SELECT name FROM api_keys WHERE id = $1 AND team_id = $2"};
constexpr pg::Statement kPlain{"bench_plain",
                               "SELECT name FROM bare_keys WHERE id = $1 AND team_id = $2"};

struct Run {
    Clock::time_point end;
    int running = 0;
    std::int64_t answered = 0;
};

struct Row {
    TeamId team;
    KeyId key;
};

pg::Params ParamsOf(const Row& row) {
    pg::Params params;
    params.Text(row.key.uuid.Dashed()).Text(row.team.uuid.Dashed());
    return params;
}

Task<void> AskWalled(pg::Database* database, const std::vector<Row>* rows, std::size_t at,
                     Run* run) {
    while (Clock::now() < run->end) {
        const Row& row = (*rows)[at++ % rows->size()];
        pg::TeamDb team = database->Team(row.team);
        pg::Params params = ParamsOf(row);
        const pg::Rows found = co_await team.Query(kWalled, std::move(params));
        if (found.size() == 1) ++run->answered;
    }
    --run->running;
}

Task<void> AskPlain(pg::Pool* pool, const std::vector<Row>* rows, std::size_t at, Run* run) {
    while (Clock::now() < run->end) {
        pg::Params params = ParamsOf((*rows)[at++ % rows->size()]);
        const pg::Rows found = co_await pool->Query(kPlain, std::move(params));
        if (found.size() == 1) ++run->answered;
    }
    --run->running;
}

double Median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

Task<void> Measure(pg::Database* database, pg::Pool* plain, const std::vector<Row>* rows,
                   double seconds) {
    co_await database->WaitAvailable(std::chrono::milliseconds(10'000));
    co_await plain->WaitAvailable(std::chrono::milliseconds(10'000));
    const Executor loop = co_await asio::this_coro::executor;
    std::vector<double> rates[2];
    for (int round = 0; round < 2 * kRounds; ++round) {
        const bool is_walled = round % 2 == 0;
        Run run;
        run.end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                     std::chrono::duration<double>(seconds));
        for (int i = 0; i < kCallers; ++i) {
            ++run.running;
            const auto at = static_cast<std::size_t>(i);
            if (is_walled) {
                Spawn(loop, AskWalled(database, rows, at, &run), "walled");
            } else {
                Spawn(loop, AskPlain(plain, rows, at, &run), "plain");
            }
        }
        while (run.running > 0) co_await Sleep(std::chrono::milliseconds(1));
        rates[is_walled ? 0 : 1].push_back(static_cast<double>(run.answered) / seconds);
    }
    const double walled = Median(rates[0]);
    const double bare = Median(rates[1]);
    std::printf("team-scoped selects %.0f /s  plain pipelined %.0f /s  ratio %.2f\n", walled, bare,
                walled / bare);
    database->Close();
    plain->Close();
}

}  // namespace

int main(int argc, char** argv) {
    const double seconds = argc > 1 ? std::atof(argv[1]) : 2.0;
    bench::BenchDatabase base;
    std::vector<Row> rows;
    {
        pg::BlockingConnection owner(base.owner_url(), std::chrono::milliseconds(5000));
        owner.Run("CREATE TABLE bare_keys (LIKE api_keys INCLUDING ALL)");
        for (int i = 0; i < kTeams; ++i) {
            rows.push_back({TeamId::New(), KeyId::New()});
            const std::string team = rows.back().team.uuid.Dashed();
            const std::string key = rows.back().key.uuid.Dashed();
            owner.Run(
                "INSERT INTO teams (id, billing_account_id, name) "
                "SELECT $1, id, 'Team' FROM billing_accounts LIMIT 1",
                {team});
            for (const char* table : {"api_keys", "bare_keys"}) {
                // Company for the row, or PostgreSQL reads the whole table instead of its index.
                const std::string others =
                    std::string("INSERT INTO ") + table +
                    " (id, team_id, name, live, prefix, secret_sha256, scopes) SELECT "
                    "gen_random_uuid(), $1, 'Key', true, 'vf', "
                    "sha256(gen_random_uuid()::text::bytea), '{}' FROM generate_series(1, 400)";
                owner.Run(others.c_str(), {team});
                const std::string insert =
                    std::string("INSERT INTO ") + table +
                    " (id, team_id, name, live, prefix, secret_sha256, scopes) VALUES "
                    "($1, $2, 'Key', true, 'vf', sha256($1::uuid::text::bytea), '{}')";
                owner.Run(insert.c_str(), {key, team});
            }
        }
        owner.Run("ANALYZE");
    }
    asio::io_context loop;
    pg::PoolOptions app;
    app.url = base.urls().app;
    app.connections = 1;
    pg::PoolOptions system;
    system.url = base.urls().system;
    pg::Database database(loop, app, system);
    pg::PoolOptions owner;
    owner.url = base.owner_url();
    owner.connections = 1;
    pg::Pool plain(loop, owner);
    RunTask(loop, Measure(&database, &plain, &rows, seconds));
    return 0;
}
