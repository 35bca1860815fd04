#pragma once
// What clients say on ElevenLabs' sockets: the query of the address and the messages, as values.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "dialects/elevenlabs/output_format.hpp"
#include "http/request.hpp"

namespace vf::elevenlabs {

struct SocketQuery {
    std::string model;  // "" when none was named; "Ellipsis" is none
    OutputFormat format{};
    std::string language;
    bool is_logged = true;
    bool is_ssml = false;
    bool is_auto = false;  // every sentence at once, whatever the schedule says
    bool normalises = true;
    std::optional<std::uint32_t> seed;
    std::chrono::seconds inactivity{20};  // 1 to 180
};

// Parameters that are not known are ignored. Errors: kInvalid invalid_parameters,
// invalid_output_format, unsupported_model, each with its field.
Result<SocketQuery> ReadSocketQuery(const http::Request& request);

// One message; members that are absent or null have no value.
struct ClientFrame {
    std::optional<std::string> text;
    std::optional<std::string> context;  // multi-stream-input only
    bool flush = false;
    bool trigger = false;  // try_trigger_generation
    bool close_context = false;
    bool close_socket = false;
    std::vector<int> schedule;   // of generation_config; empty: none
    json::value voice_settings;  // null: none
    json::value dictionaries;    // pronunciation_dictionary_locators; null: none
    std::string key;             // xi-api-key, xi_api_key or authorization; "": none
};

// Members that are not known are ignored. Errors: kInvalid malformed_json, invalid_parameters with
// every wrong field.
Result<ClientFrame> ReadClientFrame(std::string_view text);

}  // namespace vf::elevenlabs
