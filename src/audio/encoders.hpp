#pragma once
// The encoders behind MakeEncoder, one factory each. `options` has been checked.

#include <memory>

#include "audio/encoder.hpp"

namespace vf::audio {

std::unique_ptr<Encoder> MakeWavEncoder(const EncoderOptions& options);  // wav, pcm
std::unique_ptr<Encoder> MakeMp3Encoder(const EncoderOptions& options);
std::unique_ptr<Encoder> MakeOpusEncoder(const EncoderOptions& options);
std::unique_ptr<Encoder> MakeFlacEncoder(const EncoderOptions& options);
std::unique_ptr<Encoder> MakeAacEncoder(const EncoderOptions& options);
std::unique_ptr<Encoder> MakeG711Encoder(const EncoderOptions& options);  // ulaw, alaw

// The bit rate to use, in bit/s: the request's own, else the operator's, fitted to the sample rate.
int BitRateFor(const EncoderOptions& options);

}  // namespace vf::audio
