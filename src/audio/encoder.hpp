#pragma once
// Turns mono samples into the bytes of one audio file or stream.
//
// One encoder per response, whatever the number of sentences: files glued from several encoders
// carry headers that speak of the first part only. Not thread-safe, but may move between threads.
// How the samples are cut into Write calls does not change a byte of the result.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "audio/format.hpp"
#include "base/result.hpp"
#include "base/settings.hpp"

namespace vf::audio {

// What the operator chooses for all responses. Bit rates are in bit/s.
struct EncoderQuality {
    std::int64_t mp3_bit_rate = 128000;  // at 32 kHz and above; 64000 at most below
    std::int64_t mp3_quality = 5;        // LAME's -q: 0 is slowest, 9 worst
    std::int64_t opus_bit_rate = 32000;
    std::int64_t opus_complexity = 5;   // 10 costs three times as much CPU
    std::int64_t aac_bit_rate = 64000;  // at 24 kHz and above; less below
    std::int64_t flac_level = 4;        // 0 to 8
};

// Section "audio".
void DeclareSettings(SettingsSchema& schema, EncoderQuality& quality);

struct EncoderOptions {
    Format format = Format::kWav;
    int sample_rate = 24000;  // of the samples given and of the result; one that CheckRate allows
    // The exact number of samples that will be written, when known beforehand: WAV and FLAC then
    // say it in their header. Without it a WAV carries 0xFFFFFFFF sizes and FLAC "unknown".
    std::optional<std::uint64_t> total_samples = std::nullopt;
    // The caller keeps all bytes until the end and applies Header() before sending. Lets MP3 carry
    // the Info frame that makes its length exact; a stream must not have one, since it would speak
    // of a file of no length.
    bool whole = false;
    int bit_rate = 0;  // bit/s for mp3, opus and aac; 0: as `quality` says
    EncoderQuality quality = {};
};

class Encoder {
public:
    virtual ~Encoder() = default;

    // Takes samples in [-1, 1] (clamped) and returns the bytes that became ready, perhaps none. The
    // first call returns at least the header where the format has one, also for no samples.
    virtual std::string Write(std::span<const float> mono) = 0;

    // The rest: padded, flushed and closed. A file without samples is legal. To be called once;
    // nothing may be written afterwards.
    virtual std::string Finish() = 0;

    // After Finish: the exact header, to be put over the first bytes of the whole output; it has
    // the same length as what stands there. Empty when nothing is to be replaced.
    virtual std::string Header() const { return {}; }
};

// kInvalid for a rate or bit rate that the format does not have.
Result<std::unique_ptr<Encoder>> MakeEncoder(const EncoderOptions& options);

// A whole file; `total_samples` and `whole` are set here.
Result<std::string> EncodeWhole(std::span<const float> mono, EncoderOptions options);

}  // namespace vf::audio
