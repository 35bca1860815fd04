#pragma once
// CRC-32C (Castagnoli, RFC 3720 appendix B.4), eight bytes a step.

#include <cstdint>
#include <string_view>

namespace vf::usage {

// Continues `crc` (0 at the start) over `bytes`.
std::uint32_t Crc32c(std::uint32_t crc, std::string_view bytes);

}  // namespace vf::usage
