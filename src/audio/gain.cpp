#include "audio/gain.hpp"

#include <algorithm>
#include <cmath>

namespace vf::audio {

std::vector<float> ToFloat(std::span<const std::int16_t> samples) {
    std::vector<float> out(samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
        out[i] = static_cast<float>(samples[i]) / 32768.0F;
    }
    return out;
}

std::int16_t ToInt16(float sample) {
    if (std::isnan(sample)) return 0;
    return static_cast<std::int16_t>(
        std::lrintf(std::clamp(sample * 32768.0F, -32768.0F, 32767.0F)));
}

std::vector<std::int16_t> ToInt16(std::span<const float> samples) {
    std::vector<std::int16_t> out(samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) out[i] = ToInt16(samples[i]);
    return out;
}

void AppendS16le(std::string& out, std::span<const float> samples) {
    const std::size_t start = out.size();
    out.resize(start + samples.size() * 2);
    char* target = out.data() + start;
    for (const float sample : samples) {
        const auto value = static_cast<std::uint16_t>(ToInt16(sample));
        *target++ = static_cast<char>(value & 0xFF);
        *target++ = static_cast<char>(value >> 8);
    }
}

double DbToLinear(double db) {
    return std::pow(10.0, db / 20.0);
}

double LinearToDb(double linear) {
    return linear > 1e-10 ? 20.0 * std::log10(linear) : -200.0;
}

Gain::Gain(int rate, double db)
    : ramp_length_(std::max(1, rate / 100)), current_(static_cast<float>(DbToLinear(db))),
      target_(current_) {}

void Gain::Set(double db) {
    target_ = static_cast<float>(DbToLinear(db));
    remaining_ = ramp_length_;
    step_ = (target_ - current_) / static_cast<float>(ramp_length_);
}

void Gain::Apply(std::span<float> samples) {
    std::size_t i = 0;
    for (; i < samples.size() && remaining_ > 0; ++i) {
        current_ = --remaining_ == 0 ? target_ : current_ + step_;
        samples[i] *= current_;
    }
    for (; i < samples.size(); ++i) samples[i] *= current_;
}

}  // namespace vf::audio
