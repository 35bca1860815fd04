#pragma once
// Everything between an engine's samples and the response's bytes, in this order: stretch what the
// engine could not, join the segments, level, resample, limit, encode. Causal, so that a streamed
// and a whole reply carry the same samples. One per response; plain synchronous code that runs on
// a DSP thread, never on two at once.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "audio/encoder.hpp"
#include "audio/joiner.hpp"
#include "audio/limiter.hpp"
#include "audio/prosody.hpp"
#include "audio/resampler.hpp"
#include "speech/plan.hpp"

namespace vf::speech {

class Chain {
public:
    // An error when the encoder refuses the combination of format and rate.
    static Result<std::unique_ptr<Chain>> Make(const SpeechPlan& plan);

    void StartSegment(const text::Segment& segment);
    // Both return what is encoded so far, possibly nothing.
    std::string Write(std::span<const std::int16_t> samples);
    std::string EndSegment();
    // The encoder's last bytes.
    std::string Finish();

    // True when a second of audio costs well under a millisecond: no stretching, and an encoder
    // that only copies.
    bool is_light() const { return is_light_; }

    // Where the present segment's engine sample lands on the clock of the whole audio, in seconds;
    // right once audio around that sample was written.
    double SecondsAt(std::uint64_t engine_sample) const;
    // Samples that left towards the encoder, at the output rate.
    std::uint64_t samples() const { return samples_; }
    // After Finish(): see audio::Encoder::Header().
    std::string ExactHeader() const { return encoder_->Header(); }

private:
    Chain(const SpeechPlan& plan, std::unique_ptr<audio::Encoder> encoder);
    std::string Deliver(std::vector<float> joined);

    bool is_light_;
    int engine_rate_;
    double stretch_speed_;
    double stretch_pitch_;
    float gain_;
    audio::TimeStretcher stretcher_;  // one a segment
    audio::Joiner joiner_;
    audio::Resampler resampler_;
    audio::Limiter limiter_;
    std::unique_ptr<audio::Encoder> encoder_;
    std::uint64_t samples_ = 0;
};

}  // namespace vf::speech
