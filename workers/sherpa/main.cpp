// The worker of one neural model: opens the speech library, loads the model of its folder, speaks.
#include <fstream>
#include <iterator>
#include <string>

#include "common/limits.hpp"
#include "sherpa/speech.hpp"

namespace vf::worker {
namespace {

using namespace vf::engines;

// Set once in main(), before the cage closes and the engine is made.
SherpaLibrary g_library;
int g_threads = 1;

std::string Described(const neural::Manifest& manifest) {
    if (manifest.kind == "vits") return "A neural VITS voice.";
    if (manifest.kind == "matcha") return "A neural Matcha-TTS voice.";
    if (manifest.kind == "kokoro") return "A neural Kokoro voice.";
    return "A neural KittenTTS voice.";
}

class SherpaEngine : public Engine {
public:
    bool Open() {
        std::ifstream file(neural::kManifestFile, std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        if (!file.is_open()) {
            Say("the model's folder has no manifest.toml");
            return false;
        }
        Result<neural::Manifest> manifest = neural::ParseManifest(text);
        if (!manifest) {
            Say(manifest.error().message());
            return false;
        }
        return speech_.Open(g_library, *manifest, g_threads);
    }

    Hello Describe() override {
        const neural::Manifest& manifest = speech_.manifest();
        Hello hello;
        hello.engine = "sherpa";
        hello.version = VF_SHERPA_VERSION;
        hello.licence = "Apache-2.0, with espeak-ng: GPL-3.0-or-later";
        for (const neural::Speaker& speaker : manifest.speakers) {
            Voice voice;
            voice.id = speaker.voice;
            voice.name = speaker.name;
            voice.languages = {speaker.language};
            voice.gender = speaker.gender;
            voice.quality = manifest.quality;
            voice.technology = "neural";
            voice.sample_rate = manifest.sample_rate;
            voice.licence = manifest.licence;
            voice.description = Described(manifest);
            voice.gain_db = manifest.gain_db;
            voice.revision = manifest.files.front().sha256.substr(0, 16) + manifest.installed_at;
            voice.speed_min = kSherpaSlowest;
            voice.speed_max = kSherpaFastest;
            voice.tells_times = false;
            hello.voices.push_back(std::move(voice));
        }
        return hello;
    }

    Result<void> Speak(const Request& request, Sink& sink) override {
        return speech_.Speak(request, sink);
    }

private:
    SherpaSpeech speech_;
};

std::unique_ptr<Engine> Make(std::string_view /*name*/) {
    auto engine = std::make_unique<SherpaEngine>();
    if (!engine->Open()) return nullptr;
    return engine;
}

}  // namespace
}  // namespace vf::worker

int main(int argc, char** argv) {
    vf::worker::Limits limits;
    if (!vf::worker::ReadArguments(argc, argv, limits) || limits.library.empty() ||
        limits.model.empty()) {
        vf::worker::Say("this program speaks for voiceflowd, which starts it with a model");
        return 64;  // EX_USAGE
    }
    vf::Result<vf::worker::SherpaLibrary> library =
        vf::worker::OpenSherpa(std::string(limits.library));
    if (!library) {
        vf::worker::Say(library.error().message());
        return 69;  // EX_UNAVAILABLE
    }
    vf::worker::g_library = *library;
    vf::worker::g_threads = limits.threads;
    vf::worker::Run(argc, argv, vf::worker::Make, {.files = true, .threads = true});
}
