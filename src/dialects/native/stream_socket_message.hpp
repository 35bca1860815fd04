#pragma once
// Messages of /v1/stream's clients as values.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "dictionaries/dictionaries.hpp"
#include "speech/speech.hpp"

namespace vf::native {

struct StreamMessage {
    enum class Type { kStart, kText, kFlush, kEnd, kCancel, kKeepAlive };
    Type type = Type::kKeepAlive;
    std::string context = "default";
    std::string text;     // of kText and kStart
    bool ends = false;    // of kStart: there is no more text
    std::string api_key;  // of kStart; "": none
    bool wants_timing = true;
    speech::SpeechRequest request;                    // of kStart: how to speak
    std::vector<dictionaries::Locator> dictionaries;  // likewise
};

// Closed: unknown and repeated members are errors. kInvalid malformed_json, unknown_type,
// invalid_request with every wrong member.
Result<StreamMessage> ReadStreamMessage(std::string_view text);

}  // namespace vf::native
