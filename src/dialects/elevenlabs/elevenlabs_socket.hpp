#pragma once
// ElevenLabs' sockets: /v1/text-to-speech/{voice_id}/stream-input, one speech a socket, and
// …/multi-stream-input, many contexts beside each other.
//
// A message that is wrong, and whatever a single speech meets, is answered with an error message
// and closes the socket; with contexts, what belongs to one context ends that context only. Error
// messages carry the close code: 1008 for what the client did, 1003 for binary messages, 1013 when
// the server is busy, 1011 when it is at fault.
//
// How a context ends: by {"text": ""} (stream-input), by close_context after a flush, or when
// nothing came for it for `inactivity_timeout`: what is there is spoken to its end. By
// close_context with text that was not flushed: the speech stops at once, as a listener who
// interrupts wants it.

#include <functional>
#include <memory>
#include <string>

#include "base/json.hpp"
#include "dialects/elevenlabs/elevenlabs_socket_frame.hpp"
#include "dialects/socket_access.hpp"
#include "http/router.hpp"
#include "speech/speech_service.hpp"

namespace vf::elevenlabs {

// What a context's first message asks for beside its text.
struct SocketStart {
    Caller caller;
    std::string voice;
    bool is_logged = true;
    json::value voice_settings;  // null: none
    json::value dictionaries;    // pronunciation_dictionary_locators; null: none
    std::string output_format;   // its name
};

// Who keeps what a context says. One a context; on the loop.
class SocketTap {
public:
    virtual ~SocketTap() = default;
    virtual void Hear(std::string_view audio) = 0;  // encoded, in order
    // All of it was delivered; `text` is all that was said. Not called otherwise.
    virtual void End(speech::Speech& speech, std::string text) = 0;
};

// All of it must outlive the router.
struct SocketDeps {
    Executor loop;
    speech::SpeechService& speech;
    const identity::Access& access;
    dialects::SocketOptions options;
    http::ErrorFormat errors = http::ProblemResponse;  // before the upgrade
    // Sets what is looked up for a speech: voice settings, the team's stored ones below them, and
    // dictionaries. Null: settings are read by themselves and dictionaries are not known.
    std::function<Task<Result<void>>(SocketStart start, speech::SpeechRequest* request)> prepare;
    // What an error is called in `error`; null: its code.
    std::function<std::string(const Error&)> name_of;
    // Null, or a null tap: nothing of the context is kept.
    std::function<std::unique_ptr<SocketTap>(const SocketStart& start,
                                             const speech::SpeechRequest& request)>
        tap;
};

void AddSocketRoutes(http::Router& router, const SocketDeps& deps);

}  // namespace vf::elevenlabs
