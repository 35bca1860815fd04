#pragma once
// What a VoiceSource gives when a team's voices could not be read and nothing is remembered: there
// may be some, so that one that is not found is not one that does not exist.

#include "engines/team_voices.hpp"

namespace vf::engines {

// Always the same object, without voices.
const TeamVoicesPtr& UnknownVoices();

}  // namespace vf::engines
