// CPU time for each second of audio: every encoder, every step of the chain, and the whole chain
// from an engine's 16 kHz to a response, in chunks of 100 ms as engines deliver them.
#include <fmt/format.h>

#include <cmath>
#include <ctime>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "audio/encoder.hpp"
#include "audio/gain.hpp"
#include "audio/joiner.hpp"
#include "audio/limiter.hpp"
#include "audio/prosody.hpp"
#include "audio/resampler.hpp"

namespace {

using namespace vf::audio;

constexpr int kSeconds = 30;

double CpuMs() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// Pulses through two resonances with some noise, in syllables: enough like speech for an encoder.
std::vector<float> Speech(int rate) {
    std::mt19937 random(1);
    std::uniform_real_distribution<double> noise(-0.02, 0.02);
    std::vector<float> out(static_cast<std::size_t>(rate * kSeconds));
    for (std::size_t i = 0; i < out.size(); ++i) {
        const double t = static_cast<double>(i) / rate;
        const double in_period = std::fmod(t * 120, 1.0) / 120;
        const double voice = std::exp(-in_period * 300) *
                             (std::sin(4400 * in_period) + 0.5 * std::sin(11000 * in_period));
        const double syllable = std::max(0.0, std::sin(t * 20)) * (std::fmod(t, 3) < 2.6 ? 1 : 0);
        out[i] = static_cast<float>(0.4 * voice * syllable + noise(random) * syllable);
    }
    return out;
}

void Report(const std::string& name, const std::function<std::size_t()>& run) {
    run();
    double best = 1e9;
    std::size_t bytes = 0;
    for (int round = 0; round < 3; ++round) {
        const double start = CpuMs();
        bytes = run();
        best = std::min(best, CpuMs() - start);
    }
    fmt::print("{:<28} {:>8.3f} ms/s {:>8.1f} kbit/s\n", name, best / kSeconds,
               static_cast<double>(bytes) * 8 / 1000 / kSeconds);
}

template <class Take>
void InChunks(const std::vector<float>& samples, int rate, Take take) {
    const auto chunk = static_cast<std::size_t>(rate / 10);
    for (std::size_t at = 0; at < samples.size(); at += chunk) {
        take(std::span(samples).subspan(at, std::min(chunk, samples.size() - at)));
    }
}

std::size_t Encode(const std::vector<float>& samples, Format format, int rate) {
    auto encoder = MakeEncoder({.format = format, .sample_rate = rate});
    std::size_t bytes = 0;
    InChunks(samples, rate,
             [&](std::span<const float> part) { bytes += (*encoder)->Write(part).size(); });
    return bytes + (*encoder)->Finish().size();
}

std::size_t Chain(const std::vector<float>& samples, int rate, Format format) {
    const int out_rate = InfoOf(format).default_rate;
    auto encoder = MakeEncoder({.format = format, .sample_rate = out_rate});
    Gain gain(rate, 3);
    Joiner joiner(rate);
    Resampler resampler(rate, out_rate);
    Limiter limiter(out_rate);
    std::size_t bytes = 0;
    const auto pass = [&](const std::vector<float>& part) {
        bytes += (*encoder)->Write(limiter.Process(resampler.Process(part))).size();
    };
    joiner.StartSegment(Pause::kNone);
    InChunks(samples, rate, [&](std::span<const float> part) {
        std::vector<float> loud(part.begin(), part.end());
        gain.Apply(loud);
        pass(joiner.Write(loud));
    });
    pass(joiner.EndSegment());
    pass(joiner.Finish());
    bytes += (*encoder)->Write(limiter.Process(resampler.Flush())).size();
    bytes += (*encoder)->Write(limiter.Flush()).size();
    return bytes + (*encoder)->Finish().size();
}

}  // namespace

int main() {
    const auto engine = Speech(16000);
    for (const FormatInfo& info : Formats()) {
        const auto samples = Speech(info.default_rate);
        Report(fmt::format("encode {} {} Hz", info.name, info.default_rate),
               [&] { return Encode(samples, info.format, info.default_rate); });
    }
    Report("resample 16 to 24 kHz", [&] {
        Resampler resampler(16000, 24000);
        InChunks(engine, 16000, [&](std::span<const float> part) { resampler.Process(part); });
        return resampler.Flush().size() * 0;
    });
    const auto loud = Speech(24000);
    Report("limit 24 kHz", [&] {
        Limiter limiter(24000);
        InChunks(loud, 24000, [&](std::span<const float> part) { limiter.Process(part); });
        return limiter.Flush().size() * 0;
    });
    Report("limit 24 kHz, 12 dB too loud", [&] {
        Limiter limiter(24000, -13);
        InChunks(loud, 24000, [&](std::span<const float> part) { limiter.Process(part); });
        return limiter.Flush().size() * 0;
    });
    Report("join 16 kHz", [&] {
        Joiner joiner(16000);
        joiner.StartSegment(Pause::kNone);
        InChunks(engine, 16000, [&](std::span<const float> part) { joiner.Write(part); });
        return joiner.EndSegment().size() * 0 + joiner.Finish().size() * 0;
    });
    Report("stretch to 1.25, 16 kHz", [&] {
        TimeStretcher stretcher(16000, 1.25, 0);
        InChunks(engine, 16000, [&](std::span<const float> part) { stretcher.Process(part); });
        return stretcher.Flush().size() * 0;
    });
    for (const Format format : {Format::kPcm, Format::kMp3, Format::kOpus}) {
        Report(fmt::format("whole chain, {}", InfoOf(format).name),
               [&] { return Chain(engine, 16000, format); });
    }
    return 0;
}
