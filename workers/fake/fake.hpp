#pragma once
// A deterministic engine for tests. The voice says what it does: speak properly, or break a rule.

#include <cstddef>
#include <string_view>
#include <vector>

#include "common/worker.hpp"

namespace vf::worker {

inline constexpr int kFakeRate = 16'000;
inline constexpr std::size_t kFirstChunk = kFakeRate / 50;  // 20 ms
inline constexpr std::size_t kChunk = kFakeRate / 10;       // 100 ms

// Sends all samples, 20 ms first and then 100 ms at a time; false when cancelled.
bool SendInChunks(std::span<const std::int16_t> samples, Sink& sink);

// `seconds` of a 440 Hz tone.
std::vector<std::int16_t> Tone(double seconds, double frequency = 440);

// The voices of misbehaviour.cpp and report.cpp; false when `voice` is not theirs.
bool Misbehave(const engines::Request& request, Sink& sink);
bool Report(const engines::Request& request, Sink& sink);
std::vector<std::string_view> MisbehavingVoices();

// Breaks rules before the hello, when the program's name asks for it.
void MisbehaveEarly(std::string_view engine);

}  // namespace vf::worker
