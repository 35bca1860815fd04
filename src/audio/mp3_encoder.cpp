// MPEG-1/2/2.5 layer III by LAME, constant bit rate.
#include <lame/lame.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <vector>

#include "audio/encoders.hpp"

namespace vf::audio {
namespace {

class Mp3Encoder final : public Encoder {
public:
    explicit Mp3Encoder(const EncoderOptions& options) : lame_(lame_init()) {
        if (!lame_) throw std::bad_alloc();
        lame_t lame = lame_.get();
        lame_set_num_channels(lame, 1);
        lame_set_mode(lame, MONO);
        lame_set_in_samplerate(lame, options.sample_rate);
        lame_set_out_samplerate(lame, options.sample_rate);
        lame_set_VBR(lame, vbr_off);
        lame_set_brate(lame, BitRateFor(options) / 1000);
        lame_set_quality(lame, static_cast<int>(options.quality.mp3_quality));
        lame_set_bWriteVbrTag(lame, options.whole ? 1 : 0);
        lame_set_write_id3tag_automatic(lame, 0);
        // LAME writes advice to stderr otherwise, past the log.
        lame_set_errorf(lame, nullptr);
        lame_set_msgf(lame, nullptr);
        lame_set_debugf(lame, nullptr);
        if (lame_init_params(lame) < 0) throw std::runtime_error("LAME refused its parameters");
    }

    std::string Write(std::span<const float> mono) override {
        // The worst case that LAME's documentation names is 1.25 samples + 7,200 bytes.
        constexpr std::size_t kBlock = 4096;
        std::string out;
        for (std::size_t at = 0; at < mono.size(); at += kBlock) {
            const auto part = mono.subspan(at, std::min(kBlock, mono.size() - at));
            clean_.resize(part.size());
            std::transform(part.begin(), part.end(), clean_.begin(),
                           [](float x) { return x >= -1 && x <= 1 ? x : (x > 1) - (x < -1); });
            bytes_.resize(part.size() * 5 / 4 + 7200);
            const int made = lame_encode_buffer_ieee_float(
                lame_.get(), clean_.data(), clean_.data(), static_cast<int>(part.size()),
                bytes_.data(), static_cast<int>(bytes_.size()));
            if (made < 0) throw std::runtime_error("LAME failed");
            out.append(bytes_.begin(), bytes_.begin() + made);
        }
        return out;
    }

    std::string Finish() override {
        bytes_.resize(7200);
        const int made =
            lame_encode_flush(lame_.get(), bytes_.data(), static_cast<int>(bytes_.size()));
        if (made < 0) throw std::runtime_error("LAME failed");
        return std::string(bytes_.begin(), bytes_.begin() + made);
    }

    std::string Header() const override {
        std::vector<unsigned char> frame(2880);
        const std::size_t size = lame_get_lametag_frame(lame_.get(), frame.data(), frame.size());
        if (size > frame.size()) return {};
        return std::string(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
    }

private:
    struct Close {
        void operator()(lame_global_struct* lame) const { lame_close(lame); }
    };

    std::unique_ptr<lame_global_struct, Close> lame_;
    std::vector<float> clean_;
    std::vector<unsigned char> bytes_;
};

}  // namespace

std::unique_ptr<Encoder> MakeMp3Encoder(const EncoderOptions& options) {
    return std::make_unique<Mp3Encoder>(options);
}

}  // namespace vf::audio
