// AAC-LC in ADTS frames by vo-aacenc.
#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "audio/encoders.hpp"
#include "audio/gain.hpp"

extern "C" {
#include <vo-aacenc/cmnMemory.h>
#include <vo-aacenc/voAAC.h>
}

namespace vf::audio {
namespace {

constexpr std::size_t kFrame = 1024;
// The first input sample comes out of a decoder at this position (measured; ADTS cannot say it).
constexpr std::uint64_t kDelay = 1600;
// Readers want that many frame headers in a row before they believe that it is ADTS.
constexpr std::uint64_t kLeastFrames = 3;

class AacEncoder final : public Encoder {
public:
    explicit AacEncoder(const EncoderOptions& options) {
        if (voGetAACEncAPI(&api_) != VO_ERR_NONE) throw std::runtime_error("vo-aacenc is absent");
        memory_.Alloc = cmnMemAlloc;
        memory_.Copy = cmnMemCopy;
        memory_.Free = cmnMemFree;
        memory_.Set = cmnMemSet;
        memory_.Check = cmnMemCheck;
        VO_CODEC_INIT_USERDATA user{};
        user.memflag = VO_IMF_USERMEMOPERATOR;
        user.memData = &memory_;
        if (api_.Init(&handle_, VO_AUDIO_CodingAAC, &user) != VO_ERR_NONE) {
            throw std::runtime_error("vo-aacenc did not start");
        }
        AACENC_PARAM parameters{};
        parameters.sampleRate = options.sample_rate;
        parameters.bitRate = BitRateFor(options);
        parameters.nChannels = 1;
        parameters.adtsUsed = 1;
        if (api_.SetParam(handle_, VO_PID_AAC_ENCPARAM, &parameters) != VO_ERR_NONE) {
            api_.Uninit(handle_);
            throw std::runtime_error("vo-aacenc refused its parameters");
        }
    }
    ~AacEncoder() override { api_.Uninit(handle_); }
    AacEncoder(const AacEncoder&) = delete;
    AacEncoder& operator=(const AacEncoder&) = delete;

    std::string Write(std::span<const float> mono) override {
        std::string out;
        for (const float sample : mono) {
            frame_.push_back(ToInt16(sample));
            ++samples_;
            if (frame_.size() == kFrame) EncodeFrame(out);
        }
        return out;
    }

    std::string Finish() override {
        std::string out;
        while (frames_ < kLeastFrames || frames_ * kFrame < samples_ + kDelay) {
            frame_.resize(kFrame);
            EncodeFrame(out);
        }
        return out;
    }

private:
    void EncodeFrame(std::string& out) {
        VO_CODECBUFFER input{};
        input.Buffer = reinterpret_cast<VO_PBYTE>(frame_.data());
        input.Length = static_cast<VO_U32>(frame_.size() * sizeof(std::int16_t));
        api_.SetInputData(handle_, &input);
        std::array<unsigned char, 8192> bytes;
        VO_CODECBUFFER output{};
        output.Buffer = bytes.data();
        output.Length = bytes.size();
        VO_AUDIO_OUTPUTINFO info{};
        if (api_.GetOutputData(handle_, &output, &info) != VO_ERR_NONE) {
            throw std::runtime_error("vo-aacenc failed");
        }
        out.append(reinterpret_cast<const char*>(bytes.data()), output.Length);
        frame_.clear();
        ++frames_;
    }

    VO_AUDIO_CODECAPI api_{};
    VO_MEM_OPERATOR memory_{};  // the encoder keeps a pointer to it
    VO_HANDLE handle_ = nullptr;
    std::vector<std::int16_t> frame_;
    std::uint64_t samples_ = 0;
    std::uint64_t frames_ = 0;
};

}  // namespace

std::unique_ptr<Encoder> MakeAacEncoder(const EncoderOptions& options) {
    return std::make_unique<AacEncoder>(options);
}

}  // namespace vf::audio
