#include "audio/format.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace vf::audio {
namespace {

constexpr std::array kPcmRates = {8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000};
constexpr std::array kMp3Rates = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000};
constexpr std::array kOpusRates = {8000, 12000, 16000, 24000, 48000};
// Below 16 kHz the delay of AAC (1,600 samples before, up to 1,023 after) would be a third of a
// second.
constexpr std::array kAacRates = {16000, 22050, 24000, 32000, 44100, 48000};
constexpr std::array kTelephoneRates = {8000};

// audio/basic is registered as 8 kHz mono u-law (RFC 2046); A-law has audio/PCMA (RFC 4856), whose
// clock rate is 8 kHz unless a parameter says otherwise.
constexpr std::size_t kForEverybody = 8;
constexpr std::array<FormatInfo, 14> kFormats = {{
    {Format::kWav, "wav", "audio/wav", "wav", kPcmRates, 24000},
    {Format::kMp3, "mp3", "audio/mpeg", "mp3", kMp3Rates, 24000},
    {Format::kOpus, "opus", "audio/ogg", "ogg", kOpusRates, 24000},
    {Format::kFlac, "flac", "audio/flac", "flac", kPcmRates, 24000},
    {Format::kAac, "aac", "audio/aac", "aac", kAacRates, 24000},
    {Format::kPcm, "pcm", "audio/pcm", "pcm", kPcmRates, 24000},
    {Format::kUlaw, "ulaw", "audio/basic", "ulaw", kTelephoneRates, 8000},
    {Format::kAlaw, "alaw", "audio/PCMA", "alaw", kTelephoneRates, 8000},
    {Format::kPcmFloat, "pcm_f32le", "audio/pcm", "f32", kPcmRates, 24000},
    {Format::kWavFloat, "wav_f32le", "audio/wav", "wav", kPcmRates, 24000},
    {Format::kWavUlaw, "wav_ulaw", "audio/wav", "wav", kPcmRates, 8000},
    {Format::kWavAlaw, "wav_alaw", "audio/wav", "wav", kPcmRates, 8000},
    {Format::kPcmu, "pcmu", "audio/PCMU", "ulaw", kPcmRates, 8000},
    {Format::kPcma, "pcma", "audio/PCMA", "alaw", kPcmRates, 8000},
}};

}  // namespace

std::span<const FormatInfo> Formats() {
    return std::span(kFormats).first(kForEverybody);
}

const FormatInfo& InfoOf(Format format) {
    return kFormats[static_cast<std::size_t>(format)];
}

const FormatInfo* FindFormat(std::string_view name) {
    const std::span<const FormatInfo> all = Formats();
    const auto found = std::ranges::find(all, name, &FormatInfo::name);
    return found == all.end() ? nullptr : &*found;
}

Result<int> CheckRate(Format format, int requested) {
    const FormatInfo& info = InfoOf(format);
    if (requested == 0) return info.default_rate;
    const auto rates = info.sample_rates;
    if (std::find(rates.begin(), rates.end(), requested) != rates.end()) return requested;
    std::string message = "The format " + std::string(info.name) + " has the sample rates ";
    for (std::size_t i = 0; i < rates.size(); ++i) {
        if (i > 0) message += i + 1 == rates.size() ? " and " : ", ";
        message += std::to_string(rates[i]);
    }
    message += " Hz.";
    return Error(ErrorKind::kInvalid, "unsupported_sample_rate", message,
                 {{"/sample_rate", "unsupported_sample_rate", message}});
}

}  // namespace vf::audio
