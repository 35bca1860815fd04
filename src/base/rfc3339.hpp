#pragma once
// Times as they stand on the wire (RFC 3339): UTC, milliseconds, Z.

#include <chrono>
#include <string>

namespace vf {

// "2026-11-21T17:30:12.345Z"; what is finer than a millisecond is cut off.
std::string Rfc3339(std::chrono::system_clock::time_point time);

}  // namespace vf
