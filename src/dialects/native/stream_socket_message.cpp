#include "dialects/native/stream_socket_message.hpp"

#include <boost/describe.hpp>
#include <optional>

#include "base/json_body.hpp"
#include "dialects/native/sound_body.hpp"

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
    std::optional<double> pitch_range;
    std::optional<double> brightness;
    std::optional<double> presence;
    std::optional<double> dynamics;
    std::optional<NormalisationBody> normalisation;
    std::vector<std::string> dictionaries;
    bool timing = true;
    std::optional<std::string> text;
    bool end = false;
    std::optional<std::string> api_key;
};
BOOST_DESCRIBE_STRUCT(StartMessage, (),
                      (type, context, voice, language, format, sample_rate, bit_rate, speed, pitch,
                       volume, markup, seed, pitch_range, brightness, presence, dynamics,
                       normalisation, dictionaries, timing, text, end, api_key))

void CheckBody(const StartMessage& body, json::Checker& check) {
    CheckContext(body.context, check);
    CheckSound(body, check);
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
    request.format = audio::Format::kPcm;
    ApplySound(body, request);
    message.dictionaries = LocatorsOf(body.dictionaries);
    if (body.markup == "ssml") request.markup = speech::Markup::kSsml;
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
