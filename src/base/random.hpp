#pragma once
// Random bytes from the kernel, for ids, tokens and keys. Callable from every thread.

#include <cstdint>
#include <span>

namespace vf {

// Fills `out`; ends the process if the kernel refuses, since weak ids are worse than none.
void RandomBytes(std::span<std::uint8_t> out);

}  // namespace vf
