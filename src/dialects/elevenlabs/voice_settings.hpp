#pragma once
// ElevenLabs' voice_settings and what each of them moves here. The defaults change nothing:
// Shaping{} and speed 1.

#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"
#include "speech/speech.hpp"

namespace vf::elevenlabs {

struct VoiceSettings {
    double stability = 0.5;          // 0 to 1; less of it: a wider range of pitch (factor 2 to 0.5)
    double similarity_boost = 0.75;  // 0 to 1; more of it: brighter (-12 to 4 dB above 3 kHz)
    double style = 0;                // 0 to 1; more of it: livelier levels (factor 1 to 2)
    bool use_speaker_boost = true;   // off: 3 dB less presence
    double speed = 1;                // 0.7 to 1.2

    bool operator==(const VoiceSettings&) const = default;
};

// Reads the JSON object; a null, and members that are absent or null, leave what `defaults` says.
// Members of other names are ignored. kInvalid `invalid_voice_settings` naming every wrong member
// as `<path>/<member>`.
Result<VoiceSettings> ReadVoiceSettings(const json::value& value, VoiceSettings defaults = {},
                                        std::string_view path = "/voice_settings");

json::object ToJson(const VoiceSettings& settings);

// Sets shaping and speed, and the settings themselves for voices that take them.
void Apply(const VoiceSettings& settings, speech::SpeechRequest& request);

}  // namespace vf::elevenlabs
