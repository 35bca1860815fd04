#pragma once
// Times of characters as ElevenLabs' clients read them over HTTP: three arrays of one length,
// seconds from the start of the whole audio.

#include <string>
#include <vector>

#include "base/json.hpp"
#include "speech/timeline.hpp"

namespace vf::elevenlabs {

// Null when there is nothing.
json::value Alignment(const std::vector<speech::TimelineItem>& characters);

// {"alignment", "normalized_alignment"} of a speech that is over; null when nothing is known.
json::value Alignments(const speech::Timeline& timeline);

// One object of the routes with timestamps.
json::object TimedAudio(const std::string& audio, json::value alignment, json::value normalised);

}  // namespace vf::elevenlabs
