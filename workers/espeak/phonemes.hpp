#pragma once
// The phonemes that a voice of espeak-ng has, found out by asking it.
// SPDX-License-Identifier: GPL-3.0-or-later

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vf::worker {

// Each language has its own table: what is written as unknown there would end the word without a
// sound. So every mnemonic is tried once for each voice, and a near one takes the place of one that
// is missing.
class EspeakPhonemes {
public:
    // Whether the voice in use knows all of the mnemonics; speaks them into the void.
    using Probe = std::function<bool(const std::string& mnemonics)>;

    explicit EspeakPhonemes(Probe probe) : probe_(std::move(probe)) {}

    // `phonemes` (mnemonics with "|" or space between them, stress marks before the vowel) as the
    // voice in use, whose name is `voice`, can speak them, in groups with a space between them.
    // Error: kInvalid invalid_pronunciation.
    Result<std::string> For(const std::string& voice, std::string_view phonemes);

private:
    bool Knows(const std::string& voice, const std::string& mnemonic);
    // Appends the mnemonic or what stands in for it; false when nothing does.
    bool Append(const std::string& voice, const std::string& mnemonic, int depth, std::string& out);

    Probe probe_;
    std::map<std::string, bool> known_;  // by voice and mnemonic
};

}  // namespace vf::worker
