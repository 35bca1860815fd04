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

bool IsLight(const SpeechPlan& plan) {
    using audio::Format;
    const bool copies = plan.format == Format::kPcm || plan.format == Format::kWav ||
                        plan.format == Format::kUlaw || plan.format == Format::kAlaw;
    return copies && plan.stretch_speed == 1 && plan.stretch_pitch == 0;
}

}  // namespace

Result<std::unique_ptr<Chain>> Chain::Make(const SpeechPlan& plan) {
    audio::EncoderOptions options;
    options.format = plan.format;
    options.sample_rate = plan.sample_rate;
    options.whole = plan.whole;
    options.quality = plan.quality;
    Result<std::unique_ptr<audio::Encoder>> encoder = audio::MakeEncoder(options);
    if (!encoder) return std::move(encoder).error();
    return std::unique_ptr<Chain>(new Chain(plan, *std::move(encoder)));
}

Chain::Chain(const SpeechPlan& plan, std::unique_ptr<audio::Encoder> encoder)
    : is_light_(IsLight(plan)), engine_rate_(plan.voice.sample_rate),
      stretch_speed_(plan.stretch_speed), stretch_pitch_(plan.stretch_pitch),
      gain_(static_cast<float>(audio::DbToLinear(plan.gain_db))),
      stretcher_(plan.voice.sample_rate, plan.stretch_speed, plan.stretch_pitch),
      joiner_(plan.voice.sample_rate), resampler_(plan.voice.sample_rate, plan.sample_rate),
      limiter_(plan.sample_rate), encoder_(std::move(encoder)) {}

void Chain::StartSegment(const text::Segment& segment) {
    stretcher_ = audio::TimeStretcher(engine_rate_, stretch_speed_, stretch_pitch_);
    joiner_.StartSegment(PauseBefore(segment));
}

std::string Chain::Deliver(std::vector<float> joined) {
    for (float& sample : joined) sample *= gain_;
    const std::vector<float> limited = limiter_.Process(resampler_.Process(joined));
    samples_ += limited.size();
    return encoder_->Write(limited);
}

std::string Chain::Write(std::span<const std::int16_t> samples) {
    return Deliver(joiner_.Write(stretcher_.Process(audio::ToFloat(samples))));
}

std::string Chain::EndSegment() {
    std::vector<float> joined = joiner_.Write(stretcher_.Flush());
    const std::vector<float> rest = joiner_.EndSegment();
    joined.insert(joined.end(), rest.begin(), rest.end());
    return Deliver(std::move(joined));
}

std::string Chain::Finish() {
    std::string bytes = Deliver(joiner_.Finish());
    std::vector<float> rest = limiter_.Process(resampler_.Flush());
    const std::vector<float> tail = limiter_.Flush();
    rest.insert(rest.end(), tail.begin(), tail.end());
    samples_ += rest.size();
    bytes += encoder_->Write(rest);
    bytes += encoder_->Finish();
    return bytes;
}

double Chain::SecondsAt(std::uint64_t engine_sample) const {
    const double stretched = static_cast<double>(engine_sample) * stretcher_.duration_factor();
    const double joined = stretched + static_cast<double>(joiner_.segment_offset().value_or(0));
    const double begin = static_cast<double>(joiner_.segment_begin());
    return std::max(begin, joined) / engine_rate_;
}

}  // namespace vf::speech
