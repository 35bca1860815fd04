#include "align/audio_input.hpp"

#include <sndfile.h>
#include <soxr.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

namespace vf::worker {
namespace {

constexpr std::size_t kBlock = 4'096;  // frames
constexpr int kMaxChannels = 16;

Error Wrong(std::string code) {
    return {ErrorKind::kInvalid, std::move(code), "the input was refused"};
}

// The input as the file that libsndfile asks for.
struct Memory {
    const std::string& bytes;
    sf_count_t at = 0;

    sf_count_t size() const { return static_cast<sf_count_t>(bytes.size()); }
};

Memory& Of(void* memory) {
    return *static_cast<Memory*>(memory);
}

sf_count_t Length(void* memory) {
    return Of(memory).size();
}

sf_count_t Seek(sf_count_t offset, int whence, void* user) {
    Memory& memory = Of(user);
    if (whence == SEEK_CUR) offset += memory.at;
    if (whence == SEEK_END) offset += memory.size();
    memory.at = std::clamp<sf_count_t>(offset, 0, memory.size());
    return memory.at;
}

sf_count_t ReadBytes(void* to, sf_count_t count, void* user) {
    Memory& memory = Of(user);
    count = std::clamp<sf_count_t>(memory.size() - memory.at, 0, count);
    std::memcpy(to, memory.bytes.data() + memory.at, static_cast<std::size_t>(count));
    memory.at += count;
    return count;
}

sf_count_t Tell(void* memory) {
    return Of(memory).at;
}

// To the model's rate, appended to `out`.
class Resampler {
public:
    Resampler(double rate, std::vector<std::int16_t>& out) : out_(out) {
        const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_INT16_I);
        soxr_error_t error = nullptr;
        soxr_.reset(soxr_create(rate, kModelRate, 1, &error, &io, nullptr, nullptr));
    }
    bool is_ready() const { return soxr_ != nullptr; }

    // Without samples: the end.
    void Write(const float* samples, std::size_t count) {
        std::int16_t block[kBlock];
        for (std::size_t used = 0;;) {
            std::size_t taken = 0;
            std::size_t made = 0;
            const bool is_end = samples == nullptr;
            soxr_process(soxr_.get(), is_end ? nullptr : samples + used, count - used, &taken,
                         block, kBlock, &made);
            out_.insert(out_.end(), block, block + made);
            used += taken;
            if (made == 0 && used >= count) break;
        }
    }

private:
    struct Free {
        void operator()(soxr_t soxr) const { soxr_delete(soxr); }
    };
    std::unique_ptr<soxr, Free> soxr_;
    std::vector<std::int16_t>& out_;
};

Result<std::vector<std::int16_t>> ReadSamples(const engines::Input& input,
                                              std::size_t max_samples) {
    const std::string& bytes = *input.bytes;
    const std::size_t count = bytes.size() / 2;
    if (static_cast<double>(count) * kModelRate / input.sample_rate >
        static_cast<double>(max_samples)) {
        return Wrong("audio_too_long");
    }
    std::vector<std::int16_t> out(count);
    std::memcpy(out.data(), bytes.data(), count * 2);
    if (input.sample_rate == kModelRate) return out;
    std::vector<float> samples(count);
    std::ranges::transform(out, samples.begin(),
                           [](std::int16_t s) { return static_cast<float>(s) / 32'768.0F; });
    out.clear();
    Resampler resampler(input.sample_rate, out);
    if (!resampler.is_ready()) return Wrong("invalid_audio");
    resampler.Write(samples.data(), samples.size());
    resampler.Write(nullptr, 0);
    return out;
}

}  // namespace

Result<std::vector<std::int16_t>> ReadAudio(const engines::Input& input, std::size_t max_samples) {
    if (input.sample_rate != 0) return ReadSamples(input, max_samples);
    Memory memory{*input.bytes};
    SF_VIRTUAL_IO io{Length, Seek, ReadBytes, nullptr, Tell};
    SF_INFO info{};
    const std::unique_ptr<SNDFILE, int (*)(SNDFILE*)> file(
        sf_open_virtual(&io, SFM_READ, &info, &memory), &sf_close);
    if (!file || info.channels < 1 || info.channels > kMaxChannels || info.samplerate < 4'000 ||
        info.samplerate > 384'000) {
        return Wrong("invalid_audio");
    }
    const auto channels = static_cast<std::size_t>(info.channels);
    std::vector<std::int16_t> out;
    Resampler resampler(info.samplerate, out);
    if (!resampler.is_ready()) return Wrong("invalid_audio");
    std::vector<float> frames(kBlock * channels);
    std::vector<float> mono(kBlock);
    for (;;) {
        const sf_count_t got = sf_readf_float(file.get(), frames.data(), kBlock);
        if (got <= 0) break;
        const auto count = static_cast<std::size_t>(got);
        for (std::size_t i = 0; i < count; ++i) {
            float sum = 0;
            for (std::size_t c = 0; c < channels; ++c) sum += frames[i * channels + c];
            mono[i] = sum / static_cast<float>(channels);
        }
        resampler.Write(mono.data(), count);
        if (out.size() > max_samples) return Wrong("audio_too_long");
    }
    resampler.Write(nullptr, 0);
    if (out.empty()) return Wrong("invalid_audio");
    return out;
}

}  // namespace vf::worker
