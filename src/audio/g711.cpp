// ITU-T G.711: one byte a sample. The codes are those of the ITU-T G.191 software library.
#include <algorithm>
#include <array>
#include <cstdint>

#include "audio/encoders.hpp"
#include "audio/gain.hpp"

namespace vf::audio {
namespace {

int SegmentOf(int magnitude, int first_end) {
    int segment = 0;
    for (int end = first_end; segment < 7 && magnitude > end; end = end * 2 + 1) ++segment;
    return segment;
}

// 14-bit magnitude with a bias of 33, sign, three bits of segment, four bits of step, all inverted.
std::uint8_t UlawCode(int sample) {
    const int scaled = sample >> 2;
    const int sign = scaled < 0 ? 0x80 : 0;
    const int magnitude = std::min(scaled < 0 ? -scaled : scaled, 8158) + 33;
    const int segment = SegmentOf(magnitude, 0x3F);
    const int step = magnitude >> (segment + 1) & 0x0F;
    return static_cast<std::uint8_t>(~(sign | segment << 4 | step));
}

// 13-bit magnitude, sign (1: positive), three bits of segment, four of step, even bits inverted.
std::uint8_t AlawCode(int sample) {
    const int scaled = sample >> 3;
    const int sign = scaled < 0 ? 0 : 0x80;
    const int magnitude = scaled < 0 ? -scaled - 1 : scaled;
    const int segment = SegmentOf(magnitude, 0x1F);
    const int step = magnitude >> std::max(segment, 1) & 0x0F;
    return static_cast<std::uint8_t>((sign | segment << 4 | step) ^ 0x55);
}

template <class Code>
std::array<std::uint8_t, 65536> MakeTable(Code code) {
    std::array<std::uint8_t, 65536> table{};
    for (int sample = -32768; sample < 32768; ++sample) {
        table[static_cast<std::uint16_t>(sample)] = code(sample);
    }
    return table;
}

using Table = std::array<std::uint8_t, 65536>;  // by the sample's 16 bits

void Append(std::string& out, std::span<const float> mono, const Table& table) {
    const std::size_t start = out.size();
    out.resize(start + mono.size());
    for (std::size_t i = 0; i < mono.size(); ++i) {
        out[start + i] = static_cast<char>(table[static_cast<std::uint16_t>(ToInt16(mono[i]))]);
    }
}

class G711Encoder final : public Encoder {
public:
    explicit G711Encoder(bool is_ulaw) : is_ulaw_(is_ulaw) {}

    std::string Write(std::span<const float> mono) override {
        std::string out;
        if (is_ulaw_) {
            AppendUlaw(out, mono);
        } else {
            AppendAlaw(out, mono);
        }
        return out;
    }

    std::string Finish() override { return {}; }

private:
    bool is_ulaw_;
};

}  // namespace

void AppendUlaw(std::string& out, std::span<const float> mono) {
    static const Table table = MakeTable(UlawCode);
    Append(out, mono, table);
}

void AppendAlaw(std::string& out, std::span<const float> mono) {
    static const Table table = MakeTable(AlawCode);
    Append(out, mono, table);
}

std::unique_ptr<Encoder> MakeG711Encoder(const EncoderOptions& options) {
    const bool is_ulaw = options.format == Format::kUlaw || options.format == Format::kPcmu;
    return std::make_unique<G711Encoder>(is_ulaw);
}

}  // namespace vf::audio
