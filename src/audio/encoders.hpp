#pragma once
// The encoders behind MakeEncoder, one factory each. `options` has been checked.

#include <memory>

#include "audio/encoder.hpp"

namespace vf::audio {

std::unique_ptr<Encoder> MakeWavEncoder(const EncoderOptions& options);  // WAV, samples alone
std::unique_ptr<Encoder> MakeMp3Encoder(const EncoderOptions& options);
std::unique_ptr<Encoder> MakeOpusEncoder(const EncoderOptions& options);
std::unique_ptr<Encoder> MakeFlacEncoder(const EncoderOptions& options);
std::unique_ptr<Encoder> MakeAacEncoder(const EncoderOptions& options);
std::unique_ptr<Encoder> MakeG711Encoder(const EncoderOptions& options);  // G.711 alone

// Samples in [-1, 1] as one byte each, appended.
void AppendUlaw(std::string& out, std::span<const float> mono);
void AppendAlaw(std::string& out, std::span<const float> mono);

// The bit rate to use, in bit/s: the request's own, else the operator's, fitted to the sample rate.
int BitRateFor(const EncoderOptions& options);

}  // namespace vf::audio
