#pragma once
// The audio that a text is aligned with, as the model hears it.

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "engines/protocol.hpp"

namespace vf::worker {

inline constexpr int kModelRate = 16'000;

// Mono samples at kModelRate; several channels are mixed. Errors: invalid_audio (nothing that can
// be read), audio_too_long (more than `max_samples` of them).
Result<std::vector<std::int16_t>> ReadAudio(const engines::Input& input, std::size_t max_samples);

}  // namespace vf::worker
