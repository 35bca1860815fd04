#pragma once
// What a client asks Cartesia's routes to speak: the body of POST /tts/bytes and /tts/sse, and the
// messages of the socket, as values.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "dictionaries/dictionaries.hpp"
#include "engines/team_voices.hpp"
#include "http/request.hpp"
#include "speech/speech.hpp"

namespace vf::cartesia {

inline constexpr std::size_t kMaxTranscript = 20'000;  // characters, of one request or context

struct Generation {
    speech::SpeechRequest speech;
    std::vector<dictionaries::Locator> dictionaries;
    std::optional<std::string> context;
    bool wants_words = false;
    bool wants_phonemes = false;
    bool is_normalised = false;  // words as they are spoken, not as they are written
    // On the socket.
    bool continues = false;
    bool flushes = false;
    std::chrono::milliseconds max_delay{3'000};  // of text that is no whole sentence; 0: none
};

enum class Containers { kAll, kRawOnly };

// Checks the body and finds the voice. Errors: kInvalid invalid_request with every wrong field,
// kNotFound voice_not_found, dictionary_not_found.
Result<Generation> ReadGeneration(std::string_view body, Containers containers,
                                  const engines::VoiceView& voices);

// One message of a client on the socket.
struct ClientMessage {
    bool is_cancel = false;
    std::string context;
    std::optional<Error> error;  // the context that is named above is in error, not the socket
    Generation generation;       // unless it cancels
};
// Errors: as above, also for a message without a context_id.
Result<ClientMessage> ReadClientMessage(std::string_view text, const engines::VoiceView& voices);

// The API version of the header Cartesia-Version or the query parameter cartesia_version: a date,
// or none. Errors: kInvalid invalid_version.
Result<void> CheckVersion(const http::Request& request);

}  // namespace vf::cartesia
