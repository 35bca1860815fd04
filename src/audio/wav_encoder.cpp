// WAV: RIFF with one format and one data chunk, s16le mono. PCM: the same without any header.
#include <cstdint>

#include "audio/encoders.hpp"
#include "audio/gain.hpp"

namespace vf::audio {
namespace {

constexpr std::uint32_t kUnknownSize = 0xFFFFFFFF;
constexpr std::uint64_t kHeaderBytes = 44;

void Append16(std::string& out, std::uint32_t value) {
    out += static_cast<char>(value & 0xFF);
    out += static_cast<char>(value >> 8 & 0xFF);
}

void Append32(std::string& out, std::uint32_t value) {
    Append16(out, value & 0xFFFF);
    Append16(out, value >> 16);
}

std::string WavHeader(int rate, std::optional<std::uint64_t> samples) {
    std::uint32_t data_bytes = kUnknownSize;
    std::uint32_t riff_bytes = kUnknownSize;
    // A file beyond 4 GiB cannot say its size; readers take the sentinel as "to the end".
    if (samples && *samples < (kUnknownSize - kHeaderBytes) / 2) {
        data_bytes = static_cast<std::uint32_t>(*samples * 2);
        riff_bytes = data_bytes + static_cast<std::uint32_t>(kHeaderBytes) - 8;
    }
    std::string out = "RIFF";
    Append32(out, riff_bytes);
    out += "WAVEfmt ";
    Append32(out, 16);
    Append16(out, 1);  // PCM
    Append16(out, 1);  // one channel
    Append32(out, static_cast<std::uint32_t>(rate));
    Append32(out, static_cast<std::uint32_t>(rate) * 2);
    Append16(out, 2);
    Append16(out, 16);
    out += "data";
    Append32(out, data_bytes);
    return out;
}

class WavEncoder final : public Encoder {
public:
    explicit WavEncoder(const EncoderOptions& options)
        : rate_(options.sample_rate), has_header_(options.format == Format::kWav),
          total_(options.total_samples) {}

    std::string Write(std::span<const float> mono) override {
        std::string out = Opening();
        AppendS16le(out, mono);
        written_ += mono.size();
        return out;
    }

    std::string Finish() override { return Opening(); }

    std::string Header() const override {
        return has_header_ ? WavHeader(rate_, written_) : std::string();
    }

private:
    std::string Opening() {
        if (!has_header_ || opened_) return {};
        opened_ = true;
        return WavHeader(rate_, total_);
    }

    int rate_;
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
