#pragma once
// What espeak-ng is given to read, and where each character of it stands in the request's text.
// SPDX-License-Identifier: GPL-3.0-or-later

#include <cstdint>
#include <string>
#include <vector>

#include "engines/protocol.hpp"

namespace vf::worker {

struct EspeakInput {
    struct Range {
        std::uint32_t begin, end;  // bytes of the request's text
    };

    std::string text;
    // One for each character of `text`, and one for its end. All characters of phonemes stand for
    // the whole stretch that they pronounce.
    std::vector<Range> origins;
    bool has_phonemes = false;  // only then may [[ ]] be read as phonemes

    // The stretch that `length` characters from `first` (counted from 0) stand for.
    Range Origin(std::size_t first, std::size_t length) const;
};

// `phonemes` (of EspeakPhonemes::For) stand in the places of the request's pronunciations. Control
// characters of the text become spaces, for espeak-ng has commands in them; where there are
// phonemes, the text's own square brackets become round ones, so that nobody can write phonemes
// into the text.
EspeakInput MakeEspeakInput(const engines::Request& request,
                            const std::vector<std::string>& phonemes);

}  // namespace vf::worker
