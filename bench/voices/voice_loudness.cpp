// voice_loudness TEXT_FILE VOICE...: integrated loudness (ITU-R BS.1770, libebur128) of each voice
// over the text, and the gain to -20 LUFS, as it stands in the workers' voice tables.
#include <ebur128.h>

#include <cstdio>

#include "speak_lines.hpp"

namespace vf::bench {
namespace {

constexpr double kTarget = -20;

double Loudness(const Recording& recording) {
    ebur128_state* state =
        ebur128_init(1, static_cast<unsigned long>(recording.sample_rate), EBUR128_MODE_I);
    ebur128_add_frames_short(state, recording.samples.data(), recording.samples.size());
    double loudness = 0;
    ebur128_loudness_global(state, &loudness);
    ebur128_destroy(&state);
    return loudness;
}

Task<int> Measure(engines::Engines* all, std::vector<std::string> lines,
                  std::vector<std::string> voices) {
    std::printf("%-16s %8s %8s %8s\n", "voice", "seconds", "LUFS", "gain dB");
    for (const std::string& voice : voices) {
        const Recording recording = co_await SpeakLines(all, voice, lines);
        const double loudness = Loudness(recording);
        std::printf("%-16s %8.1f %8.1f %8.1f\n", voice.c_str(),
                    static_cast<double>(recording.samples.size()) / recording.sample_rate, loudness,
                    kTarget - loudness);
    }
    co_return 0;
}

}  // namespace
}  // namespace vf::bench

int main(int argc, char** argv) {
    using namespace vf;
    if (argc < 3) {
        std::fprintf(stderr, "usage: voice_loudness TEXT_FILE VOICE...\n");
        return 2;
    }
    static std::vector<std::string> lines, voices;
    lines = bench::ReadLines(argv[1]);
    voices = {argv + 2, argv + argc};
    auto body = [](engines::Engines* all) -> Task<int> {
        return bench::Measure(all, lines, voices);
    };
    return bench::WithEngines(body);
}
