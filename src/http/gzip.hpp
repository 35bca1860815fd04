#pragma once
// gzip (RFC 1952) of a whole body in memory.

#include <string>
#include <string_view>

namespace vf::http {

// `level` 1 (fast) to 9 (small). Empty when zlib refuses (out of memory).
std::string Gzip(std::string_view data, int level);

}  // namespace vf::http
