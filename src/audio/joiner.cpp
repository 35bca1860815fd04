#include "audio/joiner.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vf::audio {
namespace {

constexpr std::chrono::milliseconds kWindow{5};
constexpr std::chrono::milliseconds kFade{5};
constexpr std::chrono::milliseconds kPreroll{20};
constexpr std::chrono::milliseconds kTail{40};
constexpr std::chrono::milliseconds kLongestPause{60000};
constexpr double kSpeechPower = 0.1;        // of a loud window, where nothing was heard yet
constexpr double kBelowLoudest = 1e-4;      // -40 dB, in power
constexpr double kFloorPower = 1e-6;        // -60 dBFS
constexpr double kCeilingPower = 2.512e-5;  // -46 dBFS

// Raised cosine over the first `length` samples.
void FadeIn(std::span<float> samples, std::size_t length) {
    length = std::min(length, samples.size());
    for (std::size_t i = 0; i < length; ++i) {
        const double x = (static_cast<double>(i) + 0.5) / static_cast<double>(length);
        samples[i] *= static_cast<float>(0.5 - 0.5 * std::cos(std::numbers::pi * x));
    }
}

void FadeOut(std::span<float> samples, std::size_t length) {
    length = std::min(length, samples.size());
    for (std::size_t i = 0; i < length; ++i) {
        const double x = (static_cast<double>(i) + 0.5) / static_cast<double>(length);
        samples[samples.size() - 1 - i] *=
            static_cast<float>(0.5 - 0.5 * std::cos(std::numbers::pi * x));
    }
}

}  // namespace

Joiner::Joiner(int rate, JoinerOptions options)
    : rate_(rate), options_(options), window_length_(Samples(kWindow)),
      loudest_(options.continues ? kSpeechPower : 0), first_(!options.continues) {}

std::size_t Joiner::Samples(std::chrono::milliseconds time) const {
    return static_cast<std::size_t>(rate_) * static_cast<std::size_t>(time.count()) / 1000;
}

void Joiner::StartSegment(Pause pause) {
    switch (pause) {
        case Pause::kNone: return StartSegment(std::chrono::milliseconds(0));
        case Pause::kClause: return StartSegment(options_.clause);
        case Pause::kSentence: return StartSegment(options_.sentence);
        case Pause::kParagraph: return StartSegment(options_.paragraph);
    }
}

void Joiner::StartSegment(std::chrono::milliseconds pause) {
    const std::size_t wanted =
        Samples(std::clamp(pause, std::chrono::milliseconds(0), kLongestPause));
    pause_ = nothing_said_ ? std::max(pause_, wanted) : wanted;
    in_lead_ = true;
    taken_ = 0;
    trimmed_ = 0;
    offset_.reset();
    preroll_.clear();
}

std::vector<float> Joiner::LeadIn(std::chrono::milliseconds time) {
    std::vector<float> out = Silence(time);
    lead_in_ = position_;
    return out;
}

std::vector<float> Joiner::Silence(std::chrono::milliseconds time) {
    std::vector<float> out;
    time = std::clamp(time, std::chrono::milliseconds(0), kLongestPause);
    Emit(std::vector<float>(Samples(time)), out);
    return out;
}

std::vector<float> Joiner::FillTo(std::chrono::milliseconds pause) {
    std::vector<float> out;
    const std::size_t wanted = Samples(pause);
    if (wanted > silence_out_) Emit(std::vector<float>(wanted - silence_out_), out);
    return out;
}

std::vector<float> Joiner::Write(std::span<const float> samples) {
    std::vector<float> out;
    while (!samples.empty()) {
        const std::size_t length = std::min(samples.size(), window_length_ - partial_.size());
        partial_.insert(partial_.end(), samples.begin(),
                        samples.begin() + static_cast<std::ptrdiff_t>(length));
        samples = samples.subspan(length);
        if (partial_.size() == window_length_) TakePartial(out);
    }
    return out;
}

std::vector<float> Joiner::EndSegment() {
    std::vector<float> out;
    if (!partial_.empty()) TakePartial(out);
    nothing_said_ = in_lead_;
    if (first_ && in_lead_ && taken_ > 0) {
        first_ = false;
        silence_out_ = static_cast<std::size_t>(taken_);
    }
    preroll_.clear();
    return out;
}

std::vector<float> Joiner::Rest(std::chrono::milliseconds silence) {
    std::vector<float> out;
    EmitTail(Samples(options_.last_tail), out);
    Emit(std::vector<float>(Samples(silence)), out);
    silence_out_ += Samples(silence);
    return out;
}

std::vector<float> Joiner::Finish() {
    std::vector<float> out;
    EmitTail(Samples(options_.last_tail), out);
    return out;
}

void Joiner::TakePartial(std::vector<float>& out) {
    const bool audible = Audible(partial_);
    if (in_lead_) {
        TakeLead(audible, out);
    } else {
        TakeBody(audible, out);
    }
    taken_ += partial_.size();
    partial_.clear();
}

void Joiner::TakeLead(bool audible, std::vector<float>& out) {
    if (first_) {
        offset_ = static_cast<std::int64_t>(lead_in_);
        if (audible) {
            first_ = false;
            in_lead_ = false;
            held_ = partial_;
        } else {
            Emit(partial_, out);
        }
        return;
    }
    if (audible) {
        Join(out);
        in_lead_ = false;
        return;
    }
    preroll_.insert(preroll_.end(), partial_.begin(), partial_.end());
    const std::size_t keep = Samples(kPreroll);
    if (preroll_.size() > keep) {
        preroll_.erase(preroll_.begin(), preroll_.end() - static_cast<std::ptrdiff_t>(keep));
    }
}

void Joiner::TakeBody(bool audible, std::vector<float>& out) {
    if (audible) {
        Emit(held_, out);
        held_ = partial_;
        held_silence_ = 0;
        silence_out_ = 0;
        return;
    }
    held_.insert(held_.end(), partial_.begin(), partial_.end());
    held_silence_ += partial_.size();
    const std::size_t longest = Samples(options_.max_hold);
    if (held_silence_ <= longest) return;
    // Too long to be kept: it goes out as it is, with the audible part before it.
    const std::size_t leave = held_.size() - longest;
    Emit(std::span(held_).first(leave), out);
    silence_out_ += held_silence_ - longest;
    held_silence_ = longest;
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(leave));
}

void Joiner::EmitTail(std::size_t most_silence, std::vector<float>& out) {
    const std::size_t room = most_silence - std::min(most_silence, silence_out_);
    const std::size_t silence = std::min(held_silence_, room);
    held_.resize(held_.size() - held_silence_ + silence);
    FadeOut(held_, Samples(kFade));
    Emit(held_, out);
    silence_out_ += silence;
    held_.clear();
    held_silence_ = 0;
}

void Joiner::Join(std::vector<float>& out) {
    EmitTail(Samples(kTail), out);
    const std::size_t there = silence_out_ + preroll_.size();
    if (pause_ > there) Emit(std::vector<float>(pause_ - there), out);
    trimmed_ = taken_ - preroll_.size();
    offset_ = static_cast<std::int64_t>(position_) - static_cast<std::int64_t>(trimmed_);
    held_ = std::move(preroll_);
    preroll_.clear();
    const std::size_t lead = held_.size();
    held_.insert(held_.end(), partial_.begin(), partial_.end());
    FadeIn(held_, Samples(kFade));
    Emit(std::span(held_).first(lead), out);
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(lead));
    held_silence_ = 0;
    silence_out_ = 0;
}

bool Joiner::Audible(std::span<const float> window) {
    double sum = 0;
    for (const float sample : window) sum += static_cast<double>(sample) * sample;
    const double power = sum / static_cast<double>(window.size());
    loudest_ = std::max(loudest_, power);
    return power > std::clamp(loudest_ * kBelowLoudest, kFloorPower, kCeilingPower);
}

void Joiner::Emit(std::span<const float> samples, std::vector<float>& out) {
    out.insert(out.end(), samples.begin(), samples.end());
    position_ += samples.size();
}

}  // namespace vf::audio
