#include "dialects/native/generate_body.hpp"

#include <algorithm>
#include <boost/describe.hpp>
#include <charconv>
#include <cmath>

#include "base/json_body.hpp"
#include "dialects/native/sound_body.hpp"
#include "http/multipart.hpp"

namespace vf::native {
namespace {

// What the older form's quality means for formats that lose something; the others have one only.
std::optional<int> BitRateOf(std::string_view quality, audio::Format format) {
    struct Level {
        std::string_view name;
        int mp3, opus, aac;  // bit/s; 0: as configured
    };
    constexpr Level kLevels[] = {{"draft", 48'000, 24'000, 32'000},
                                 {"standard", 0, 0, 0},
                                 {"high", 160'000, 64'000, 96'000},
                                 {"ultra", 192'000, 96'000, 128'000}};
    for (const Level& level : kLevels) {
        if (level.name != quality) continue;
        if (format == audio::Format::kMp3) return level.mp3;
        if (format == audio::Format::kOpus) return level.opus;
        return format == audio::Format::kAac ? level.aac : 0;
    }
    return std::nullopt;
}

struct GenerateBody {
    std::optional<std::string> text;
    std::optional<std::string> ssml;
    std::optional<std::string> voice;
    std::optional<std::string> language;
    std::optional<std::string> format;
    std::optional<std::int64_t> sample_rate;
    std::optional<double> speed;
    std::optional<double> pitch;
    std::optional<double> volume;
    std::optional<std::int64_t> bit_rate;
    std::optional<double> pitch_range;
    std::optional<double> brightness;
    std::optional<double> presence;
    std::optional<double> dynamics;
    std::optional<NormalisationBody> normalisation;
    std::optional<std::string> previous_text;
    std::optional<std::string> next_text;
    std::optional<std::int64_t> seed;
    std::vector<std::string> dictionaries;
    std::optional<std::string> voice_id;
    std::optional<std::string> emotion;
    std::optional<std::string> quality;
};
BOOST_DESCRIBE_STRUCT(GenerateBody, (),
                      (text, ssml, voice, language, format, sample_rate, speed, pitch, volume,
                       bit_rate, pitch_range, brightness, presence, dynamics, normalisation,
                       previous_text, next_text, seed, dictionaries, voice_id, emotion, quality))

void CheckBody(const GenerateBody& body, json::Checker& check) {
    if (!body.text && !body.ssml) {
        check.Fail("text", "required", "is required (or \"ssml\" in its place).");
    }
    if (body.text && body.ssml) {
        check.Fail("ssml", "conflict", "cannot stand beside \"text\": send one of them.");
    }
    if (body.voice && body.voice_id) {
        check.Fail("voice_id", "conflict", "is another name of \"voice\": send one of them.");
    }
    if (body.quality && !BitRateOf(*body.quality, audio::Format::kMp3)) {
        check.Fail("quality", "invalid_value",
                   "must be \"draft\", \"standard\", \"high\" or \"ultra\".");
    }
    CheckSound(body, check);
}

// A form field that holds a number, as the JSON it would be; the walker says what is wrong with
// anything else.
json::value NumberOrText(const std::string& text) {
    double number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
        return json::value(text);
    }
    if (number == std::trunc(number) && std::abs(number) < 1e15) {
        return json::value(static_cast<std::int64_t>(number));
    }
    return json::value(number);
}

// The form as the JSON text it stands for, so that both are checked by the same rules.
Result<std::string> FormAsJson(const http::Request& request) {
    Result<std::vector<http::Part>> parts =
        http::ParseMultipart(request.headers.Get("Content-Type"), request.body);
    if (!parts) return std::move(parts).error();
    std::string out = "{";
    for (const http::Part& part : *parts) {
        constexpr std::string_view kNumbers[] = {
            "sample_rate", "speed",      "pitch",    "volume",   "bit_rate",
            "pitch_range", "brightness", "presence", "dynamics", "seed"};
        const bool is_number = std::ranges::find(kNumbers, part.name) != std::end(kNumbers);
        if (out.size() > 1) out += ',';
        out += json::Print(json::value(part.name));
        out += ':';
        out += json::Print(is_number ? NumberOrText(part.data) : json::value(part.data));
    }
    return out + "}";
}

}  // namespace

Result<GenerateRequest> ReadGenerateBody(const http::Request& request) {
    std::string form;
    if (request.MediaType() == "multipart/form-data") {
        Result<std::string> text = FormAsJson(request);
        if (!text) return std::move(text).error();
        form = *std::move(text);
    }
    Result<GenerateBody> read =
        json::ReadBody<GenerateBody>(form.empty() ? request.body : form, json::Members::kClosed);
    if (!read) return std::move(read).error();
    GenerateBody& body = *read;
    GenerateRequest out;
    speech::SpeechRequest& speech = out.speech;
    if (body.ssml) {
        speech.markup = speech::Markup::kSsml;
        speech.text_field = "ssml";
        speech.text = *std::move(body.ssml);
    } else {
        speech.text = *std::move(body.text);
    }
    ApplySound(body, speech);
    if (body.voice_id) speech.voice = *std::move(body.voice_id);
    speech.previous_text = std::move(body.previous_text).value_or("");
    speech.next_text = std::move(body.next_text).value_or("");
    if (body.quality && !body.bit_rate) {
        speech.bit_rate = *BitRateOf(*body.quality, speech.format);
    }
    if (body.emotion && *body.emotion != "neutral" && !body.emotion->empty()) {
        speech.warnings.push_back("no voice of this server can do \"emotion\" yet");
    }
    out.dictionaries = LocatorsOf(body.dictionaries);
    return out;
}

}  // namespace vf::native
