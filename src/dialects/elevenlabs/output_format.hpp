#pragma once
// ElevenLabs' names of output formats: "mp3_44100_128" is codec, sample rate in Hz and bit rate in
// kbit/s.

#include <span>
#include <string_view>

#include "audio/format.hpp"
#include "base/result.hpp"

namespace vf::elevenlabs {

struct OutputFormat {
    std::string_view name;
    audio::Format format;
    int sample_rate;  // Hz
    int bit_rate;     // bit/s; 0: the codec has none to choose
};

inline constexpr std::string_view kDefaultOutputFormat = "mp3_44100_128";

// All 28.
std::span<const OutputFormat> OutputFormats();

// By name, compared exactly; "" is the default. kInvalid `invalid_output_format` with the field
// `output_format`; its message names every format there is.
Result<OutputFormat> ReadOutputFormat(std::string_view name);

}  // namespace vf::elevenlabs
