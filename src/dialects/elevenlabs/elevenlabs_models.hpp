#pragma once
// The models that ElevenLabs' clients know by name. All of them speak with the voice's own engine;
// what they differ in here is how long a text may be.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"
#include "engines/voice.hpp"

namespace vf::elevenlabs {

inline constexpr std::string_view kDefaultModel = "eleven_multilingual_v2";
inline constexpr std::string_view kDialogueModel = "eleven_v3";

struct Model {
    std::string_view id;
    std::string_view name;
    std::string_view description;
    std::size_t characters;  // of one request
    bool is_fast;            // the concurrency group
};
std::span<const Model> Models();

// How long a text may be with this model. Names that begin with "eleven_" are models, also those
// that are not in the list. kInvalid "unsupported_model" with the field model_id.
Result<std::size_t> ModelCharacters(std::string_view id);

// The array of GET /v1/models.
json::array ModelArray(const engines::Catalogue& catalogue);

}  // namespace vf::elevenlabs
