#include "speech/chain.hpp"

#include <algorithm>

#include "audio/gain.hpp"

namespace vf::speech {
namespace {

audio::Pause PauseBefore(const text::Segment& segment) {
    switch (segment.before) {
        case text::Pause::kNone: return audio::Pause::kNone;
        case text::Pause::kClause: return audio::Pause::kClause;
        case text::Pause::kSentence: return audio::Pause::kSentence;
        case text::Pause::kParagraph: return audio::Pause::kParagraph;
    }
    return audio::Pause::kSentence;
}

audio::JoinerOptions JoinerOf(const SpeechPlan& plan) {
    audio::JoinerOptions options;
    options.continues = plan.continues;
    if (plan.goes_on_after) options.last_tail = *plan.goes_on_after;
    return options;
}

bool IsLight(const SpeechPlan& plan) {
    using audio::Format;
    switch (plan.format) {
        case Format::kMp3:
        case Format::kOpus:
        case Format::kFlac:
        case Format::kAac: return false;
        default: return plan.shaping.is_neutral();
    }
}

}  // namespace

Result<std::unique_ptr<Chain>> Chain::Make(const SpeechPlan& plan) {
    audio::EncoderOptions options;
    options.format = plan.format;
    options.sample_rate = plan.sample_rate;
    options.bit_rate = plan.bit_rate;
    options.whole = plan.whole;
    options.quality = plan.quality;
    Result<std::unique_ptr<audio::Encoder>> encoder = audio::MakeEncoder(options);
    if (!encoder) return std::move(encoder).error();
    return std::unique_ptr<Chain>(new Chain(plan, *std::move(encoder)));
}

Chain::Chain(const SpeechPlan& plan, std::unique_ptr<audio::Encoder> encoder)
    : is_light_(IsLight(plan)), rate_(plan.voice().sample_rate),
      base_gain_db_(plan.styles.front().gain_db),
      gain_(static_cast<float>(audio::DbToLinear(base_gain_db_))),
      goes_on_after_(plan.goes_on_after), engine_rate_(rate_), stretcher_(rate_, 1, 0),
      joiner_(rate_, JoinerOf(plan)), shaper_(rate_, plan.shaping),
      resampler_(rate_, plan.sample_rate), limiter_(plan.sample_rate),
      encoder_(std::move(encoder)) {
    if (plan.wants_quality) quality_.emplace(plan.sample_rate);
}

std::string Chain::LeadIn(std::chrono::milliseconds time) {
    return Deliver(joiner_.LeadIn(time));
}

void Chain::StartSegment(const text::Segment& segment, const StyleVoice& style) {
    engine_rate_ = style.voice.sample_rate;
    stretcher_ = audio::TimeStretcher(engine_rate_, style.stretch_speed, style.stretch_pitch);
    to_rate_.reset();
    if (engine_rate_ != rate_) to_rate_.emplace(engine_rate_, rate_);
    segment_gain_ = style.gain_db == base_gain_db_
                        ? 1.0F
                        : static_cast<float>(audio::DbToLinear(style.gain_db - base_gain_db_));
    if (segment.pause) {
        joiner_.StartSegment(*segment.pause);
    } else {
        joiner_.StartSegment(PauseBefore(segment));
    }
}

// From the engine's rate and level to those of the join.
std::vector<float> Chain::Raise(std::vector<float> samples) const {
    if (segment_gain_ != 1.0F) {
        for (float& sample : samples) sample *= segment_gain_;
    }
    return samples;
}

std::string Chain::Deliver(std::vector<float> joined) {
    for (float& sample : joined) sample *= gain_;
    shaper_.Process(joined);
    return Encode(limiter_.Process(resampler_.Process(joined)));
}

std::string Chain::Encode(std::span<const float> finished) {
    samples_ += finished.size();
    if (quality_) quality_->Feed(finished);
    return encoder_->Write(finished);
}

std::string Chain::Write(std::span<const std::int16_t> samples) {
    std::vector<float> ready = stretcher_.Process(audio::ToFloat(samples));
    if (to_rate_) ready = to_rate_->Process(ready);
    return Deliver(joiner_.Write(Raise(std::move(ready))));
}

std::string Chain::EndSegment() {
    std::vector<float> ready = stretcher_.Flush();
    if (to_rate_) {
        ready = to_rate_->Process(ready);
        const std::vector<float> rest = to_rate_->Flush();
        ready.insert(ready.end(), rest.begin(), rest.end());
    }
    std::vector<float> joined = joiner_.Write(Raise(std::move(ready)));
    const std::vector<float> rest = joiner_.EndSegment();
    joined.insert(joined.end(), rest.begin(), rest.end());
    return Deliver(std::move(joined));
}

std::string Chain::Rest() {
    // The resampler looks 40 ms ahead, the limiter 2 ms.
    constexpr std::chrono::milliseconds kPush{60};
    return Deliver(joiner_.Rest(kPush));
}

std::string Chain::Finish(std::chrono::milliseconds tail) {
    std::vector<float> last = joiner_.Finish();
    if (goes_on_after_) {
        // An engine may have left less than the pause.
        const std::vector<float> pause = joiner_.FillTo(*goes_on_after_);
        last.insert(last.end(), pause.begin(), pause.end());
    }
    const std::vector<float> silence = joiner_.Silence(tail);
    last.insert(last.end(), silence.begin(), silence.end());
    std::string bytes = Deliver(std::move(last));
    std::vector<float> rest = limiter_.Process(resampler_.Flush());
    const std::vector<float> held = limiter_.Flush();
    rest.insert(rest.end(), held.begin(), held.end());
    bytes += Encode(rest);
    bytes += encoder_->Finish();
    return bytes;
}

double Chain::SecondsAt(std::uint64_t engine_sample) const {
    const double stretched =
        static_cast<double>(engine_sample) * stretcher_.duration_factor() * rate_ / engine_rate_;
    const double joined = stretched + static_cast<double>(joiner_.segment_offset().value_or(0));
    const double begin = static_cast<double>(joiner_.segment_begin());
    return std::max(begin, joined) / rate_;
}

}  // namespace vf::speech
