#pragma once
// Changes the speed and the pitch of speech independently of each other (libsonic:
// pitch-synchronous overlap-add). For engines that cannot do it themselves. Not thread-safe.

#include <memory>
#include <span>
#include <vector>

namespace vf::audio {

class TimeStretcher {
public:
    // `speed` 0.25 to 4 (2: twice as fast), `pitch_semitones` -12 to +12; values outside are
    // clamped. Speed 1 with pitch 0 passes samples through untouched and undelayed. Samples are in
    // [-1, 1].
    TimeStretcher(int rate, double speed, double pitch_semitones);
    ~TimeStretcher();
    TimeStretcher(TimeStretcher&&) noexcept;
    TimeStretcher& operator=(TimeStretcher&&) noexcept;

    // What became ready; the cut into calls does not change a sample.
    std::vector<float> Process(std::span<const float> input);

    // The rest. To be called once.
    std::vector<float> Flush();

    bool bypassed() const { return state_ == nullptr; }

    // Multiply a time (or sample position) of the input by this for its place in the output.
    double duration_factor() const { return duration_factor_; }

private:
    struct State;
    std::unique_ptr<State> state_;  // null: bypassed
    double duration_factor_ = 1;
};

}  // namespace vf::audio
