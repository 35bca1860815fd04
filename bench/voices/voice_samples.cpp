// voice_samples TEXT_FILE FOLDER VOICE...: writes FOLDER/VOICE.wav for each voice.
#include <cstdio>
#include <cstring>

#include "speak_lines.hpp"

namespace vf::bench {
namespace {

struct Plan {
    std::string folder;
    std::vector<std::string> lines, voices;
};

void WriteWav(const std::string& path, const Recording& recording) {
    const auto bytes = static_cast<std::uint32_t>(recording.samples.size() * 2);
    const auto rate = static_cast<std::uint32_t>(recording.sample_rate);
    std::string out = "RIFF";
    const auto put = [&](std::uint32_t number, int size) {
        for (int i = 0; i < size; ++i) out += static_cast<char>(number >> (8 * i));
    };
    put(36 + bytes, 4);
    out += "WAVEfmt ";
    put(16, 4);
    put(1, 2);
    put(1, 2);
    put(rate, 4);
    put(rate * 2, 4);
    put(2, 2);
    put(16, 2);
    out += "data";
    put(bytes, 4);
    out.append(reinterpret_cast<const char*>(recording.samples.data()), bytes);
    std::ofstream(path, std::ios::binary) << out;
}

Task<int> WriteAll(engines::Engines* all, Plan plan) {
    for (const std::string& voice : plan.voices) {
        const Recording recording = co_await SpeakLines(all, voice, plan.lines);
        WriteWav(plan.folder + "/" + voice + ".wav", recording);
    }
    co_return 0;
}

}  // namespace
}  // namespace vf::bench

int main(int argc, char** argv) {
    using namespace vf;
    if (argc < 4) {
        std::fprintf(stderr, "usage: voice_samples TEXT_FILE FOLDER VOICE...\n");
        return 2;
    }
    static bench::Plan plan;
    plan = {argv[2], bench::ReadLines(argv[1]), {argv + 3, argv + argc}};
    auto body = [](engines::Engines* all) -> Task<int> { return bench::WriteAll(all, plan); };
    return bench::WithEngines(body);
}
