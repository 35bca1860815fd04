// Simple selects per second through vf::pg on one thread: one at a time against many in flight on
// one connection, and with two connections. The database is DATABASE_URL, or a private cluster in a
// temporary folder. Usage: pg_bench [seconds per row, default 3]

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "pg/pg.hpp"
#include "pg/private_cluster.hpp"

namespace {

using vf::Task;
using Clock = std::chrono::steady_clock;

constexpr vf::pg::Statement kSelect{"bench_select", "SELECT $1::bigint"};

struct Run {
    Clock::time_point end;
    int running = 0;
    std::int64_t answered = 0;
};

Task<void> Ask(vf::pg::Pool* pool, Run* run) {
    for (std::int64_t i = 0; Clock::now() < run->end; ++i) {
        vf::pg::Params params;
        params.Int(i);
        const vf::pg::Rows rows = co_await pool->Query(kSelect, std::move(params));
        if (rows[0].Int(0) == i) ++run->answered;
    }
    --run->running;
}

double CpuSeconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Task<void> Measure(vf::pg::Pool* pool, int callers, std::size_t connections, double seconds) {
    co_await pool->WaitAvailable(std::chrono::milliseconds(10000));
    while (pool->stats().connected < connections) {
        co_await vf::Sleep(std::chrono::milliseconds(1));
    }
    const vf::Executor loop = co_await boost::asio::this_coro::executor;
    Run run;
    const auto start = Clock::now();
    const double cpu = CpuSeconds();
    run.end =
        start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    for (int i = 0; i < callers; ++i) {
        ++run.running;
        vf::Spawn(loop, Ask(pool, &run), "ask");
    }
    while (run.running > 0) co_await vf::Sleep(std::chrono::milliseconds(1));
    const double wall = std::chrono::duration<double>(Clock::now() - start).count();
    const auto answered = static_cast<double>(run.answered);
    std::printf("%8d callers  %zu connection(s)  %9.0f selects/s  %6.2f us client CPU each\n",
                callers, connections, answered / wall, (CpuSeconds() - cpu) / answered * 1e6);
    pool->Close();
}

void Row(const std::string& url, int callers, std::int64_t connections, double seconds) {
    vf::pg::PoolOptions options;
    options.url = url;
    options.connections = connections;
    boost::asio::io_context loop(1);
    vf::pg::Pool pool(loop, options);
    vf::RunTask(loop, Measure(&pool, callers, static_cast<std::size_t>(connections), seconds));
}

int Bench(const std::string& url, double seconds) {
    Row(url, 1, 1, seconds);
    for (const int callers : {16, 64, 256}) Row(url, callers, 1, seconds);
    Row(url, 256, 2, seconds);
    return 0;
}

double Since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

int BenchPrivate(double seconds) {
    std::string pattern = (std::filesystem::temp_directory_path() / "pg_bench_XXXXXX").string();
    const std::filesystem::path dir = ::mkdtemp(pattern.data());
    int code = 1;
    {
        auto lock = vf::pg::DataDirLock::Acquire(dir);
        if (!lock) return code;
        for (const char* what : {"first start", "start after a clean stop"}) {
            const auto start = Clock::now();
            auto cluster = vf::pg::PrivateCluster::Start(*lock, {});
            if (!cluster) {
                std::fprintf(stderr, "%s\n", cluster.error().message().c_str());
                return code;
            }
            std::printf("private cluster, %s: %.0f ms\n", what, Since(start));
            const bool last = what[0] == 's';
            if (last) code = Bench((*cluster)->url(), seconds);
        }
    }
    std::error_code ignored;
    std::filesystem::remove_all(dir, ignored);
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    const double seconds = argc > 1 ? std::atof(argv[1]) : 3.0;
    const char* url = std::getenv("DATABASE_URL");
    return url != nullptr ? Bench(url, seconds) : BenchPrivate(seconds);
}
