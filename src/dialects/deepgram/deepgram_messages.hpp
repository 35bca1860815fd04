#pragma once
// The messages of Deepgram's sockets: what clients say, and what they are told, beside the audio,
// which goes as binary messages.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/result.hpp"
#include "dialects/deepgram/speak_query.hpp"

namespace vf::deepgram {

struct ClientMessage {
    enum class Type : std::uint8_t { kSpeak, kFlush, kClear, kClose, kInterrupt, kConfigure };
    Type type = Type::kSpeak;
    std::string text;                    // of Speak
    std::optional<std::int64_t> played;  // of Interrupt: milliseconds of the session
    std::optional<double> speed;         // of Configure
};

// `has_turns`: WS /v2/speak, which has Interrupt and Configure, but no Clear. Errors: kInvalid
// malformed_json, unknown_type, invalid_request with the field.
Result<ClientMessage> ReadClientMessage(std::string_view text, bool has_turns);

// Of one turn, or of all of them.
struct TurnCounts {
    std::int64_t milliseconds = 0;
    std::size_t characters = 0;
};

std::string MetadataText(const SpeakQuery& query, const std::string& request_id);
std::string ConnectedText(const SpeakQuery& query, const std::string& request_id);
std::string SequenceText(const char* type, std::int64_t sequence);       // Flushed, Cleared of /v1
std::string SpeechText(const char* type, const std::string& speech_id);  // of /v2
std::string SpeechMetadataText(const std::string& speech_id, const TurnCounts& counts);
std::string SessionMetadataText(const TurnCounts& counts);
// What was heard of a turn that the client has interrupted, and what was not; without texts when
// the client did not say how far it was.
struct Interruption {
    std::string speech_id;
    std::int64_t played = 0;  // milliseconds of the session
    TurnCounts counts;
    std::optional<std::string> spoken;
    std::string remaining;
};
std::string InterruptedText(const Interruption& interruption);
std::string ConfiguredText(double speed);
std::string ConfigureFailedText(const char* code, double speed, std::string_view description);
std::string WarningText(const char* code, std::string_view description);
std::string ErrorText(const Error& error, const std::string& request_id);

}  // namespace vf::deepgram
