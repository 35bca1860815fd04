// The espeak-ng worker: more than a hundred languages, robotic.
// SPDX-License-Identifier: GPL-3.0-or-later
#include <espeak-ng/speak_lib.h>

#include "espeak/gains.hpp"
#include "espeak/speech.hpp"

namespace vf::worker {
namespace {

using namespace vf::engines;

class EspeakEngine : public Engine {
public:
    bool Open() { return speech_.Open(); }

    Hello Describe() override {
        Hello hello;
        hello.engine = "espeak";
        const char* path = nullptr;
        const std::string_view version = espeak_Info(&path);
        hello.version = version.substr(0, version.find(' '));
        hello.licence = "GPL-3.0-or-later";
        for (const EspeakVoice& from : speech_.voices()) {
            Voice voice;
            voice.id = from.id;
            voice.name = from.name + " (espeak)";
            voice.languages = {from.language};
            voice.gender = from.gender;
            voice.quality = "basic";
            voice.technology = "formant";
            voice.is_limited = !from.limits.empty();
            voice.sample_rate = speech_.sample_rate();
            voice.licence = "GPL-3.0-or-later";
            voice.description = "espeak-ng's formant synthesis: robotic, clear at high speed.";
            if (voice.is_limited) voice.description += " Limited: " + std::string(from.limits);
            voice.gain_db = GainOf(from.id);
            voice.speed_min = 0.5;
            voice.speed_max = 2.5;
            voice.pitch_min = -3;  // below, the library falls short of what it is told
            voice.pitch_max = 8;
            voice.pitch_range_min = 0.1;
            voice.pitch_range_max = 1.98;
            voice.phoneme_alphabet = "espeak";
            hello.voices.push_back(std::move(voice));
        }
        return hello;
    }

    Result<void> Speak(const Request& request, Sink& sink) override {
        return speech_.Speak(request, sink);
    }

private:
    EspeakSpeech speech_;
};

std::unique_ptr<Engine> Make(std::string_view /*name*/) {
    auto engine = std::make_unique<EspeakEngine>();
    if (!engine->Open()) {
        Say("espeak-ng's voices are not installed");
        return nullptr;
    }
    return engine;
}

}  // namespace
}  // namespace vf::worker

int main(int argc, char** argv) {
    // Languages are loaded when they are first spoken; espeak-ng starts a thread that never works.
    vf::worker::Run(argc, argv, vf::worker::Make, {.files = true, .threads = true});
}
