#pragma once
// The models that OpenAI's clients see. All of them speak with the same voices; the names are those
// that clients have built in, and one a speech engine.

#include <optional>
#include <string_view>

#include "base/json.hpp"
#include "engines/team_voices.hpp"

namespace vf::openai {

json::value ModelList(const engines::Catalogue& catalogue);
std::optional<json::value> FindModel(const engines::Catalogue& catalogue, std::string_view id);

// {"voices": [{"id", "name"}]} and {"models": [{"id", "name"}]}: not OpenAI's own, but asked for by
// widely used front ends of self-hosted servers.
json::value AudioVoices(const engines::VoiceView& all);
json::value AudioModels(const engines::Catalogue& catalogue);

// True for the models whose clients never ask for server-sent events.
bool IsWithoutEvents(std::string_view model);

}  // namespace vf::openai
