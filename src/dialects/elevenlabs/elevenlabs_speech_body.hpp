#pragma once
// What the routes that speak are sent: body and query as one value.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "dialects/elevenlabs/output_format.hpp"
#include "dictionaries/dictionaries.hpp"
#include "http/request.hpp"
#include "speech/speech.hpp"

namespace vf::elevenlabs {

struct SpeechBody {
    // Text, turns, format, rates, language, normalising, seed, model and the texts before and after
    // are filled in; voice settings, dictionaries and the texts of other requests are to be looked
    // up.
    speech::SpeechRequest speech;
    OutputFormat output{};
    json::value voice_settings;
    std::vector<dictionaries::Locator> dictionaries;
    std::vector<std::string> previous_ids;
    std::vector<std::string> next_ids;
    bool is_logged = true;  // false: nothing of it is kept
    json::value dialogue;   // the turns as they are shown in the history; null: one voice
};

// POST /v1/text-to-speech/{voice_id}…: open, as all of ElevenLabs' bodies. Wrong types and ranges:
// kInvalid "invalid_request" with every wrong field; what is wrong by meaning: unsupported_model,
// invalid_output_format, invalid_parameters, dictionary_not_found.
Result<SpeechBody> ReadSpeech(const http::Request& request);
// pronunciation_dictionary_locators of a socket's message; null: none. Errors as above.
Result<std::vector<dictionaries::Locator>> ReadLocators(const json::value& locators);
// POST /v1/text-to-dialogue…
Result<SpeechBody> ReadDialogue(const http::Request& request);

}  // namespace vf::elevenlabs
