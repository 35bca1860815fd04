#include "dialects/native/generate_body.hpp"

#include <fmt/format.h>

#include <boost/describe.hpp>
#include <charconv>
#include <cmath>

#include "base/json_body.hpp"
#include "http/multipart.hpp"

namespace vf::native {
namespace {

struct GenerateBody {
    json::Required<std::string> text;
    std::optional<std::string> voice;
    std::optional<std::string> language;
    std::optional<std::string> format;
    std::optional<std::int64_t> sample_rate;
    std::optional<double> speed;
    std::optional<double> pitch;
    std::optional<double> volume;
};
BOOST_DESCRIBE_STRUCT(GenerateBody, (),
                      (text, voice, language, format, sample_rate, speed, pitch, volume))

std::string FormatNames() {
    std::string names;
    for (const audio::FormatInfo& info : audio::Formats()) {
        if (!names.empty()) names += ", ";
        names += info.name;
    }
    return names;
}

void CheckBody(const GenerateBody& body, json::Checker& check) {
    check.Range("speed", body.speed, 0.25, 4.0);
    check.Range("pitch", body.pitch, -12.0, 12.0);
    check.Range("volume", body.volume, -20.0, 10.0);
    check.Range<std::int64_t>("sample_rate", body.sample_rate, 1, 192'000);
    if (body.format && !audio::FindFormat(*body.format)) {
        check.Fail("format", "format_not_supported",
                   fmt::format("must be one of {}.", FormatNames()));
    }
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
        const bool is_number = part.name == "sample_rate" || part.name == "speed" ||
                               part.name == "pitch" || part.name == "volume";
        if (out.size() > 1) out += ',';
        out += json::Print(json::value(part.name));
        out += ':';
        out += json::Print(is_number ? NumberOrText(part.data) : json::value(part.data));
    }
    return out + "}";
}

}  // namespace

Result<speech::SpeechRequest> ReadGenerateBody(const http::Request& request) {
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
    speech::SpeechRequest speech;
    speech.text = std::move(body.text.value);
    speech.voice = body.voice.value_or("");
    speech.language = body.language.value_or("");
    if (body.format) speech.format = audio::FindFormat(*body.format)->format;
    speech.sample_rate = static_cast<int>(body.sample_rate.value_or(0));
    speech.speed = body.speed.value_or(1.0);
    speech.pitch = body.pitch.value_or(0.0);
    speech.volume = body.volume.value_or(0.0);
    return speech;
}

}  // namespace vf::native
