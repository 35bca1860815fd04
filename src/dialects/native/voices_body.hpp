#pragma once
// The answer of GET /api/voices.

#include "base/json.hpp"
#include "base/result.hpp"
#include "engines/voice.hpp"
#include "http/request.hpp"

namespace vf::native {

// The voices that the query's filters leave, ordered by id. Errors are kInvalid and name the wrong
// parameters; an unknown parameter is one of them.
Result<json::value> VoicesBody(const http::Request& request, const engines::Catalogue& catalogue);

}  // namespace vf::native
