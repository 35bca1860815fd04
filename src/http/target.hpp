#pragma once
// Request targets (RFC 9112 section 3.2, RFC 3986): splitting and percent-decoding.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vf::http {

// Decodes %XX, and "+" as a space when asked. No value for a malformed escape.
std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space);

struct TargetParts {
    std::string path;                   // decoded, "/" + segments joined by "/"
    std::vector<std::string> segments;  // decoded; empty ones left out
    std::string_view query;             // still encoded, inside the given target
};

// Splits an origin-form target ("/a/b?c=d" or "*"). kInvalid ("invalid_path", "invalid_query") for
// malformed escapes, invalid UTF-8, control characters, "." and ".." segments.
Result<TargetParts> ParseTarget(std::string_view target);

// Same, into `parts`, whose strings keep their memory. For the hot path.
Result<void> ParseTarget(std::string_view target, TargetParts& parts);

}  // namespace vf::http
