#include "dialects/openai/openai_speech_body.hpp"

#include <fmt/format.h>

#include <boost/describe.hpp>

#include "base/json_body.hpp"
#include "base/utf8.hpp"
#include "dialects/openai/openai_models.hpp"

namespace vf::openai {
namespace {

constexpr std::size_t kMaxInput = 4096;
constexpr std::size_t kMaxInstructions = 4096;
constexpr std::size_t kMaxModel = 200;

struct SpeechBody {
    json::Required<std::string> model;
    json::Required<std::string> input;
    json::Required<json::value> voice;
    std::optional<std::string> instructions;
    std::optional<std::string> response_format;
    std::optional<double> speed;
    std::optional<std::string> stream_format;
    std::optional<std::int64_t> sample_rate;
};
BOOST_DESCRIBE_STRUCT(SpeechBody, (),
                      (model, input, voice, instructions, response_format, speed, stream_format,
                       sample_rate))

// "alloy" or {"id": "voice_…"}; empty when it is neither.
std::string VoiceId(const json::value& voice) {
    if (voice.is_string()) return std::string(voice.get_string());
    if (!voice.is_object()) return {};
    const json::value* id = voice.get_object().if_contains("id");
    return id && id->is_string() ? std::string(id->get_string()) : std::string();
}

void CheckBody(const SpeechBody& body, json::Checker& check) {
    check.Range("speed", body.speed, 0.25, 4.0);
    check.Range<std::int64_t>("sample_rate", body.sample_rate, 1, 192'000);
    if (body.model->empty() || Utf8Count(*body.model) > kMaxModel) {
        check.Fail("model", "out_of_range", "must have 1 to 200 characters.");
    }
    if (VoiceId(*body.voice).empty()) {
        check.Fail("voice", "wrong_type", "must be a voice id, or an object with an \"id\".");
    }
    if (body.instructions && Utf8Count(*body.instructions) > kMaxInstructions) {
        check.Fail("instructions", "out_of_range", "must have at most 4096 characters.");
    }
    if (body.response_format && !audio::FindFormat(*body.response_format)) {
        check.Fail("response_format", "format_not_supported",
                   "must be one of mp3, opus, aac, flac, wav, pcm, ulaw, alaw.");
    }
    if (body.stream_format && *body.stream_format != "audio" && *body.stream_format != "sse") {
        check.Fail("stream_format", "not_allowed", "must be audio or sse.");
    }
    if (body.stream_format == "sse" && IsWithoutEvents(*body.model)) {
        check.Fail("stream_format", "not_allowed",
                   "cannot be sse with the models tts-1 and tts-1-hd; use gpt-4o-mini-tts.");
    }
}

}  // namespace

Result<OpenAiSpeech> ReadSpeechBody(std::string_view text) {
    Result<SpeechBody> read = json::ReadBody<SpeechBody>(text, json::Members::kOpen);
    if (!read) return std::move(read).error();
    SpeechBody& body = *read;
    OpenAiSpeech out;
    out.speech.text = std::move(body.input.value);
    out.speech.model = *body.model;
    out.speech.voice = VoiceId(*body.voice);
    out.speech.format = audio::FindFormat(body.response_format.value_or("mp3"))->format;
    out.speech.sample_rate = static_cast<int>(body.sample_rate.value_or(0));
    out.speech.speed = body.speed.value_or(1.0);
    out.speech.max_characters = kMaxInput;
    out.speech.text_field = "input";
    out.is_sse = body.stream_format == "sse";
    return out;
}

}  // namespace vf::openai
