#include "dialects/elevenlabs/output_format.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace vf::elevenlabs {
namespace {

using audio::Format;

constexpr std::array<OutputFormat, 28> kFormats = {{
    {"mp3_22050_32", Format::kMp3, 22050, 32000},
    {"mp3_24000_48", Format::kMp3, 24000, 48000},
    {"mp3_44100_32", Format::kMp3, 44100, 32000},
    {"mp3_44100_64", Format::kMp3, 44100, 64000},
    {"mp3_44100_96", Format::kMp3, 44100, 96000},
    {"mp3_44100_128", Format::kMp3, 44100, 128000},
    {"mp3_44100_192", Format::kMp3, 44100, 192000},
    {"pcm_8000", Format::kPcm, 8000, 0},
    {"pcm_16000", Format::kPcm, 16000, 0},
    {"pcm_22050", Format::kPcm, 22050, 0},
    {"pcm_24000", Format::kPcm, 24000, 0},
    {"pcm_32000", Format::kPcm, 32000, 0},
    {"pcm_44100", Format::kPcm, 44100, 0},
    {"pcm_48000", Format::kPcm, 48000, 0},
    {"wav_8000", Format::kWav, 8000, 0},
    {"wav_16000", Format::kWav, 16000, 0},
    {"wav_22050", Format::kWav, 22050, 0},
    {"wav_24000", Format::kWav, 24000, 0},
    {"wav_32000", Format::kWav, 32000, 0},
    {"wav_44100", Format::kWav, 44100, 0},
    {"wav_48000", Format::kWav, 48000, 0},
    {"opus_48000_32", Format::kOpus, 48000, 32000},
    {"opus_48000_64", Format::kOpus, 48000, 64000},
    {"opus_48000_96", Format::kOpus, 48000, 96000},
    {"opus_48000_128", Format::kOpus, 48000, 128000},
    {"opus_48000_192", Format::kOpus, 48000, 192000},
    {"ulaw_8000", Format::kUlaw, 8000, 0},
    {"alaw_8000", Format::kAlaw, 8000, 0},
}};

}  // namespace

std::span<const OutputFormat> OutputFormats() {
    return kFormats;
}

Result<OutputFormat> ReadOutputFormat(std::string_view name) {
    if (name.empty()) name = kDefaultOutputFormat;
    const auto found = std::ranges::find(kFormats, name, &OutputFormat::name);
    if (found != kFormats.end()) return *found;
    std::string message = "The output_format is not known here; there are";
    for (const OutputFormat& format : kFormats) {
        message += format.name == kFormats.front().name ? " " : ", ";
        message += format.name;
    }
    message += '.';
    return Error(ErrorKind::kInvalid, "invalid_output_format", message,
                 {{"output_format", "invalid_output_format", message}});
}

}  // namespace vf::elevenlabs
