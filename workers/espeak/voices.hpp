#pragma once
// The voices that espeak-ng has on this machine, one for each base language.
// SPDX-License-Identifier: GPL-3.0-or-later

#include <string>
#include <string_view>
#include <vector>

namespace vf::worker {

struct EspeakVoice {
    std::string id;          // "espeak-de"
    std::string name;        // espeak-ng's own, e.g. "German"
    std::string language;    // BCP 47, canonical, e.g. "de", "en-GB", "zh"
    std::string identifier;  // what espeak_SetVoiceByName takes, e.g. "gmw/de"
    std::string gender;
    // Why it does not read its language as people write it; empty: it does, which
    // tests/release/test_languages.py measures.
    std::string_view limits;
};

// Sorted by id. Call after espeak_Initialize.
std::vector<EspeakVoice> ListEspeakVoices();

}  // namespace vf::worker
