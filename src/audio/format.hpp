#pragma once
// The audio formats a response may have: their names on the wire, media types and sample rates.
// Everything is mono.

#include <optional>
#include <span>
#include <string_view>

#include "base/result.hpp"

namespace vf::audio {

enum class Format { kWav, kMp3, kOpus, kFlac, kAac, kPcm, kUlaw, kAlaw };

struct FormatInfo {
    Format format;
    std::string_view name;              // "wav": the value of `format` and `response_format`
    std::string_view media_type;        // Content-Type
    std::string_view extension;         // of a file, without the dot
    std::span<const int> sample_rates;  // what the encoder accepts, in Hz, ascending
    int default_rate;                   // when the request names none, in Hz
};

// In the order of the enumeration.
std::span<const FormatInfo> Formats();
const FormatInfo& InfoOf(Format format);

// By name; null when there is no such format. Names are lower case and compared exactly.
const FormatInfo* FindFormat(std::string_view name);

// The rate to encode at: `requested` in Hz, or 0 for the format's default. A rate the format cannot
// have is kInvalid `unsupported_sample_rate` whose message names the allowed ones; the field is
// `/sample_rate`.
Result<int> CheckRate(Format format, int requested);

}  // namespace vf::audio
