// Usage rows: how fast they are journalled beside the syncs, and how fast they arrive in PostgreSQL
// beside a bare COPY of the same rows, by the owner, into an equal table without a wall. In one
// run, on a private cluster in a temporary folder. Usage: usage_bench [rows, default 200000]

#include <libpq-fe.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "base/caller.hpp"
#include "base/rfc3339.hpp"
#include "pg/database.hpp"
#include "pg/migrations.hpp"
#include "pg/pg.hpp"
#include "pg/private_cluster.hpp"
#include "pg/roles.hpp"
#include "usage/journal.hpp"
#include "usage/shipper.hpp"
#include "usage/usage_service.hpp"

namespace {

namespace fs = std::filesystem;
using namespace vf;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBatch = 5000;
constexpr int kRounds = 3;

double Since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// Fifty teams, a few voices: what a busy node sees.
std::vector<usage::UsageRow> MakeRows(std::size_t count) {
    static std::vector<std::pair<TeamId, KeyId>> callers;
    while (callers.size() < 50) callers.emplace_back(TeamId::New(), KeyId::New());
    std::vector<usage::UsageRow> rows(count);
    for (std::size_t i = 0; i < count; ++i) {
        usage::UsageRow& row = rows[i];
        row.operation = OperationId::New();
        row.team = callers[i % callers.size()].first;
        row.key = callers[i % callers.size()].second;
        row.billing = BillingAccountId{row.team.uuid};
        row.route = "/v1/audio/speech";
        row.voice = i % 3 == 0 ? "slt" : "alloy";
        row.model = "tts-1";
        row.engine = "flite";
        row.characters = 60 + static_cast<std::int64_t>(i % 50);
        row.audio_ms = row.characters * 70;
        row.engine_ms = 30;
        row.bytes = 170'000;
        row.cached = i % 2 == 0;
        row.live = true;
        row.started_at = usage::Time(std::chrono::milliseconds(row.operation.uuid.UnixMillis()));
    }
    return rows;
}

void Append(const fs::path& folder, std::size_t count) {
    usage::JournalOptions options;
    options.folder = folder;
    auto journal = usage::Journal::Open(options).value();
    const std::vector<usage::UsageRow> rows = MakeRows(1000);
    std::vector<double> micros(count);
    const auto start = Clock::now();
    for (std::size_t i = 0; i < count; ++i) {
        const auto before = Clock::now();
        journal->End(rows[i % rows.size()]);
        micros[i] = Since(before) * 1e6;
    }
    const double wall = Since(start);
    std::sort(micros.begin(), micros.end());
    const auto at = [&](double part) {
        return micros[static_cast<std::size_t>(part * static_cast<double>(count - 1))];
    };
    std::printf("journal append              %9.0f /s   p50 %.2f us  p99 %.2f us  p99.9 %.1f us\n",
                static_cast<double>(count) / wall, at(0.5), at(0.99), at(0.999));
}

class Owner {
public:
    explicit Owner(const std::string& url) : conn_(PQconnectdb(url.c_str())) {
        if (PQstatus(conn_) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(conn_));
    }
    ~Owner() { PQfinish(conn_); }
    void Run(const std::string& sql) { Check(PQexec(conn_, sql.c_str())); }
    void Copy(const std::string& data) {
        Run("COPY bench_rows FROM STDIN");
        if (PQputCopyData(conn_, data.data(), static_cast<int>(data.size())) != 1 ||
            PQputCopyEnd(conn_, nullptr) != 1) {
            throw std::runtime_error(PQerrorMessage(conn_));
        }
        while (PGresult* result = PQgetResult(conn_)) Check(result);
    }

private:
    void Check(PGresult* result) {
        const ExecStatusType status = PQresultStatus(result);
        PQclear(result);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN) {
            throw std::runtime_error(PQerrorMessage(conn_));
        }
    }
    PGconn* conn_;
};

// In the order of usage_rows' columns.
std::string CopyText(const std::vector<usage::UsageRow>& rows, std::size_t from, std::size_t to) {
    std::string out;
    for (std::size_t i = from; i < to; ++i) {
        const usage::UsageRow& row = rows[i];
        out += row.operation.uuid.Dashed() + '\t' + row.team.uuid.Dashed() + '\t' +
               row.key->uuid.Dashed() + '\t' + row.billing.uuid.Dashed() + '\t' +
               row.billing.uuid.Dashed() + '\t' + Rfc3339(row.started_at);
        for (const std::int64_t number :
             {row.characters, row.audio_ms, row.engine_ms, row.bytes, row.charge_milli}) {
            out += '\t' + std::to_string(number);
        }
        out += "\t200\tt\tf\tf\tspeech\tcomplete\t" + row.route + '\t' + row.voice + '\t' +
               row.model + '\t' + row.engine + "\t\t\n";
    }
    return out;
}

double CopyRate(Owner& owner, std::size_t count) {
    const std::vector<usage::UsageRow> rows = MakeRows(count);
    const auto start = Clock::now();
    for (std::size_t from = 0; from < count; from += kBatch) {
        owner.Copy(CopyText(rows, from, std::min(count, from + kBatch)));
    }
    return static_cast<double>(count) / Since(start);
}

struct Ship {
    usage::Journal* journal;
    pg::Database* database;
    std::size_t count;
    double rate = 0;          // of a backlog, rows/s
    double last_arrival = 0;  // seconds after the last row was journalled
};

Task<void> WaitShipped(usage::Shipper* shipper, std::uint64_t rows) {
    while (shipper->rows_shipped() < rows) co_await Sleep(std::chrono::milliseconds(1));
}

// What was journalled while PostgreSQL was away.
Task<void> ShipBacklog(asio::io_context* loop, Ship* ship) {
    for (const usage::UsageRow& row : MakeRows(ship->count)) ship->journal->End(row);
    usage::Shipper shipper(*loop, *ship->journal, *ship->database, {});
    const auto start = Clock::now();
    shipper.Start();
    co_await WaitShipped(&shipper, ship->count);
    ship->rate = static_cast<double>(ship->count) / Since(start);
    co_await shipper.Stop();
}

// 20,000 rows a second for five seconds: a mark and an end each, as speech writes them.
Task<void> ShipSteady(asio::io_context* loop, Ship* ship) {
    usage::Shipper shipper(*loop, *ship->journal, *ship->database, {});
    shipper.Start();
    const auto start = Clock::now();
    std::uint64_t written = 0;
    while (written < 100'000) {
        const auto due = static_cast<std::uint64_t>(Since(start) * 20'000);
        while (written < due && written < 100'000) {
            for (const usage::UsageRow& row : MakeRows(100)) {
                if (!ship->journal->Mark(row)) co_return;
                ship->journal->End(row);
            }
            written += 100;
        }
        co_await Sleep(std::chrono::milliseconds(1));
    }
    const double journalled = Since(start);
    const auto last = Clock::now();
    co_await WaitShipped(&shipper, written);
    ship->last_arrival = Since(last);
    std::printf("20,000 rows/s for %.1f s     all in PostgreSQL %.2f s after the last\n",
                journalled, ship->last_arrival);
    co_await shipper.Stop();
}

template <class Body>
void WithDatabase(const pg::RoleUrls& urls, const fs::path& folder, std::size_t count, Body body,
                  double* rate = nullptr) {
    asio::io_context loop(1);
    pg::PoolOptions app;
    app.url = urls.app;
    app.connections = 1;
    pg::PoolOptions system = app;
    system.url = urls.system;
    pg::Database database(loop, app, system);
    usage::JournalOptions options;
    options.folder = folder;
    auto journal = usage::Journal::Open(options).value();
    Ship ship{journal.get(), &database, count};
    auto all = [](asio::io_context* l, Ship* s, Body* run) -> Task<void> {
        co_await s->database->WaitAvailable(std::chrono::seconds(10));
        co_await (*run)(l, s);
        s->database->Close();
    };
    RunTask(loop, all(&loop, &ship, &body));
    if (rate) *rate = ship.rate;
}

int Bench(const fs::path& dir, std::size_t count) {
    Append(dir / "append", count);
    auto lock = pg::DataDirLock::Acquire(dir);
    if (!lock) throw std::runtime_error(lock.error().message());
    auto cluster = pg::PrivateCluster::Start(*lock, {});
    if (!cluster) throw std::runtime_error(cluster.error().message());
    pg::RoleOptions roles;
    roles.owner_url = (*cluster)->url();
    roles.app_password = "app-password";
    roles.system_password = "system-password";
    auto urls = pg::EnsureRoles(roles);
    if (!urls) throw std::runtime_error(urls.error().message());
    pg::MigrationOptions migration;
    migration.url = roles.owner_url;
    migration.folder = fs::path(VF_SOURCE_DIR) / "migrations";
    auto migrated = pg::MigrateNow(migration);
    if (!migrated) throw std::runtime_error(migrated.error().message());
    Owner owner(roles.owner_url);
    owner.Run(
        "CREATE TABLE bench_rows (LIKE usage_rows INCLUDING ALL) PARTITION BY RANGE (id);"
        "CREATE TABLE bench_rows_all PARTITION OF bench_rows DEFAULT");
    WithDatabase(*urls, dir / "steady", 0, &ShipSteady);
    double copied = 0;
    double shipped = 0;
    for (int round = 0; round < kRounds; ++round) {
        const double copy = CopyRate(owner, count);
        double ship = 0;
        WithDatabase(*urls, dir / ("backlog" + std::to_string(round)), count, &ShipBacklog, &ship);
        std::printf("bare COPY %9.0f rows/s   journal to PostgreSQL %9.0f rows/s   ratio %.2f\n",
                    copy, ship, ship / copy);
        copied += copy;
        shipped += ship;
    }
    std::printf("usage ingest / bare COPY: %.2f (bar: 0.5)\n", shipped / copied);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const auto count = static_cast<std::size_t>(argc > 1 ? std::atol(argv[1]) : 200'000);
    std::string pattern = (fs::temp_directory_path() / "usage_bench_XXXXXX").string();
    const fs::path dir = ::mkdtemp(pattern.data());
    int code = 1;
    try {
        code = Bench(dir, count);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "%s\n", e.what());
    }
    std::error_code ignored;
    fs::remove_all(dir, ignored);
    return code;
}
