#pragma once
// How a part of a segment's text is pronounced, where the engine is not left to find that out.

#include <cstdint>
#include <string>

namespace vf::engines {

// Bytes of a segment's text, on character borders, and its phonemes in the voice's own alphabet
// (Voice::phoneme_alphabet).
struct Pronunciation {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;  // exclusive, above begin
    std::string phonemes;   // 1 to kMaxPhonemesBytes bytes without control characters

    bool operator==(const Pronunciation&) const = default;
};

inline constexpr std::size_t kMaxPronunciations = 64;  // of one segment
inline constexpr std::size_t kMaxPhonemesBytes = 400;  // of one pronunciation

}  // namespace vf::engines
