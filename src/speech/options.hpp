#pragma once
// Settings of the corridor, section "speech".

#include <chrono>
#include <cstdint>
#include <string>

#include "audio/encoder.hpp"
#include "base/settings.hpp"
#include "text/split.hpp"

namespace vf::speech {

struct SpeechOptions {
    std::string default_voice = "alloy";
    std::uint64_t pipe_bytes = 256 * 1024;
    std::uint64_t max_whole_bytes = 256ULL * 1024 * 1024;
    std::int64_t dsp_threads = 0;
    std::int64_t max_concurrent = 256;
    text::SplitOptions split;       // section "text"
    audio::EncoderQuality quality;  // section "audio"
};

void DeclareSettings(SettingsSchema& schema, SpeechOptions& options);

}  // namespace vf::speech
