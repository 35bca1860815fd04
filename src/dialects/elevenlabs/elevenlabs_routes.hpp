#pragma once
// ElevenLabs' door: /v1/text-to-speech, /v1/text-to-dialogue, /v1/voices, /v2/voices, /v1/history,
// /v1/pronunciation-dictionaries, /v1/user and /v1/usage. (/v1/models is shared with OpenAI's:
// dialects/models.) And its sockets.

#include "dialects/elevenlabs/elevenlabs_deps.hpp"

namespace vf::elevenlabs {

class Routes {
public:
    // Everything in `deps` must outlive the router, and this too.
    Routes(http::Router& router, Deps deps);

private:
    Deps deps_;
};

}  // namespace vf::elevenlabs
