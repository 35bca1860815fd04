// The bare worker pool: segments per second, first chunk and total time, with as many callers as
// workers; with --mp3 each utterance also passes through the server's encoder, and nothing else.
// The reference for synthesis over HTTP.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "audio/encoder.hpp"
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
    int mp3_rate = 0;        // Hz; 0: samples only
    bool per_chunk = false;  // encode beside the synthesis, not after it
    asio::thread_pool* encoders = nullptr;
    std::uint64_t encoded_bytes = 0;
    Clock::time_point end;
    std::vector<double> first_ms, total_ms;
    double audio_seconds = 0;
    std::uint64_t failed = 0;
};

double Milliseconds(Clock::time_point from) {
    return std::chrono::duration<double, std::milli>(Clock::now() - from).count();
}

// The encoder alone, with as many samples as a reply at its rate has: drawn straight between the
// engine's, which costs next to nothing and gives the encoder speech to work on.
class Mp3 {
public:
    Mp3(int engine_rate, int rate) : step_(static_cast<double>(engine_rate) / rate) {
        auto made =
            audio::MakeEncoder({.format = audio::Format::kMp3, .sample_rate = rate, .whole = true});
        encoder_ = *std::move(made);
    }

    void Write(const std::vector<std::int16_t>& samples) {
        std::vector<float> drawn;
        drawn.reserve(static_cast<std::size_t>(static_cast<double>(samples.size()) / step_) + 1);
        for (; at_ < static_cast<double>(samples.size()) - 1; at_ += step_) {
            const auto left = static_cast<std::size_t>(at_);
            const auto part = static_cast<float>(at_ - static_cast<double>(left));
            const auto a = static_cast<float>(samples[left]);
            const auto b = static_cast<float>(samples[left + 1]);
            drawn.push_back((a + (b - a) * part) / 32768.0F);
        }
        at_ = std::max(0.0, at_ - static_cast<double>(samples.size()));
        bytes_ += encoder_->Write(drawn);
    }

    std::size_t Finish() {
        bytes_ += encoder_->Finish();
        return bytes_.size();
    }

private:
    double step_;
    double at_ = 0;
    std::unique_ptr<audio::Encoder> encoder_;
    std::string bytes_;
};

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
        std::shared_ptr<Mp3> mp3;
        std::vector<std::int16_t> all_samples;
        if (run->mp3_rate != 0) {
            mp3 = std::make_shared<Mp3>((*utterance)->sample_rate(), run->mp3_rate);
        }
        for (;;) {
            auto chunk = co_await (*utterance)->Next();
            if (!chunk) ++run->failed;
            if (!chunk || !*chunk) break;
            if (first) run->first_ms.push_back(Milliseconds(start));
            first = false;
            run->audio_seconds +=
                static_cast<double>((*chunk)->samples.size()) / (*utterance)->sample_rate();
            if (!mp3) continue;
            if (run->per_chunk) {
                auto write = [mp3, samples = std::move((*chunk)->samples)] { mp3->Write(samples); };
                co_await Offload(*run->encoders, std::move(write));
            } else {
                all_samples.insert(all_samples.end(), (*chunk)->samples.begin(),
                                   (*chunk)->samples.end());
            }
        }
        if (mp3) {
            auto finish = [mp3, samples = std::move(all_samples)] {
                mp3->Write(samples);
                return mp3->Finish();
            };
            run->encoded_bytes += co_await Offload(*run->encoders, std::move(finish));
        }
        // As a load generator counts: what ends after the time is over does not.
        if (Clock::now() < run->end) run->total_ms.push_back(Milliseconds(start));
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
    app.add_option("--mp3", run.mp3_rate, "Encode each utterance as MP3 of this sample rate")
        ->check(CLI::Range(8000, 48000));
    app.add_flag("--per-chunk", run.per_chunk, "Encode while the engine speaks, chunk by chunk");
    CLI11_PARSE(app, argc, argv);
    asio::thread_pool encoders(static_cast<std::size_t>(run.workers));
    run.encoders = &encoders;
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
        "total_ms p50 %.2f p99 %.2f encoded %llu failed %llu\n",
        run.voice.c_str(), run.workers, static_cast<double>(run.total_ms.size()) / run.seconds,
        run.audio_seconds / run.seconds, bench::At(run.first_ms, 0.5),
        bench::At(run.first_ms, 0.99), bench::At(run.total_ms, 0.5), bench::At(run.total_ms, 0.99),
        static_cast<unsigned long long>(run.encoded_bytes),
        static_cast<unsigned long long>(run.failed));
    return run.failed == 0 ? 0 : 1;
}
