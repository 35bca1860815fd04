#pragma once
// Deepgram's model names as our voices: "aura-2-thalia-en" is a voice of its language and gender,
// always the same one while the same voices are there; so is "flux-alexis-en". Our own voices are
// named by their ids.

#include <string_view>

#include "base/result.hpp"
#include "engines/team_voices.hpp"

namespace vf::deepgram {

inline constexpr std::string_view kDefaultModel = "aura-asteria-en";

// Errors: kInvalid model_not_found.
Result<const engines::Voice*> FindModelVoice(const engines::VoiceView& voices,
                                             std::string_view model);

// An identifier that is always the same for a voice, in the form of a UUID.
std::string ModelUuid(std::string_view voice_id);

}  // namespace vf::deepgram
