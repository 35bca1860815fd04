#include "audio/prosody.hpp"

#include <sonic.h>

#include <algorithm>
#include <cmath>
#include <new>

namespace vf::audio {

struct TimeStretcher::State {
    struct Destroy {
        void operator()(sonicStreamStruct* s) const { sonicDestroyStream(s); }
    };

    std::unique_ptr<sonicStreamStruct, Destroy> stream;
    std::vector<float> block;  // sonic gets blocks of equal length, however the input is cut
    std::size_t block_length;

    void Drain(std::vector<float>& out) {
        const int ready = sonicSamplesAvailable(stream.get());
        if (ready <= 0) return;
        const std::size_t start = out.size();
        out.resize(start + static_cast<std::size_t>(ready));
        const int read = sonicReadFloatFromStream(stream.get(), out.data() + start, ready);
        out.resize(start + static_cast<std::size_t>(std::max(read, 0)));
    }

    void Feed(std::vector<float>& out) {
        if (!block.empty() && sonicWriteFloatToStream(stream.get(), block.data(),
                                                      static_cast<int>(block.size())) == 0) {
            throw std::bad_alloc();
        }
        block.clear();
        Drain(out);
    }
};

TimeStretcher::TimeStretcher(int rate, double speed, double pitch_semitones) {
    speed = std::clamp(speed, 0.25, 4.0);
    pitch_semitones = std::clamp(pitch_semitones, -12.0, 12.0);
    if (speed == 1.0 && pitch_semitones == 0.0) return;
    duration_factor_ = 1.0 / speed;
    state_ = std::make_unique<State>();
    state_->stream.reset(sonicCreateStream(rate, 1));
    if (!state_->stream) throw std::bad_alloc();
    sonicSetSpeed(state_->stream.get(), static_cast<float>(speed));
    sonicSetPitch(state_->stream.get(), static_cast<float>(std::exp2(pitch_semitones / 12.0)));
    state_->block_length = static_cast<std::size_t>(rate / 100);
}

TimeStretcher::~TimeStretcher() = default;
TimeStretcher::TimeStretcher(TimeStretcher&&) noexcept = default;
TimeStretcher& TimeStretcher::operator=(TimeStretcher&&) noexcept = default;

std::vector<float> TimeStretcher::Process(std::span<const float> input) {
    if (!state_) return {input.begin(), input.end()};
    std::vector<float> out;
    for (const float sample : input) {
        // Sonic converts to int16 without clamping.
        state_->block.push_back(sample >= -1 && sample <= 1
                                    ? sample
                                    : static_cast<float>((sample > 1) - (sample < -1)));
        if (state_->block.size() == state_->block_length) state_->Feed(out);
    }
    return out;
}

std::vector<float> TimeStretcher::Flush() {
    std::vector<float> out;
    if (!state_) return out;
    state_->Feed(out);
    sonicFlushStream(state_->stream.get());
    state_->Drain(out);
    return out;
}

}  // namespace vf::audio
