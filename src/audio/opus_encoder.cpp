// Opus in Ogg (RFC 7845) by libopusenc.
#include <opus/opusenc.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <vector>

#include "audio/encoders.hpp"

namespace vf::audio {
namespace {

constexpr int kPageSamples = 4800;  // 100 ms at the 48 kHz that Ogg Opus counts in
constexpr int kFirstPageSamples =
    960;  // one packet: the first sound shall not wait for a full page

int OnWrite(void* user, const unsigned char* bytes, opus_int32 length) {
    static_cast<std::string*>(user)->append(reinterpret_cast<const char*>(bytes),
                                            static_cast<std::size_t>(length));
    return 0;
}

int OnClose(void*) {
    return 0;
}

class OpusEncoder final : public Encoder {
public:
    explicit OpusEncoder(const EncoderOptions& options)
        : block_(static_cast<std::size_t>(options.sample_rate / 50)),
          comments_(ope_comments_create()) {
        if (!comments_) throw std::bad_alloc();
        const OpusEncCallbacks callbacks{OnWrite, OnClose};
        int error = OPE_OK;
        encoder_.reset(ope_encoder_create_callbacks(&callbacks, &ready_, comments_.get(),
                                                    options.sample_rate, 1, 0, &error));
        if (!encoder_) throw std::runtime_error(ope_strerror(error));
        OggOpusEnc* encoder = encoder_.get();
        const auto complexity = static_cast<int>(options.quality.opus_complexity);
        // A stream stands alone in its file, so its number may always be the same: equal input
        // gives equal bytes.
        Must(ope_encoder_ctl(encoder, OPE_SET_SERIALNO(0x564F4943)));
        Must(ope_encoder_ctl(encoder, OPE_SET_COMMENT_PADDING(0)));
        Must(ope_encoder_ctl(encoder, OPE_SET_DECISION_DELAY(0)));
        Must(ope_encoder_ctl(encoder, OPE_SET_MUXING_DELAY(kFirstPageSamples)));
        Must(ope_encoder_ctl(encoder, OPUS_SET_BITRATE(BitRateFor(options))));
        Must(ope_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(complexity)));
        // No OPUS_SET_SIGNAL: the hint "voice" makes libopus choose its hybrid mode at this bit
        // rate, which costs 1.6 times the CPU and leaves a fifth of the bits unused.
        Must(ope_encoder_flush_header(encoder));
    }

    // libopusenc gets blocks of 20 ms, so that the change of page length falls on the same sample
    // however the input is cut.
    std::string Write(std::span<const float> mono) override {
        for (const float sample : mono) {
            pending_.push_back(sample >= -1 && sample <= 1
                                   ? sample
                                   : static_cast<float>((sample > 1) - (sample < -1)));
            if (pending_.size() == block_) EncodeBlock();
        }
        return std::exchange(ready_, {});
    }

    std::string Finish() override {
        // libopusenc 0.2.1 aborts when it is closed after almost no samples, so that the shortest
        // file is one block of silence.
        if (blocks_ == 0) pending_.resize(block_);
        if (!pending_.empty()) EncodeBlock();
        Must(ope_encoder_drain(encoder_.get()));
        return std::exchange(ready_, {});
    }

private:
    struct Destroy {
        void operator()(OggOpusEnc* encoder) const { ope_encoder_destroy(encoder); }
        void operator()(OggOpusComments* comments) const { ope_comments_destroy(comments); }
    };

    static void Must(int result) {
        if (result != OPE_OK) throw std::runtime_error(ope_strerror(result));
    }

    void EncodeBlock() {
        const std::size_t before = ready_.size();
        Must(ope_encoder_write_float(encoder_.get(), pending_.data(),
                                     static_cast<int>(pending_.size())));
        pending_.clear();
        if (first_page_pending_ && ready_.size() > before && blocks_ > 0) {
            first_page_pending_ = false;
            Must(ope_encoder_ctl(encoder_.get(), OPE_SET_MUXING_DELAY(kPageSamples)));
        }
        ++blocks_;
    }

    std::size_t block_;
    std::string ready_;
    std::vector<float> pending_;
    bool first_page_pending_ = true;
    std::uint64_t blocks_ = 0;
    std::unique_ptr<OggOpusComments, Destroy> comments_;
    std::unique_ptr<OggOpusEnc, Destroy> encoder_;
};

}  // namespace

std::unique_ptr<Encoder> MakeOpusEncoder(const EncoderOptions& options) {
    return std::make_unique<OpusEncoder>(options);
}

}  // namespace vf::audio
