// The flite worker: English, quick, small.
#include "flite/speech.hpp"

namespace vf::worker {
namespace {

using namespace vf::engines;

class FliteEngine : public Engine {
public:
    Hello Describe() override {
        Hello hello;
        hello.engine = "flite";
        hello.version = "2.2";
        hello.licence = "BSD-like (CMU)";
        for (const FliteVoice& from : FliteVoices()) {
            Voice voice;
            voice.id = from.id;
            voice.name = from.name;
            voice.languages = {from.base == Base::kAwb ? "en-GB" : "en-US", "en"};
            voice.gender = from.gender;
            voice.quality = "standard";
            voice.technology = TechnologyOf(from);
            voice.age = from.age;
            voice.style = from.style;
            voice.sample_rate = kFliteRate;
            voice.ascii_text = true;
            voice.licence = "BSD-like (CMU)";
            voice.description = from.description;
            voice.gain_db = from.gain_db;
            voice.speed_min = 0.5;
            voice.speed_max = 2;
            voice.pitch_min = LowestPitch(from);
            voice.pitch_max = HighestPitch(from);
            voice.pitch_range_min = LowestRange(from);
            voice.pitch_range_max = HighestRange(from);
            voice.phoneme_alphabet = "flite";
            hello.voices.push_back(std::move(voice));
        }
        return hello;
    }

    Result<void> Speak(const Request& request, Sink& sink) override {
        const FliteVoice* voice = FindFliteVoice(request.voice);
        if (voice == nullptr) {
            return Error(ErrorKind::kInvalid, "unknown_voice", "no such voice here");
        }
        return speech_.Speak(*voice, request, sink);
    }

private:
    FliteSpeech speech_;
};

std::unique_ptr<Engine> Make(std::string_view /*name*/) {
    return std::make_unique<FliteEngine>();
}

}  // namespace
}  // namespace vf::worker

int main(int argc, char** argv) {
    vf::worker::Run(argc, argv, vf::worker::Make, {});
}
