// The worker that aligns texts with audio.
#include "align/aligner.hpp"
#include "align/audio_input.hpp"
#include "common/worker.hpp"

namespace vf::worker {
namespace {

class AlignEngine final : public Engine {
public:
    explicit AlignEngine(std::unique_ptr<Aligner> aligner) : aligner_(std::move(aligner)) {}

    engines::Hello Describe() override {
        engines::Hello hello;
        hello.engine = "align";
        hello.version = "pocketsphinx 0.8";
        hello.licence = "BSD-2-Clause";
        return hello;
    }

    Result<void> Align(const engines::Request& request, Sink& sink) override {
        const Result<std::vector<std::int16_t>> samples =
            ReadAudio(*request.input, std::size_t{kModelRate} * request.input->max_seconds);
        if (!samples) return samples.error();
        if (sink.cancelled()) return {};
        const Result<std::vector<engines::TimingEvent>> events =
            aligner_->Align(request.text, *samples);
        if (!events) return events.error();
        sink.Events(*events);
        return {};
    }

private:
    std::unique_ptr<Aligner> aligner_;
};

std::unique_ptr<Engine> MakeAligner(std::string_view) {
    std::unique_ptr<Aligner> aligner = Aligner::Make();
    if (!aligner) return nullptr;
    return std::make_unique<AlignEngine>(std::move(aligner));
}

}  // namespace
}  // namespace vf::worker

int main(int argc, char** argv) {
    vf::worker::Needs needs;
    needs.files = true;
    vf::worker::Run(argc, argv, &vf::worker::MakeAligner, needs);
}
