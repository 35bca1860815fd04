#pragma once
// The body of POST /v1/audio/speech.

#include <string_view>

#include "base/result.hpp"
#include "speech/speech.hpp"

namespace vf::openai {

struct OpenAiSpeech {
    speech::SpeechRequest speech;
    bool is_sse = false;
};

// Open: members that other servers' clients send are ignored. Every wrong member is named.
Result<OpenAiSpeech> ReadSpeechBody(std::string_view body);

}  // namespace vf::openai
