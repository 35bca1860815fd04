#include "audio/resampler.hpp"

#include <soxr.h>

#include <cmath>
#include <stdexcept>

namespace vf::audio {

struct Resampler::State {
    struct Delete {
        void operator()(soxr* s) const { soxr_delete(s); }
    };

    int in_rate;
    int out_rate;
    std::unique_ptr<soxr, Delete> handle;
    std::uint64_t in = 0;
    std::uint64_t out = 0;

    // `input` empty: the end.
    void Run(std::span<const float> input, std::vector<float>& result) {
        const double ratio = static_cast<double>(out_rate) / in_rate;
        for (bool more = true; more;) {
            const std::size_t start = result.size();
            const std::size_t room =
                static_cast<std::size_t>(static_cast<double>(input.size()) * ratio) + 4096;
            result.resize(start + room);
            std::size_t used = 0;
            std::size_t made = 0;
            soxr_process(handle.get(), input.empty() ? nullptr : input.data(), input.size(), &used,
                         result.data() + start, room, &made);
            result.resize(start + made);
            out += made;
            const bool was_end = input.empty();
            input = input.subspan(used);
            more = was_end ? made == room : !input.empty();
        }
    }
};

Resampler::Resampler(int in_rate, int out_rate) {
    if (in_rate == out_rate) return;
    const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
    soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
    // The smallest transforms: what is held back before the first sample comes out is 37 ms from
    // 16 to 24 kHz, and the cost is the same.
    runtime.log2_min_dft_size = 8;
    soxr_error_t error = nullptr;
    soxr_t handle = soxr_create(in_rate, out_rate, 1, &error, &io, &quality, &runtime);
    if (error != nullptr) throw std::runtime_error(error);
    state_ = std::make_unique<State>();
    state_->in_rate = in_rate;
    state_->out_rate = out_rate;
    state_->handle.reset(handle);
}

Resampler::~Resampler() = default;
Resampler::Resampler(Resampler&&) noexcept = default;
Resampler& Resampler::operator=(Resampler&&) noexcept = default;

std::vector<float> Resampler::Process(std::span<const float> input) {
    if (!state_) return {input.begin(), input.end()};
    std::vector<float> result;
    if (input.empty()) return result;
    state_->in += input.size();
    state_->Run(input, result);
    return result;
}

std::vector<float> Resampler::Flush() {
    std::vector<float> result;
    if (!state_) return result;
    const auto wanted = static_cast<std::uint64_t>(
        std::llround(static_cast<double>(state_->in) * state_->out_rate / state_->in_rate));
    const std::uint64_t before = state_->out;
    state_->Run({}, result);
    result.resize(wanted > before ? wanted - before : 0);
    return result;
}

}  // namespace vf::audio
