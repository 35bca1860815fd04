#include "audio/test_audio.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

extern char** environ;

namespace vf::audio {
namespace {

std::string ReadAll(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

int Run(std::vector<std::string> arguments, const std::string& stderr_path) {
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, stderr_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                     0600);
    pid_t pid = 0;
    const int failed = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    int status = -1;
    if (failed != 0 || waitpid(pid, &status, 0) != pid) return -1;
    return status;
}

}  // namespace

std::vector<float> Tone(int rate, double hertz, double seconds, double amplitude, double phase) {
    std::vector<float> out(static_cast<std::size_t>(rate * seconds));
    for (std::size_t i = 0; i < out.size(); ++i) {
        const double angle = 2 * std::numbers::pi * hertz * static_cast<double>(i) / rate + phase;
        out[i] = static_cast<float>(amplitude * std::sin(angle));
    }
    return out;
}

std::vector<float> Noise(int rate, double seconds, double amplitude, unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> value(static_cast<float>(-amplitude),
                                                static_cast<float>(amplitude));
    std::vector<float> out(static_cast<std::size_t>(rate * seconds));
    for (float& sample : out) sample = value(random);
    return out;
}

double AmplitudeAt(std::span<const float> samples, int rate, double hertz) {
    double re = 0;
    double im = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const double angle = 2 * std::numbers::pi * hertz * static_cast<double>(i) / rate;
        re += samples[i] * std::cos(angle);
        im += samples[i] * std::sin(angle);
    }
    return 2 * std::hypot(re, im) / static_cast<double>(std::max<std::size_t>(samples.size(), 1));
}

double Rms(std::span<const float> samples) {
    double sum = 0;
    for (const float sample : samples) sum += static_cast<double>(sample) * sample;
    return samples.empty() ? 0 : std::sqrt(sum / static_cast<double>(samples.size()));
}

double Fundamental(std::span<const float> samples, int rate) {
    const std::size_t length = std::min<std::size_t>(samples.size() / 2, 8192);
    const auto part = samples.subspan(samples.size() / 4, length);
    const auto correlate = [&](std::size_t lag) {
        double sum = 0;
        for (std::size_t i = 0; i + lag < part.size(); ++i) sum += part[i] * part[i + lag];
        return sum / static_cast<double>(part.size() - lag);
    };
    const std::size_t longest = static_cast<std::size_t>(rate) / 60;
    std::vector<double> values(longest + 2);
    for (std::size_t lag = static_cast<std::size_t>(rate) / 1000; lag < values.size(); ++lag) {
        values[lag] = correlate(lag);
    }
    const double most = *std::max_element(values.begin(), values.end());
    // The first maximum nearly as high as the highest: its multiples are as high.
    for (std::size_t lag = static_cast<std::size_t>(rate) / 1000 + 1; lag <= longest; ++lag) {
        const double here = values[lag];
        if (here < 0.9 * most || here < values[lag - 1] || here < values[lag + 1]) continue;
        const double curve = values[lag - 1] - 2 * here + values[lag + 1];
        const double shift = curve == 0 ? 0 : 0.5 * (values[lag - 1] - values[lag + 1]) / curve;
        return rate / (static_cast<double>(lag) + shift);
    }
    return 0;
}

void InRandomPieces(std::span<const float> samples, std::size_t longest, unsigned seed,
                    const std::function<void(std::span<const float>)>& take) {
    std::mt19937 random(seed);
    std::uniform_int_distribution<std::size_t> length(0, longest);
    while (!samples.empty()) {
        const std::size_t piece = std::min(length(random), samples.size());
        take(samples.first(piece));
        samples = samples.subspan(piece);
    }
}

std::vector<float> Decode(const std::string& bytes, const std::string& extension, int rate,
                          const std::vector<std::string>& input_options, std::string* complaints) {
    std::string folder = (std::filesystem::temp_directory_path() / "vf_audio_XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) return {};
    const std::string input = folder + "/in." + extension;
    const std::string output = folder + "/out.f32";
    const std::string log = folder + "/log";
    std::ofstream(input, std::ios::binary) << bytes;
    std::vector<std::string> command = {"ffmpeg", "-v", "error", "-y"};
    command.insert(command.end(), input_options.begin(), input_options.end());
    for (const std::string& argument :
         {std::string("-i"), input, std::string("-f"), std::string("f32le"), std::string("-ac"),
          std::string("1"), std::string("-ar"), std::to_string(rate), output}) {
        command.push_back(argument);
    }
    const int status = Run(command, log);
    const std::string raw = ReadAll(output);
    if (complaints != nullptr) *complaints = ReadAll(log);
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    if (status != 0) return {};
    std::vector<float> samples(raw.size() / sizeof(float));
    std::copy_n(raw.data(), samples.size() * sizeof(float),
                reinterpret_cast<char*>(samples.data()));
    return samples;
}

}  // namespace vf::audio
