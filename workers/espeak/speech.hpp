#pragma once
// Speaks one request with espeak-ng.
// SPDX-License-Identifier: GPL-3.0-or-later

#include <vector>

#include "common/worker.hpp"
#include "espeak/phonemes.hpp"
#include "espeak/voices.hpp"

namespace vf::worker {

class EspeakSpeech {
public:
    EspeakSpeech();
    // False when espeak-ng's data is not on this machine. Call once in the life of the process.
    bool Open();
    int sample_rate() const { return rate_; }
    const std::vector<EspeakVoice>& voices() const { return voices_; }

    // The events of a stretch of audio come before that audio. Errors: unknown_voice,
    // segment_too_long, invalid_pronunciation, text_not_spoken.
    Result<void> Speak(const engines::Request& request, Sink& sink);

private:
    Result<std::vector<std::string>> ReadPhonemes(const engines::Request& request);

    int rate_ = 0;
    std::vector<EspeakVoice> voices_;
    EspeakPhonemes phonemes_;
};

}  // namespace vf::worker
