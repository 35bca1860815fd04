// WAV: RIFF with one format and one data chunk, mono; what is not 16-bit PCM has a fact chunk too.
// Also the same samples without any header.
#include <bit>
#include <cmath>
#include <cstdint>

#include "audio/encoders.hpp"
#include "audio/gain.hpp"

namespace vf::audio {
namespace {

constexpr std::uint32_t kUnknownSize = 0xFFFFFFFF;

void Append16(std::string& out, std::uint32_t value) {
    out += static_cast<char>(value & 0xFF);
    out += static_cast<char>(value >> 8 & 0xFF);
}

void Append32(std::string& out, std::uint32_t value) {
    Append16(out, value & 0xFFFF);
    Append16(out, value >> 16);
}

void AppendFloat32le(std::string& out, std::span<const float> mono) {
    out.reserve(out.size() + mono.size() * 4);
    for (const float sample : mono) {
        const float fit = std::isnan(sample) ? 0.0F : std::fmin(std::fmax(sample, -1.0F), 1.0F);
        Append32(out, std::bit_cast<std::uint32_t>(fit));
    }
}

// How samples are written, and how a WAV header names that.
struct SampleCode {
    std::uint16_t tag;
    std::uint16_t bytes;
    void (*append)(std::string& out, std::span<const float> mono);
};
constexpr SampleCode kS16{1, 2, &AppendS16le};
constexpr SampleCode kFloat{3, 4, &AppendFloat32le};
constexpr SampleCode kAlawCode{6, 1, &AppendAlaw};
constexpr SampleCode kUlawCode{7, 1, &AppendUlaw};

SampleCode CodeOf(Format format) {
    switch (format) {
        case Format::kPcmFloat:
        case Format::kWavFloat: return kFloat;
        case Format::kWavUlaw: return kUlawCode;
        case Format::kWavAlaw: return kAlawCode;
        default: return kS16;
    }
}

std::string WavHeader(int rate, const SampleCode& code, std::optional<std::uint64_t> samples) {
    const bool is_pcm = code.tag == kS16.tag;
    const std::uint64_t header = is_pcm ? 44 : 58;
    std::uint32_t data_bytes = kUnknownSize;
    std::uint32_t riff_bytes = kUnknownSize;
    std::uint32_t count = kUnknownSize;
    // A file beyond 4 GiB cannot say its size; readers take the sentinel as "to the end".
    if (samples && *samples < (kUnknownSize - header) / code.bytes) {
        count = static_cast<std::uint32_t>(*samples);
        data_bytes = count * code.bytes;
        // A chunk of odd length has a byte of padding behind it.
        riff_bytes = data_bytes + data_bytes % 2 + static_cast<std::uint32_t>(header) - 8;
    }
    std::string out = "RIFF";
    Append32(out, riff_bytes);
    out += "WAVEfmt ";
    Append32(out, is_pcm ? 16 : 18);
    Append16(out, code.tag);
    Append16(out, 1);  // one channel
    Append32(out, static_cast<std::uint32_t>(rate));
    Append32(out, static_cast<std::uint32_t>(rate) * code.bytes);
    Append16(out, code.bytes);
    Append16(out, code.bytes * 8U);
    if (!is_pcm) {
        Append16(out, 0);  // no extension
        out += "fact";
        Append32(out, 4);
        Append32(out, count);
    }
    out += "data";
    Append32(out, data_bytes);
    return out;
}

class WavEncoder final : public Encoder {
public:
    explicit WavEncoder(const EncoderOptions& options)
        : rate_(options.sample_rate), code_(CodeOf(options.format)),
          has_header_(options.format != Format::kPcm && options.format != Format::kPcmFloat),
          total_(options.total_samples) {}

    std::string Write(std::span<const float> mono) override {
        std::string out = Opening();
        code_.append(out, mono);
        written_ += mono.size();
        return out;
    }

    std::string Finish() override {
        std::string out = Opening();
        // A chunk is padded to an even length; with silence, since a reader of a stream without a
        // size takes the byte for a sample.
        if (has_header_ && written_ * code_.bytes % 2 == 1) out += SilentByte();
        return out;
    }

    std::string Header() const override {
        return has_header_ ? WavHeader(rate_, code_, written_) : std::string();
    }

private:
    char SilentByte() const {
        std::string byte;
        constexpr float kSilence = 0;
        code_.append(byte, std::span(&kSilence, 1));
        return byte.front();
    }

    std::string Opening() {
        if (!has_header_ || opened_) return {};
        opened_ = true;
        return WavHeader(rate_, code_, total_);
    }

    int rate_;
    SampleCode code_;
    bool has_header_;
    bool opened_ = false;
    std::optional<std::uint64_t> total_;
    std::uint64_t written_ = 0;
};

}  // namespace

std::unique_ptr<Encoder> MakeWavEncoder(const EncoderOptions& options) {
    return std::make_unique<WavEncoder>(options);
}

}  // namespace vf::audio
