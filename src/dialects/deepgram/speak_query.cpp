#include "dialects/deepgram/speak_query.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <span>

#include "dialects/deepgram/voice_models.hpp"

namespace vf::deepgram {
namespace {

using audio::Format;

constexpr int kLinearRates[] = {24000, 8000, 16000, 32000, 48000};
constexpr int kTurnRates[] = {24000, 8000, 16000, 32000, 44100, 48000};
constexpr int kTelephoneRates[] = {8000, 16000};
constexpr int kMp3Rates[] = {22050};
constexpr int kAacRates[] = {22050};
constexpr int kOpusRates[] = {48000};
constexpr int kFlacRates[] = {48000, 8000, 16000, 22050, 32000};

// What an encoding can be, by Deepgram's table of combinations. The first rate is the default.
struct Encoding {
    std::string_view name;
    Format bare;                 // container=none
    std::optional<Format> wav;   // container=wav
    std::string_view container;  // the default
    std::span<const int> rates;
    int min_bits = 0, max_bits = 0, default_bits = 0;  // bit/s; 0: nothing to choose
};
constexpr Encoding kEncodings[] = {
    {"linear16", Format::kPcm, Format::kWav, "wav", kLinearRates},
    {"mulaw", Format::kPcmu, Format::kWavUlaw, "wav", kTelephoneRates},
    {"alaw", Format::kPcma, Format::kWavAlaw, "wav", kTelephoneRates},
    {"mp3", Format::kMp3, std::nullopt, "none", kMp3Rates, 32000, 48000, 48000},
    {"opus", Format::kOpus, std::nullopt, "ogg", kOpusRates, 4000, 650000, 12000},
    {"flac", Format::kFlac, std::nullopt, "none", kFlacRates},
    {"aac", Format::kAac, std::nullopt, "none", kAacRates, 4000, 192000, 48000},
};

Error Wrong(std::string name, std::string code, std::string words) {
    std::string message = "The query parameter " + name + " " + words;
    return {ErrorKind::kInvalid, code, std::move(message), {{std::move(name), code, words}}};
}

Error WrongFormat(std::string name, std::string words) {
    return Wrong(std::move(name), "unsupported_audio_format", std::move(words));
}

std::string Param(const http::Request& request, std::string_view name) {
    return request.QueryParam(name).value_or("");
}

Result<std::optional<double>> ReadNumber(const http::Request& request, std::string name) {
    const std::string text = Param(request, name);
    if (text.empty()) return std::optional<double>();
    double number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec != std::errc() || end != text.data() + text.size()) {
        return Wrong(std::move(name), "invalid_query_parameter", "must be a number.");
    }
    return std::optional(number);
}

Result<const Encoding*> ReadEncoding(const http::Request& request, Door door) {
    std::string name = Param(request, "encoding");
    if (name.empty()) name = door == Door::kHttp ? "mp3" : "linear16";
    const auto found = std::ranges::find(kEncodings, name, &Encoding::name);
    const bool is_bare = found != std::end(kEncodings) && found->wav;
    if (found == std::end(kEncodings) || (door != Door::kHttp && !is_bare)) {
        return WrongFormat("encoding",
                           door == Door::kHttp
                               ? "must be linear16, mulaw, alaw, mp3, opus, flac or aac."
                               : "must be linear16, mulaw or alaw on a socket.");
    }
    return &*found;
}

Result<Format> ReadContainer(const http::Request& request, Door door, const Encoding& encoding) {
    std::string container = Param(request, "container");
    if (door != Door::kHttp) {
        if (container.empty() || container == "none") return encoding.bare;
        return WrongFormat("container", "must be none on a socket.");
    }
    if (container.empty()) container = encoding.container;
    if (container == "wav" && encoding.wav) return *encoding.wav;
    // Opus has no form without Ogg.
    const bool is_bare = encoding.name == "opus" ? container == "ogg" : container == "none";
    if (is_bare) return encoding.bare;
    return WrongFormat(
        "container", fmt::format("cannot be {} with encoding={}; {} is possible.", container,
                                 encoding.name, encoding.wav ? "wav or none" : encoding.container));
}

Result<int> ReadRate(const http::Request& request, Door door, const Encoding& encoding) {
    const bool is_turns = door == Door::kTurns && encoding.name == "linear16";
    const std::span<const int> rates = is_turns ? std::span<const int>(kTurnRates) : encoding.rates;
    const Result<std::optional<double>> rate = ReadNumber(request, "sample_rate");
    if (!rate) return rate.error();
    if (!*rate) return rates.front();
    const auto found = std::ranges::find(rates, **rate);
    if (found != rates.end()) return *found;
    return WrongFormat("sample_rate", fmt::format("must be one of {} with encoding={}.",
                                                  fmt::join(rates, ", "), encoding.name));
}

// What our encoders can do at most and at least stays within what Deepgram allows.
int Fitted(const Encoding& encoding, double bits) {
    const int wanted = static_cast<int>(bits);
    if (encoding.bare == Format::kOpus) return std::clamp(wanted, 6000, 256000);
    if (encoding.bare == Format::kAac) return std::clamp(wanted, 16000, 132300);
    return wanted;
}

Result<int> ReadBitRate(const http::Request& request, const Encoding& encoding) {
    const Result<std::optional<double>> bits = ReadNumber(request, "bit_rate");
    if (!bits) return bits.error();
    if (!*bits) return encoding.default_bits == 0 ? 0 : Fitted(encoding, encoding.default_bits);
    if (encoding.max_bits == 0) {
        return WrongFormat("bit_rate",
                           fmt::format("cannot be chosen with encoding={}.", encoding.name));
    }
    const bool is_mp3 = encoding.bare == Format::kMp3;
    if (is_mp3 && **bits != encoding.min_bits && **bits != encoding.max_bits) {
        return WrongFormat("bit_rate", "must be 32000 or 48000 with encoding=mp3.");
    }
    if (**bits < encoding.min_bits || **bits > encoding.max_bits) {
        return WrongFormat("bit_rate",
                           fmt::format("must be between {} and {} with encoding={}.",
                                       encoding.min_bits, encoding.max_bits, encoding.name));
    }
    return Fitted(encoding, **bits);
}

Result<double> ReadSpeed(const http::Request& request, Door door) {
    const Result<std::optional<double>> speed = ReadNumber(request, "speed");
    if (!speed) return speed.error();
    const double least = door == Door::kTurns ? kMinTurnSpeed : kMinSpeed;
    const double value = speed->value_or(1);
    if (value >= least && value <= kMaxSpeed) return value;
    return Wrong("speed", "invalid_query_parameter",
                 fmt::format("must be between {} and {}.", least, kMaxSpeed));
}

}  // namespace

Result<SpeakQuery> ReadSpeakQuery(const http::Request& request, Door door,
                                  const engines::VoiceView& voices) {
    if (!Param(request, "callback").empty()) {
        return Wrong("callback", "callback_not_supported",
                     "is not supported: this server answers with the audio itself and calls no "
                     "addresses that requests name. Leave it out and read the reply.");
    }
    SpeakQuery out;
    out.model = Param(request, "model");
    if (out.model.empty() && door == Door::kTurns) {
        return Wrong("model", "invalid_query_parameter",
                     "is required, for example model=flux-alexis-en.");
    }
    if (out.model.empty()) out.model = kDefaultModel;
    const Result<const engines::Voice*> voice = FindModelVoice(voices, out.model);
    if (!voice) return voice.error();
    out.voice = (*voice)->id;
    const Result<const Encoding*> encoding = ReadEncoding(request, door);
    if (!encoding) return encoding.error();
    const Result<Format> format = ReadContainer(request, door, **encoding);
    if (!format) return format.error();
    const Result<int> rate = ReadRate(request, door, **encoding);
    if (!rate) return rate.error();
    const Result<int> bits = ReadBitRate(request, **encoding);
    if (!bits) return bits.error();
    const Result<double> speed = ReadSpeed(request, door);
    if (!speed) return speed.error();
    out.format = *format;
    out.sample_rate = *rate;
    out.bit_rate = *bits;
    out.speed = *speed;
    return out;
}

speech::SpeechRequest RequestOf(const SpeakQuery& query) {
    speech::SpeechRequest request;
    request.voice = query.voice;
    request.model = query.model;
    request.format = query.format;
    request.sample_rate = query.sample_rate;
    request.bit_rate = query.bit_rate;
    request.speed = query.speed;
    return request;
}

}  // namespace vf::deepgram
