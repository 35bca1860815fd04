#pragma once
// Speaks one request with flite. Settings go onto the utterance, never onto a voice, so that
// nothing is left of them for the next request.

#include "common/worker.hpp"
#include "flite/voices.hpp"

struct cst_voice_struct;

namespace vf::worker {

class FliteSpeech {
public:
    FliteSpeech();
    // Errors: token_too_long, segment_too_long, invalid_pronunciation (about the text).
    Result<void> Speak(const FliteVoice& voice, const engines::Request& request, Sink& sink);

private:
    cst_voice_struct* voices_[4];
};

inline constexpr int kFliteRate = 16'000;

}  // namespace vf::worker
