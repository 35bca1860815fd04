#pragma once
// Everything between an engine's samples and the response's bytes, in this order: stretch what the
// engine could not, join the segments, level, resample, limit, encode. Causal, so that a streamed
// and a whole reply carry the same samples. One per response; plain synchronous code that runs on
// a DSP thread, never on two at once.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "audio/encoder.hpp"
#include "audio/joiner.hpp"
#include "audio/limiter.hpp"
#include "audio/prosody.hpp"
#include "audio/quality.hpp"
#include "audio/resampler.hpp"
#include "audio/shaper.hpp"
#include "speech/plan.hpp"

namespace vf::speech {

class Chain {
public:
    // An error when the encoder refuses the combination of format and rate.
    static Result<std::unique_ptr<Chain>> Make(const SpeechPlan& plan);

    // Silence before the first segment; encoded so far.
    std::string LeadIn(std::chrono::milliseconds time);
    void StartSegment(const text::Segment& segment, const StyleVoice& style);
    // Both return what is encoded so far, possibly nothing.
    std::string Write(std::span<const std::int16_t> samples);
    std::string EndSegment();
    // Everything that was said leaves, as far as the encoder lets it: no text is there at the
    // moment. Between segments.
    std::string Rest();
    // The encoder's last bytes, after so much silence.
    std::string Finish(std::chrono::milliseconds tail);

    // True when a second of the present segment's audio costs well under a millisecond: nothing is
    // stretched or filtered, and the encoder only copies.
    bool is_light() const { return is_light_ && stretcher_.bypassed(); }

    // Where the present segment's engine sample lands on the clock of the whole audio, in seconds;
    // right once audio around that sample was written.
    double SecondsAt(std::uint64_t engine_sample) const;
    // False until the segment's first audible sample was written: its times are not known before.
    bool knows_times() const { return joiner_.segment_offset().has_value(); }
    // How far the joined audio has come, in seconds; pauses that come next are not in it.
    double joined_seconds() const { return static_cast<double>(joiner_.position()) / rate_; }
    // Of what was written so far; nothing was measured unless the plan says so.
    audio::Quality quality() const { return quality_ ? quality_->Measure() : audio::Quality(); }
    // Samples that left towards the encoder, at the output rate.
    std::uint64_t samples() const { return samples_; }
    // After Finish(): see audio::Encoder::Header().
    std::string ExactHeader() const { return encoder_->Header(); }

private:
    Chain(const SpeechPlan& plan, std::unique_ptr<audio::Encoder> encoder);
    std::vector<float> Raise(std::vector<float> samples) const;
    std::string Deliver(std::vector<float> joined);
    std::string Encode(std::span<const float> finished);

    bool is_light_;
    int rate_;             // at which segments are joined: that of the request's own voice
    double base_gain_db_;  // of all segments; what one has beyond it is applied before the join
    float gain_;
    std::optional<std::chrono::milliseconds> goes_on_after_;
    // One each a segment.
    int engine_rate_;
    float segment_gain_ = 1;
    audio::TimeStretcher stretcher_;
    std::optional<audio::Resampler> to_rate_;  // of a voice with another rate
    audio::Joiner joiner_;
    audio::Shaper shaper_;
    audio::Resampler resampler_;
    audio::Limiter limiter_;
    std::optional<audio::QualityMeter> quality_;
    std::unique_ptr<audio::Encoder> encoder_;
    std::uint64_t samples_ = 0;
};

}  // namespace vf::speech
