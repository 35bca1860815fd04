#pragma once
// Reads SSML 1.1 (W3C Recommendation, 7 September 2010) into a Script. Our own reader: it keeps
// line and column, has no DTD, no entities beyond XML's five and character references, opens no
// file and no address. Pure; any thread.

#include <chrono>
#include <cstddef>
#include <string_view>

#include "base/result.hpp"
#include "text/script.hpp"

namespace vf::text {

struct SsmlOptions {
    std::size_t max_depth = 32;  // of elements
    std::size_t max_elements = 5'000;
    std::chrono::milliseconds max_pause{20'000};         // of one break, longer ones are cut to it
    std::chrono::milliseconds max_total_pause{300'000};  // of all of them: error
};

// `ssml` must be valid UTF-8; positions of the pieces are bytes of it. Elements that are not known
// are spoken through and named in Script::warnings, once each.
// Errors, all kInvalid, messages with "line L, column C" and what was expected there:
//   ssml_malformed (not well-formed, DTD, unknown entity), ssml_not_speak (the root is not
//   <speak>), ssml_invalid_value (attribute's value, phonemes that are none), ssml_too_deep,
//   ssml_too_complex, ssml_pause_too_long (in sum).
Result<Script> ReadSsml(std::string_view ssml, const SsmlOptions& options = {});

}  // namespace vf::text
