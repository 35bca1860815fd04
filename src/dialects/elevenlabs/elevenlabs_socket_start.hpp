#pragma once
// What a context of a socket begins with, and who keeps what it says: as on the HTTP routes, from
// the team's stored voice settings, its dictionaries and its history.

#include <memory>
#include <string>

#include "base/json.hpp"
#include "dialects/elevenlabs/elevenlabs_deps.hpp"
#include "dialects/elevenlabs/voice_settings.hpp"

namespace vf::elevenlabs {

// What a context's first message asks for beside its text.
struct SocketStart {
    json::value voice_settings;  // null: none
    json::value dictionaries;    // pronunciation_dictionary_locators; null: none
    bool is_logged = true;
    std::string output_format;  // its name
    VoiceSettings settings;     // those it is spoken with, set by Prepare
    std::string voice_name;     // likewise
};

// Reads `start` into the request: voice settings above the team's stored ones, dictionaries. Both
// must outlive the task.
Task<Result<void>> Prepare(const Deps* deps, SocketStart* start, speech::SpeechRequest* request);

// Who keeps what a context says. One a context; on the loop.
class SocketTap {
public:
    virtual ~SocketTap() = default;
    virtual void Hear(std::string_view audio) = 0;  // encoded, in order
    // All of it was delivered; `text` is all that was said. Not called otherwise.
    virtual void End(speech::Speech& speech, std::string text) = 0;
};

// Null: nothing is kept.
std::unique_ptr<SocketTap> MakeTap(const Deps& deps, const SocketStart& start,
                                   const speech::SpeechRequest& request);

}  // namespace vf::elevenlabs
