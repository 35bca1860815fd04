#include "audio/encoder.hpp"

#include <algorithm>
#include <utility>

#include "audio/encoders.hpp"

namespace vf::audio {
namespace {

// Bit rates a format can have at a sample rate, in bit/s; {0, 0} where there is nothing to choose.
std::pair<int, int> BitRateRange(Format format, int rate) {
    switch (format) {
        case Format::kMp3:
            if (rate >= 32000) return {32000, 320000};
            return {8000, rate >= 16000 ? 160000 : 64000};
        case Format::kOpus: return {6000, 256000};
        // 6,144 bits in a frame of 1,024 samples is the most a channel may have (ISO 14496-3).
        case Format::kAac: return {16000, std::min(160000, 6 * rate)};
        default: return {0, 0};
    }
}

Result<void> CheckBitRate(const EncoderOptions& options) {
    if (options.bit_rate == 0) return {};
    const auto [low, high] = BitRateRange(options.format, options.sample_rate);
    if (high > 0 && options.bit_rate >= low && options.bit_rate <= high) return {};
    std::string message = "The format " + std::string(InfoOf(options.format).name);
    message += high == 0 ? " has no bit rate to choose."
                         : " has bit rates from " + std::to_string(low) + " to " +
                               std::to_string(high) + " bit/s at this sample rate.";
    return Error(ErrorKind::kInvalid, "unsupported_bit_rate", message,
                 {{"/bit_rate", "unsupported_bit_rate", message}});
}

}  // namespace

void DeclareSettings(SettingsSchema& schema, EncoderQuality& quality) {
    schema.Integer("audio.mp3_bit_rate", quality.mp3_bit_rate, 32000, 320000,
                   {"128000", "Bits per second of MP3 at 32 kHz and above; at most half below."});
    schema.Integer("audio.mp3_quality", quality.mp3_quality, 0, 9,
                   {"5", "Effort of the MP3 encoder: 0 is best and slowest, 9 fastest."});
    schema.Integer("audio.opus_bit_rate", quality.opus_bit_rate, 6000, 256000,
                   {"32000", "Bits per second of Opus."});
    schema.Integer("audio.opus_complexity", quality.opus_complexity, 0, 10,
                   {"5", "Effort of the Opus encoder; 10 costs three times the CPU time of 5."});
    schema.Integer("audio.aac_bit_rate", quality.aac_bit_rate, 16000, 160000,
                   {"64000", "Bits per second of AAC at 24 kHz and above; less below."});
    schema.Integer("audio.flac_level", quality.flac_level, 0, 8,
                   {"4", "Compression level of FLAC: 0 is fastest, 8 smallest."});
}

int BitRateFor(const EncoderOptions& options) {
    if (options.bit_rate != 0) return options.bit_rate;
    const EncoderQuality& quality = options.quality;
    const int rate = options.sample_rate;
    std::int64_t wanted = 0;
    switch (options.format) {
        case Format::kMp3:
            wanted = rate >= 32000 ? quality.mp3_bit_rate : quality.mp3_bit_rate / 2;
            if (rate < 16000) wanted /= 2;
            break;
        case Format::kOpus: wanted = quality.opus_bit_rate; break;
        case Format::kAac:
            wanted = rate >= 24000 ? quality.aac_bit_rate : quality.aac_bit_rate * 3 / 4;
            break;
        default: return 0;
    }
    const auto [low, high] = BitRateRange(options.format, rate);
    return static_cast<int>(std::clamp<std::int64_t>(wanted, low, high));
}

Result<std::unique_ptr<Encoder>> MakeEncoder(const EncoderOptions& options) {
    if (auto rate = CheckRate(options.format, options.sample_rate); !rate) {
        return std::move(rate).error();
    }
    if (auto bit_rate = CheckBitRate(options); !bit_rate) return std::move(bit_rate).error();
    EncoderOptions exact = options;
    exact.sample_rate = CheckRate(options.format, options.sample_rate).value();
    switch (exact.format) {
        case Format::kWav:
        case Format::kPcm:
        case Format::kPcmFloat:
        case Format::kWavFloat:
        case Format::kWavUlaw:
        case Format::kWavAlaw: return MakeWavEncoder(exact);
        case Format::kMp3: return MakeMp3Encoder(exact);
        case Format::kOpus: return MakeOpusEncoder(exact);
        case Format::kFlac: return MakeFlacEncoder(exact);
        case Format::kAac: return MakeAacEncoder(exact);
        case Format::kUlaw:
        case Format::kAlaw:
        case Format::kPcmu:
        case Format::kPcma: return MakeG711Encoder(exact);
    }
    return Error(ErrorKind::kInvalid, "unsupported_format", "There is no such audio format.");
}

Result<std::string> EncodeWhole(std::span<const float> mono, EncoderOptions options) {
    options.total_samples = mono.size();
    options.whole = true;
    auto encoder = MakeEncoder(options);
    if (!encoder) return std::move(encoder).error();
    std::string bytes = (*encoder)->Write(mono);
    bytes += (*encoder)->Finish();
    const std::string header = (*encoder)->Header();
    bytes.replace(0, std::min(header.size(), bytes.size()), header);
    return bytes;
}

}  // namespace vf::audio
