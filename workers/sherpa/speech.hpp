#pragma once
// One neural model, loaded, and the speaking of requests with it.

#include <memory>

#include "common/worker.hpp"
#include "neural/manifest.hpp"
#include "sherpa/library.hpp"

namespace vf::worker {

class SherpaSpeech {
public:
    // Loads the model of `manifest`, whose files are looked for in the present directory. Prints
    // the reason and gives false when it cannot; the library itself may end the process.
    bool Open(const SherpaLibrary& library, const neural::Manifest& manifest, int threads);

    // Errors: unknown_voice, nothing_spoken (the model made no audio of this text).
    Result<void> Speak(const engines::Request& request, Sink& sink);

    const neural::Manifest& manifest() const { return manifest_; }

private:
    const neural::Speaker* Find(std::string_view voice) const;

    SherpaLibrary library_;
    neural::Manifest manifest_;
    const SherpaOnnxOfflineTts* tts_ = nullptr;
};

inline constexpr double kSherpaSlowest = 0.5;
inline constexpr double kSherpaFastest = 2;

}  // namespace vf::worker
