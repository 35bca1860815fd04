#pragma once
// JSON in and out. Boost.JSON parses and prints; what stands here adds what a public API needs:
// duplicate members are found and the depth is bounded. json_body.hpp reads described structs.

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vf::json {

using boost::json::array;
using boost::json::object;
using boost::json::value;

inline constexpr std::size_t kMaxDepth = 32;

struct Parsed {
    value root;
    std::vector<std::string> duplicates;  // JSON pointers of members that stand twice
};

// Parses one complete JSON text (UTF-8, no trailing data). Errors are kInvalid: "malformed_json"
// with line and column, "json_too_deep" beyond kMaxDepth levels, "invalid_utf8".
Result<Parsed> Parse(std::string_view text);

inline std::string Print(const value& v) {
    return boost::json::serialize(v);
}

// Appends one member name to a JSON pointer (RFC 6901 escaping).
std::string Pointer(std::string_view parent, std::string_view member);

}  // namespace vf::json
