#pragma once
// Which voices suit a language, by BCP 47 tags.

#include <string>
#include <string_view>

#include "engines/team_voices.hpp"

namespace vf::speech {

// True when `tag` has the form of a BCP 47 language tag.
bool IsLanguageTag(std::string_view tag);

// How well the voice speaks the language: 0 not at all, 1 the same language in another region or
// script, 2 one of the tags is the plain language, 3 the exact tag.
int LanguageMatch(const engines::Voice& voice, std::string_view language);

// Higher is better.
int QualityRank(const engines::Voice& voice);

// The voice of the catalogue for a language: the best match, then the better quality, then the
// default voice, then the first. Null when none speaks it.
const engines::Voice* VoiceForLanguage(const engines::VoiceView& voices, std::string_view language,
                                       const std::string& default_voice);

}  // namespace vf::speech
