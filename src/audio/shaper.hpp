#pragma once
// Changes how speech sounds without changing what is said: two filters and an expander or
// compressor of syllable levels. Streaming, causal, no delay; the cut into calls does not change a
// sample. Not thread-safe.

#include <array>
#include <span>

namespace vf::audio {

struct ShaperOptions {
    double brightness_db = 0;  // high shelf from 3 kHz, -12 to 12
    double presence_db = 0;    // peak at 2.8 kHz, one and a half octaves wide, -12 to 12
    double dynamics = 1;       // 0.5 to 2: factor of the level's distance from its slow mean, in dB

    bool is_neutral() const { return brightness_db == 0 && presence_db == 0 && dynamics == 1; }
};

class Shaper {
public:
    Shaper(int rate, const ShaperOptions& options);
    void Process(std::span<float> samples);

private:
    // A second-order section, transposed direct form II.
    struct Biquad {
        double b0 = 1, b1 = 0, b2 = 0, a1 = 0, a2 = 0;
        double z1 = 0, z2 = 0;
        double Step(double x) {
            const double y = b0 * x + z1;
            z1 = b1 * x - a1 * y + z2;
            z2 = b2 * x - a2 * y;
            return y;
        }
    };
    static Biquad HighShelf(int rate, double hz, double db);
    static Biquad Peak(int rate, double hz, double octaves, double db);
    double Dynamics(double sample);

    ShaperOptions options_;
    Biquad shelf_, peak_;
    double fast_, slow_;     // smoothing of the two level meters, per sample
    double fast_power_ = 0;  // over about a syllable's rise
    double slow_level_ = 0;  // dB, over seconds of speech
    bool has_level_ = false;
    double gain_ = 1;
};

}  // namespace vf::audio
