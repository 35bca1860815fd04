// What timeline and SSML cost: one paragraph through the corridor as plain text without times, and
// as SSML with all of them, in alternating rounds. Prints milliseconds of processor time, ours and
// the engine's, for a second of audio. Usage: timeline_bench voice
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "base/log.hpp"
#include "engines/engines.hpp"
#include "speech/speech_service.hpp"
#include "text/split.hpp"

namespace {

using namespace vf;
constexpr int kRounds = 40;
constexpr const char* kPlain =
    "It was a quiet morning in the small town by the sea. The fishing boats had left before "
    "sunrise, and only a few people walked along the harbour wall. A woman opened the doors of her "
    "bakery, and the smell of fresh bread drifted across the square. Children on their way to "
    "school stopped at the window to look at the cakes.";
constexpr const char* kMarkup =
    "<speak><p><s>It was a quiet <mark name=\"a\"/>morning in the small town by the sea.</s> "
    "<s>The fishing boats had left before sunrise, and only a few people walked along the "
    "<sub alias=\"harbour\">harbour</sub> wall.</s> <s>A woman opened the doors of her bakery, and "
    "the smell of <mark name=\"b\"/>fresh bread drifted across the square.</s> <s>Children on "
    "their way to school stopped at the window to look at the cakes.</s></p></speak>";

struct Taken {
    double seconds = 0;
    double audio = 0;
};

struct Bench {
    asio::io_context loop{1};
    asio::thread_pool dsp{std::max(1U, std::thread::hardware_concurrency())};
    engines::Engines engines;
    speech::SpeechService service;
    std::string voice;

    Bench(engines::EngineOptions options, std::string speaker)
        : engines(loop, std::move(options)), service(loop, engines, dsp, {}),
          voice(std::move(speaker)) {}

    double CpuSeconds() const {
        rusage used{};
        getrusage(RUSAGE_SELF, &used);
        double seconds = 0;
        for (const timeval& part : {used.ru_utime, used.ru_stime}) {
            seconds += static_cast<double>(part.tv_sec) + static_cast<double>(part.tv_usec) / 1e6;
        }
        for (const engines::EngineStats& engine : engines.stats()) seconds += engine.cpu_seconds;
        return seconds;
    }

    static Task<Taken> Speak(Bench* self, bool is_full) {
        speech::SpeechRequest request;
        request.text = is_full ? kMarkup : kPlain;
        request.markup = is_full ? speech::Markup::kSsml : speech::Markup::kPlain;
        request.wants_timing = is_full;
        request.voice = self->voice;
        request.format = audio::Format::kPcm;
        request.sample_rate = 24'000;
        request.whole = true;
        const double since = self->CpuSeconds();
        auto started = co_await self->service.Start(std::move(request));
        if (!started) throw std::runtime_error(started.error().message());
        const std::shared_ptr<speech::Speech> spoken = *started;
        const auto body = co_await self->service.Collect(spoken);
        if (!body) throw std::runtime_error(body.error().message());
        Taken taken;
        taken.seconds = self->CpuSeconds() - since;
        taken.audio = spoken->seconds();
        co_return taken;
    }

    static Task<void> Run(Bench* self) {
        co_await self->engines.Start();
        std::vector<double> plain;
        std::vector<double> full;
        for (int round = -3; round < kRounds; ++round) {
            const Taken without = co_await Speak(self, false);
            const Taken with = co_await Speak(self, true);
            if (round < 0) continue;  // warm
            plain.push_back(without.seconds * 1e3 / without.audio);
            full.push_back(with.seconds * 1e3 / with.audio);
        }
        std::ranges::sort(plain);
        std::ranges::sort(full);
        const double a = plain[plain.size() / 2];
        const double b = full[full.size() / 2];
        std::printf("plain %.3f ms/s  timeline and SSML %.3f ms/s  ratio %.3f\n", a, b, b / a);
        co_await self->engines.Stop();
    }
};

}  // namespace

int main(int argc, char** argv) {
    log::Configure(log::Level::kWarning, log::Format::kJson, "");
    engines::EngineOptions options;
    options.workers_per_engine = 1;
    Bench bench(options, argc > 1 ? argv[1] : "slt");
    text::WarmUp();
    RunTask(bench.loop, Bench::Run(&bench));
    bench.dsp.join();
    return 0;
}
