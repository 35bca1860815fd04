#include "dialects/native/stream_socket_message.hpp"

#include <boost/describe.hpp>
#include <optional>

#include "base/json_body.hpp"

namespace vf::native {
namespace {

constexpr std::size_t kMaxContext = 128;        // bytes
constexpr std::size_t kMaxCharacters = 40'000;  // of one context

void CheckContext(const std::optional<std::string>& context, json::Checker& check) {
    if (context && (context->empty() || context->size() > kMaxContext)) {
        check.Fail("context", "out_of_range", fmt::format("must have 1 to {} bytes.", kMaxContext));
    }
}

struct StartMessage {
    json::Required<std::string> type;
    std::optional<std::string> context;
    std::optional<std::string> voice;
    std::optional<std::string> language;
    std::optional<std::string> format;
    std::optional<std::int64_t> sample_rate;
    std::optional<std::int64_t> bit_rate;
    std::optional<double> speed;
    std::optional<double> pitch;
    std::optional<double> volume;
    std::optional<std::string> markup;
    std::optional<std::int64_t> seed;
    bool timing = true;
    std::optional<std::string> text;
    bool end = false;
    std::optional<std::string> api_key;
};
BOOST_DESCRIBE_STRUCT(StartMessage, (),
                      (type, context, voice, language, format, sample_rate, bit_rate, speed, pitch,
                       volume, markup, seed, timing, text, end, api_key))

void CheckBody(const StartMessage& body, json::Checker& check) {
    CheckContext(body.context, check);
    check.Range("speed", body.speed, 0.25, 4.0);
    check.Range("pitch", body.pitch, -12.0, 12.0);
    check.Range("volume", body.volume, -20.0, 10.0);
    check.Range<std::int64_t>("sample_rate", body.sample_rate, 1, 192'000);
    check.Range<std::int64_t>("bit_rate", body.bit_rate, 6'000, 320'000);
    check.Range<std::int64_t>("seed", body.seed, 0, 4'294'967'295);
    if (body.format && !audio::FindFormat(*body.format)) {
        std::string names;
        for (const audio::FormatInfo& info : audio::Formats()) {
            names += names.empty() ? "" : ", ";
            names += info.name;
        }
        check.Fail("format", "format_not_supported", fmt::format("must be one of {}.", names));
    }
    if (body.markup && body.markup != "plain" && body.markup != "ssml") {
        check.Fail("markup", "not_allowed", "must be plain or ssml.");
    }
}

struct TextMessage {
    json::Required<std::string> type;
    std::optional<std::string> context;
    json::Required<std::string> text;
};
BOOST_DESCRIBE_STRUCT(TextMessage, (), (type, context, text))
void CheckBody(const TextMessage& body, json::Checker& check) {
    CheckContext(body.context, check);
}

// flush, end, cancel
struct ContextMessage {
    json::Required<std::string> type;
    std::optional<std::string> context;
};
BOOST_DESCRIBE_STRUCT(ContextMessage, (), (type, context))
void CheckBody(const ContextMessage& body, json::Checker& check) {
    CheckContext(body.context, check);
}

struct KeepAliveMessage {
    json::Required<std::string> type;
};
BOOST_DESCRIBE_STRUCT(KeepAliveMessage, (), (type))

Result<std::string> TypeOf(std::string_view text) {
    const Result<json::Parsed> parsed = json::Parse(text);
    if (!parsed) return parsed.error();
    if (parsed->root.is_object()) {
        const json::value* type = parsed->root.get_object().if_contains("type");
        if (type && type->is_string()) return std::string(type->get_string());
    }
    return Error(ErrorKind::kInvalid, "invalid_request",
                 "A message must be a JSON object with the member \"type\".",
                 {{"/type", "required", "is required."}});
}

Result<StreamMessage> ReadStart(std::string_view text) {
    Result<StartMessage> read = json::ReadBody<StartMessage>(text, json::Members::kClosed);
    if (!read) return std::move(read).error();
    StartMessage& body = *read;
    StreamMessage message;
    message.type = StreamMessage::Type::kStart;
    if (body.context) message.context = *std::move(body.context);
    message.text = std::move(body.text).value_or("");
    message.ends = body.end;
    message.api_key = std::move(body.api_key).value_or("");
    message.wants_timing = body.timing;
    speech::SpeechRequest& request = message.request;
    request.voice = std::move(body.voice).value_or("");
    request.language = std::move(body.language).value_or("");
    request.format = body.format ? audio::FindFormat(*body.format)->format : audio::Format::kPcm;
    request.sample_rate = static_cast<int>(body.sample_rate.value_or(0));
    request.bit_rate = static_cast<int>(body.bit_rate.value_or(0));
    request.speed = body.speed.value_or(1.0);
    request.pitch = body.pitch.value_or(0.0);
    request.volume = body.volume.value_or(0.0);
    if (body.markup == "ssml") request.markup = speech::Markup::kSsml;
    if (body.seed) request.seed = static_cast<std::uint32_t>(*body.seed);
    request.wants_timing = body.timing;
    request.max_characters = kMaxCharacters;
    return message;
}

Result<StreamMessage> ReadText(std::string_view text) {
    Result<TextMessage> read = json::ReadBody<TextMessage>(text, json::Members::kClosed);
    if (!read) return std::move(read).error();
    StreamMessage message;
    message.type = StreamMessage::Type::kText;
    if (read->context) message.context = *std::move(read->context);
    message.text = std::move(read->text.value);
    return message;
}

Result<StreamMessage> ReadOfContext(std::string_view text, StreamMessage::Type type) {
    Result<ContextMessage> read = json::ReadBody<ContextMessage>(text, json::Members::kClosed);
    if (!read) return std::move(read).error();
    StreamMessage message;
    message.type = type;
    if (read->context) message.context = *std::move(read->context);
    return message;
}

}  // namespace

Result<StreamMessage> ReadStreamMessage(std::string_view text) {
    using Type = StreamMessage::Type;
    const Result<std::string> type = TypeOf(text);
    if (!type) return type.error();
    if (*type == "start") return ReadStart(text);
    if (*type == "text") return ReadText(text);
    if (*type == "flush") return ReadOfContext(text, Type::kFlush);
    if (*type == "end") return ReadOfContext(text, Type::kEnd);
    if (*type == "cancel") return ReadOfContext(text, Type::kCancel);
    if (*type == "keep_alive") {
        Result<KeepAliveMessage> read =
            json::ReadBody<KeepAliveMessage>(text, json::Members::kClosed);
        if (!read) return std::move(read).error();
        return StreamMessage{};
    }
    const char* words = "must be start, text, flush, end, cancel or keep_alive.";
    return Error(ErrorKind::kInvalid, "unknown_type", std::string("The member \"type\" ") + words,
                 {{"/type", "unknown_type", words}});
}

}  // namespace vf::native
