#pragma once
// The text of an API key: "vf_live_" or "vf_test_", 256 random bits in 43 base-62 digits, and a
// checksum in 6 more (CRC-32 of all before it), so that a typo is told from an unknown key without
// a look-up, and a scanner for leaked secrets knows a key when it sees one. 57 characters.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace vf::identity {

// SHA-256 of the key's text: all that is stored of it. 256 random bits need no slow hash.
using KeyHash = std::array<std::uint8_t, 32>;

struct KeySecret {
    std::string text;    // shown once
    std::string prefix;  // the first characters, to tell keys apart in lists
};

KeySecret MakeKeySecret(bool live);

enum class KeyForm {
    kForeign,     // not one of ours: no "vf_" in front
    kMistyped,    // one of ours, but cut, padded or changed
    kWellFormed,  // may be a key
};
KeyForm FormOfKey(std::string_view text);

KeyHash HashOfKey(std::string_view text);

}  // namespace vf::identity
