#pragma once
// The answers of GET /api/voices and /api/voices/{voice_id}.

#include "base/json.hpp"
#include "base/result.hpp"
#include "engines/team_voices.hpp"
#include "http/request.hpp"

namespace vf::native {

// The voices that the query's filters leave, ordered by id. Errors are kInvalid and name the wrong
// parameters; an unknown parameter is one of them.
Result<json::value> VoicesBody(const http::Request& request, const engines::VoiceView& all);

// One voice as the list and its own route show it.
json::value VoiceJson(const engines::Voice& voice);

}  // namespace vf::native
