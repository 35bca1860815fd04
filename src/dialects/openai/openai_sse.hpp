#pragma once
// Speech as server-sent events: `speech.audio.delta` with base64 audio, then `speech.audio.done`.

#include <memory>

#include "base/task.hpp"
#include "speech/speech.hpp"

namespace vf::openai {

// Reads the speech's pipe and writes events to `events` until either ends. A failed speech becomes
// an event with an `error`, which the clients raise, and a failed pipe.
Task<void> WriteEvents(std::shared_ptr<speech::Speech> speech, std::shared_ptr<BytePipe> events);

}  // namespace vf::openai
