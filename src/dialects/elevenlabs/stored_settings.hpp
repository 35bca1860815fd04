#pragma once
// What a team set for a voice, as this dialect's settings and back.

#include "dialects/elevenlabs/voice_settings.hpp"
#include "voices/voices.hpp"

namespace vf::elevenlabs {

inline VoiceSettings FromStored(const voices::StoredSettings& stored) {
    VoiceSettings out;
    out.stability = stored.stability;
    out.similarity_boost = stored.similarity_boost;
    out.style = stored.style;
    out.use_speaker_boost = stored.use_speaker_boost;
    out.speed = stored.speed;
    return out;
}

inline voices::StoredSettings ToStored(const VoiceSettings& settings) {
    voices::StoredSettings out;
    out.stability = settings.stability;
    out.similarity_boost = settings.similarity_boost;
    out.style = settings.style;
    out.use_speaker_boost = settings.use_speaker_boost;
    out.speed = settings.speed;
    return out;
}

}  // namespace vf::elevenlabs
