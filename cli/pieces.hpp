#pragma once
// A long text as pieces that one request can carry.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vf::cli {

inline constexpr std::size_t kMaxCharacters = 5000;

// Cuts `text` (valid UTF-8) at paragraph ends, else sentence ends, else spaces, so that no piece
// has more than `max_characters` code points. Pieces without a visible character are left out.
std::vector<std::string> Pieces(std::string_view text, std::size_t max_characters = kMaxCharacters);

}  // namespace vf::cli
