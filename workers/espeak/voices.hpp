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
    std::string language;    // BCP 47, e.g. "de", "en-GB", "zh-yue"
    std::string identifier;  // what espeak_SetVoiceByName takes, e.g. "gmw/de"
    std::string gender;
};

// Sorted by id. Call after espeak_Initialize.
std::vector<EspeakVoice> ListEspeakVoices();

}  // namespace vf::worker
