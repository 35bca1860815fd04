#pragma once
// The query of Deepgram's addresses: which voice, which sound, which audio.

#include <string>

#include "base/result.hpp"
#include "engines/team_voices.hpp"
#include "http/request.hpp"
#include "speech/speech.hpp"

namespace vf::deepgram {

enum class Door { kHttp, kSocket, kTurns };  // POST /v1/speak, WS /v1/speak, WS /v2/speak

inline constexpr double kMinSpeed = 0.7;
inline constexpr double kMaxSpeed = 1.5;
inline constexpr double kMinTurnSpeed = 0.5;  // WS /v2/speak

struct SpeakQuery {
    std::string model;  // as the client named it
    std::string voice;  // the id of who speaks
    audio::Format format = audio::Format::kMp3;
    int sample_rate = 0;
    int bit_rate = 0;
    double speed = 1;
};

// Parameters that are not known are ignored, as are tag and mip_opt_out. Errors, each with its
// field: kInvalid invalid_query_parameter, unsupported_audio_format, model_not_found,
// callback_not_supported.
Result<SpeakQuery> ReadSpeakQuery(const http::Request& request, Door door,
                                  const engines::VoiceView& voices);

// How the query wants a text to be spoken; the text is to be set.
speech::SpeechRequest RequestOf(const SpeakQuery& query);

}  // namespace vf::deepgram
