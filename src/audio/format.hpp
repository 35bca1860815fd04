#pragma once
// The audio formats a response may have: their names on the wire, media types and sample rates.
// Everything is mono.
//
// The first eight are for everybody. The others exist because a vendor's clients ask for them,
// under that vendor's own words: float samples, and G.711 at any rate or in a WAV file.

#include <optional>
#include <span>
#include <string_view>

#include "base/result.hpp"

namespace vf::audio {

enum class Format {
    kWav,
    kMp3,
    kOpus,
    kFlac,
    kAac,
    kPcm,
    kUlaw,
    kAlaw,
    kPcmFloat,  // little-endian float32 in [-1, 1]
    kWavFloat,
    kWavUlaw,
    kWavAlaw,
    kPcmu,  // u-law and A-law without a header, at any rate
    kPcma
};

struct FormatInfo {
    Format format;
    std::string_view name;              // "wav": the value of `format` and `response_format`
    std::string_view media_type;        // Content-Type
    std::string_view extension;         // of a file, without the dot
    std::span<const int> sample_rates;  // what the encoder accepts, in Hz, ascending
    int default_rate;                   // when the request names none, in Hz
};

// Those for everybody, in the order of the enumeration.
std::span<const FormatInfo> Formats();
// Of any format.
const FormatInfo& InfoOf(Format format);

// One of Formats() by name; null when there is no such one. Names are lower case and compared
// exactly.
const FormatInfo* FindFormat(std::string_view name);

// The rate to encode at: `requested` in Hz, or 0 for the format's default. A rate the format cannot
// have is kInvalid `unsupported_sample_rate` whose message names the allowed ones; the field is
// `/sample_rate`.
Result<int> CheckRate(Format format, int requested);

}  // namespace vf::audio
