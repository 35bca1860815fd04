#include "dialects/deepgram/deepgram_messages.hpp"

#include <fmt/format.h>

#include <array>

#include "base/json.hpp"
#include "dialects/deepgram/deepgram_error.hpp"
#include "dialects/deepgram/voice_models.hpp"

namespace vf::deepgram {
namespace {

using Type = ClientMessage::Type;

constexpr const char* kModelVersion = "2026-11-21.0";

struct Named {
    std::string_view name;
    Type type;
    bool is_of_speech;  // WS /v1/speak has it
    bool is_of_turns;   // WS /v2/speak has it
};
constexpr std::array<Named, 6> kTypes = {{
    {"Speak", Type::kSpeak, true, true},
    {"Flush", Type::kFlush, true, true},
    {"Clear", Type::kClear, true, false},
    {"Close", Type::kClose, true, true},
    {"Interrupt", Type::kInterrupt, false, true},
    {"Configure", Type::kConfigure, false, true},
}};

Error Wrong(std::string member, std::string code, std::string words) {
    std::string message = "The member /" + member + " " + words;
    return {ErrorKind::kInvalid, code, std::move(message), {{"/" + member, code, words}}};
}

Result<Type> ReadType(const json::object& message, bool has_turns) {
    const json::value* type = message.if_contains("type");
    if (!type || !type->is_string()) {
        return Wrong("type", "invalid_request", "is required and must be a string.");
    }
    for (const Named& named : kTypes) {
        const bool is_there = has_turns ? named.is_of_turns : named.is_of_speech;
        if (is_there && type->get_string() == named.name) return named.type;
    }
    return Wrong("type", "unknown_type",
                 has_turns ? "must be Speak, Flush, Interrupt, Configure or Close."
                           : "must be Speak, Flush, Clear or Close.");
}

Result<void> ReadOffset(const json::object& message, ClientMessage& out) {
    const json::value* offset = message.if_contains("playback_offset");
    if (!offset || offset->is_null()) return {};
    const json::value* value =
        offset->is_object() ? offset->get_object().if_contains("value") : nullptr;
    const double number = value && value->is_number() ? value->to_number<double>() : -1;
    constexpr double kMost = 1e12;
    if (!(number >= 0 && number < kMost)) {
        return Wrong("playback_offset", "invalid_request",
                     "must be an object with a \"value\" in milliseconds.");
    }
    out.played = static_cast<std::int64_t>(number);
    return {};
}

json::object Controls() {
    return {{"pronunciations_applied", 0}, {"breaks_applied", 0}, {"pronunciation_warnings", 0}};
}

json::object Counted(const std::string& speech_id, const TurnCounts& counts) {
    return {{"speech_id", speech_id},
            {"audio_duration_ms", counts.milliseconds},
            {"input_character_count", counts.characters},
            {"billable_character_count", counts.characters},
            {"controls_applied", Controls()}};
}

}  // namespace

Result<ClientMessage> ReadClientMessage(std::string_view text, bool has_turns) {
    Result<json::Parsed> parsed = json::Parse(text);
    if (!parsed) return std::move(parsed).error();
    if (!parsed->root.is_object()) {
        return Error(ErrorKind::kInvalid, "invalid_request", "A message must be a JSON object.");
    }
    const json::object& message = parsed->root.get_object();
    const Result<Type> type = ReadType(message, has_turns);
    if (!type) return type.error();
    ClientMessage out;
    out.type = *type;
    if (out.type == Type::kSpeak) {
        const json::value* said = message.if_contains("text");
        if (!said || !said->is_string()) {
            return Wrong("text", "invalid_request", "is required and must be a string.");
        }
        out.text = std::string(said->get_string());
    } else if (out.type == Type::kInterrupt) {
        const Result<void> read = ReadOffset(message, out);
        if (!read) return read.error();
    } else if (out.type == Type::kConfigure) {
        const json::value* speed = message.if_contains("speed");
        if (!speed || !speed->is_number()) {
            return Wrong("speed", "invalid_request", "is required and must be a number.");
        }
        out.speed = speed->to_number<double>();
    }
    return out;
}

std::string MetadataText(const SpeakQuery& query, const std::string& request_id) {
    return json::Print(json::object{{"type", "Metadata"},
                                    {"request_id", request_id},
                                    {"model_name", query.model},
                                    {"model_version", kModelVersion},
                                    {"model_uuid", ModelUuid(query.voice)}});
}

std::string ConnectedText(const SpeakQuery& query, const std::string& request_id) {
    return json::Print(json::object{{"type", "Connected"},
                                    {"request_id", request_id},
                                    {"model_name", query.model},
                                    {"model_version", kModelVersion},
                                    {"model_uuids", json::array{ModelUuid(query.voice)}}});
}

std::string SequenceText(const char* type, std::int64_t sequence) {
    return json::Print(json::object{{"type", type}, {"sequence_id", sequence}});
}

std::string SpeechText(const char* type, const std::string& speech_id) {
    return json::Print(json::object{{"type", type}, {"speech_id", speech_id}});
}

std::string SpeechMetadataText(const std::string& speech_id, const TurnCounts& counts) {
    json::object message{{"type", "SpeechMetadata"}};
    for (const auto& member : Counted(speech_id, counts)) message[member.key()] = member.value();
    return json::Print(message);
}

std::string SessionMetadataText(const TurnCounts& counts) {
    return json::Print(json::object{{"type", "SessionMetadata"},
                                    {"total_audio_duration_ms", counts.milliseconds},
                                    {"total_input_character_count", counts.characters},
                                    {"total_billable_character_count", counts.characters}});
}

std::string InterruptedText(const Interruption& interruption) {
    json::object message{{"type", "SpeechInterrupted"}, {"audio_played_ms", interruption.played}};
    if (interruption.spoken) {
        message["text_spoken"] = *interruption.spoken;
        message["text_remaining"] = interruption.remaining;
    }
    message["metadata"] = Counted(interruption.speech_id, interruption.counts);
    return json::Print(message);
}

std::string ConfiguredText(double speed) {
    return json::Print(json::object{{"type", "ConfigureSuccess"}, {"applied", {{"speed", speed}}}});
}

std::string ConfigureFailedText(const char* code, double speed, std::string_view description) {
    return json::Print(json::object{{"type", "ConfigureFailure"},
                                    {"code", code},
                                    {"field", "speed"},
                                    {"value", speed},
                                    {"description", description}});
}

std::string WarningText(const char* code, std::string_view description) {
    // The last two as older clients read them.
    return json::Print(json::object{{"type", "Warning"},
                                    {"code", code},
                                    {"description", description},
                                    {"warn_code", code},
                                    {"warn_msg", description}});
}

std::string ErrorText(const Error& error, const std::string& request_id) {
    return json::Print(json::object{{"type", "Error"},
                                    {"code", SocketErrorCode(error)},
                                    {"description", error.message()},
                                    {"request_id", request_id}});
}

}  // namespace vf::deepgram
