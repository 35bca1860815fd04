// The bare worker pool: segments per second, first chunk and total time, with as many callers as
// workers. The reference for synthesis over HTTP.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "base/log.hpp"
#include "engines/engines.hpp"

namespace vf::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Run {
    std::string voice = "slt";
    std::string text = "The quick brown fox jumps over the lazy dog near the old mill.";
    int workers = 2;
    int callers = 0;  // 0: as many as workers
    double seconds = 5;
    bool events = true;
    Clock::time_point end;
    std::vector<double> first_ms, total_ms;
    double audio_seconds = 0;
    std::uint64_t failed = 0;
};

double Milliseconds(Clock::time_point from) {
    return std::chrono::duration<double, std::milli>(Clock::now() - from).count();
}

// One caller: speaks the text again and again until the time is over.
Task<void> Call(engines::Engines* all, Run* run, int* left) {
    while (Clock::now() < run->end) {
        const auto start = Clock::now();
        engines::SegmentRequest request;
        request.voice = run->voice;
        request.text = run->text;
        request.wants_events = run->events;
        auto utterance = co_await all->Speak(std::move(request));
        if (!utterance) {
            ++run->failed;
            break;
        }
        bool first = true;
        for (;;) {
            auto chunk = co_await (*utterance)->Next();
            if (!chunk) ++run->failed;
            if (!chunk || !*chunk) break;
            if (first) run->first_ms.push_back(Milliseconds(start));
            first = false;
            run->audio_seconds +=
                static_cast<double>((*chunk)->samples.size()) / (*utterance)->sample_rate();
        }
        run->total_ms.push_back(Milliseconds(start));
    }
    if (--*left == 0) co_await all->Stop();
}

Task<void> Begin(engines::Engines* all, Run* run, int* left) {
    co_await all->Start();
    run->end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                  std::chrono::duration<double>(run->seconds));
    const Executor executor = co_await asio::this_coro::executor;
    for (int i = 0; i < run->callers; ++i) Spawn(executor, Call(all, run, left), "caller");
}

double At(std::vector<double>& values, double part) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

}  // namespace
}  // namespace vf::bench

int main(int argc, char** argv) {
    using namespace vf;
    bench::Run run;
    CLI::App app("Measures the bare worker pool.");
    app.add_option("--voice", run.voice, "Voice id");
    app.add_option("--text", run.text, "One segment of text");
    app.add_option("--workers", run.workers, "Worker processes")->check(CLI::Range(1, 64));
    app.add_option("--seconds", run.seconds, "How long")->check(CLI::Range(0.1, 3600.0));
    app.add_flag("!--no-events", run.events, "Without word and phoneme times");
    app.add_option("--callers", run.callers, "Callers; else as many as workers")
        ->check(CLI::Range(1, 1024));
    CLI11_PARSE(app, argc, argv);
    if (run.callers == 0) run.callers = run.workers;
    log::Configure(log::Level::kWarning, log::Format::kText, "");
    asio::io_context loop;
    engines::EngineOptions options;
    options.workers_per_engine = run.workers;
    engines::Engines all(loop, options);
    int left = run.callers;
    Spawn(loop.get_executor(), bench::Begin(&all, &run, &left), "bench");
    loop.run();
    std::printf(
        "voice %s workers %d segments/s %.2f audio_s/s %.1f first_ms p50 %.2f p99 %.2f "
        "total_ms p50 %.2f p99 %.2f failed %llu\n",
        run.voice.c_str(), run.workers, static_cast<double>(run.total_ms.size()) / run.seconds,
        run.audio_seconds / run.seconds, bench::At(run.first_ms, 0.5),
        bench::At(run.first_ms, 0.99), bench::At(run.total_ms, 0.5), bench::At(run.total_ms, 0.99),
        static_cast<unsigned long long>(run.failed));
    return run.failed == 0 ? 0 : 1;
}
