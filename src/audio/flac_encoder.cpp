// FLAC by libFLAC, 16 bits.
#include <FLAC/stream_encoder.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>
#include <vector>

#include "audio/encoders.hpp"
#include "audio/gain.hpp"

namespace vf::audio {
namespace {

// "fLaC", a block header of four bytes, STREAMINFO of 34 bytes (the format's description, section
// METADATA_BLOCK_STREAMINFO).
constexpr std::size_t kHeaderBytes = 42;

std::string StreamInfo(const FLAC__StreamMetadata_StreamInfo& info) {
    std::string out;
    const auto append = [&out](std::uint64_t value, int bytes) {
        for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xFF);
    };
    append(info.min_blocksize, 2);
    append(info.max_blocksize, 2);
    append(info.min_framesize, 3);
    append(info.max_framesize, 3);
    append(std::uint64_t{info.sample_rate} << 44 | std::uint64_t{info.channels - 1} << 41 |
               std::uint64_t{info.bits_per_sample - 1} << 36 | info.total_samples,
           8);
    out.append(reinterpret_cast<const char*>(info.md5sum), sizeof(info.md5sum));
    return out;
}

class FlacEncoder final : public Encoder {
public:
    explicit FlacEncoder(const EncoderOptions& options) : encoder_(FLAC__stream_encoder_new()) {
        if (!encoder_) throw std::bad_alloc();
        FLAC__StreamEncoder* encoder = encoder_.get();
        bool good = FLAC__stream_encoder_set_channels(encoder, 1);
        good &= FLAC__stream_encoder_set_bits_per_sample(encoder, 16);
        good &= FLAC__stream_encoder_set_sample_rate(encoder,
                                                     static_cast<unsigned>(options.sample_rate));
        good &= FLAC__stream_encoder_set_compression_level(
            encoder, static_cast<unsigned>(options.quality.flac_level));
        // A frame is what a listener waits for: 43 ms at 24 kHz.
        good &=
            FLAC__stream_encoder_set_blocksize(encoder, options.sample_rate > 24000 ? 2048 : 1024);
        good &= FLAC__stream_encoder_set_total_samples_estimate(encoder,
                                                                options.total_samples.value_or(0));
        good =
            good && FLAC__stream_encoder_init_stream(encoder, OnWrite, nullptr, nullptr, OnMetadata,
                                                     this) == FLAC__STREAM_ENCODER_INIT_STATUS_OK;
        if (!good) throw std::runtime_error("libFLAC refused its parameters");
    }

    std::string Write(std::span<const float> mono) override {
        samples_.resize(mono.size());
        std::transform(mono.begin(), mono.end(), samples_.begin(),
                       [](float sample) { return FLAC__int32{ToInt16(sample)}; });
        if (!samples_.empty() &&
            !FLAC__stream_encoder_process_interleaved(encoder_.get(), samples_.data(),
                                                      static_cast<unsigned>(samples_.size()))) {
            throw std::runtime_error("libFLAC failed");
        }
        return std::exchange(ready_, {});
    }

    std::string Finish() override {
        if (!FLAC__stream_encoder_finish(encoder_.get())) {
            throw std::runtime_error("libFLAC failed");
        }
        return std::exchange(ready_, {});
    }

    std::string Header() const override { return header_; }

private:
    struct Delete {
        void operator()(FLAC__StreamEncoder* encoder) const {
            FLAC__stream_encoder_delete(encoder);
        }
    };

    static FLAC__StreamEncoderWriteStatus OnWrite(const FLAC__StreamEncoder*,
                                                  const FLAC__byte bytes[], std::size_t length,
                                                  std::uint32_t, std::uint32_t, void* user) {
        auto& self = *static_cast<FlacEncoder*>(user);
        self.ready_.append(reinterpret_cast<const char*>(bytes), length);
        const std::size_t missing = kHeaderBytes - std::min(kHeaderBytes, self.header_.size());
        self.header_.append(reinterpret_cast<const char*>(bytes), std::min(missing, length));
        return FLAC__STREAM_ENCODER_WRITE_STATUS_OK;
    }

    // Called at the end with what is known by then: sizes, length, MD5.
    static void OnMetadata(const FLAC__StreamEncoder*, const FLAC__StreamMetadata* metadata,
                           void* user) {
        auto& header = static_cast<FlacEncoder*>(user)->header_;
        header.resize(8);
        header += StreamInfo(metadata->data.stream_info);
    }

    std::string ready_;
    std::string header_;
    std::vector<FLAC__int32> samples_;
    std::unique_ptr<FLAC__StreamEncoder, Delete> encoder_;
};

}  // namespace

std::unique_ptr<Encoder> MakeFlacEncoder(const EncoderOptions& options) {
    return std::make_unique<FlacEncoder>(options);
}

}  // namespace vf::audio
