#pragma once
// Speaks one request with espeak-ng.
// SPDX-License-Identifier: GPL-3.0-or-later

#include <vector>

#include "common/worker.hpp"
#include "espeak/voices.hpp"

namespace vf::worker {

class EspeakSpeech {
public:
    // False when espeak-ng's data is not on this machine. Call once in the life of the process.
    bool Open();
    int sample_rate() const { return rate_; }
    const std::vector<EspeakVoice>& voices() const { return voices_; }

    Result<void> Speak(const engines::Request& request, Sink& sink);

private:
    int rate_ = 0;
    std::vector<EspeakVoice> voices_;
};

}  // namespace vf::worker
