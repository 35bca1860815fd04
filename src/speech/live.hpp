#pragma once
// A speech whose text comes bit by bit: what stands behind a socket's context. One encoder, one
// clock, one operation from the first word to the end. On the loop.
//
//   dialect:  Append* Flush? … End          (or Cancel)
//   dialect:  reads live->speech() with a TimedReader, in a coroutine of its own
//
// Text is spoken by sentences. What may be spoken before End depends on the policy; an unfinished
// sentence waits for its end, for Flush, or for the policy's bound.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/task.hpp"
#include "speech/speech.hpp"

namespace vf::speech {

struct LivePolicy {
    // Empty: every sentence as soon as it is whole ("auto mode"). Else characters: speak what is
    // there when it has at least schedule[i], i counting what was spoken; the last one repeats.
    std::vector<int> schedule;
    // What Trigger() needs at least, in characters.
    int trigger_minimum = 50;
    // The longest text that may wait; more is spoken whatever the policy says.
    std::size_t max_waiting = 5'000;
};

class LiveSpeech {
public:
    virtual ~LiveSpeech() = default;  // cancels, unless it has ended

    // Appends text, valid UTF-8. Errors: kInvalid text_too_long (beyond the request's
    // max_characters in sum), invalid_utf8; whatever the speech failed with before.
    virtual Result<void> Append(std::string_view text) = 0;
    // Speaks what is there now if it has the policy's minimum.
    virtual void Trigger() = 0;
    // Speaks all that is there, an unfinished sentence too. `spoken` is called once when the last
    // byte of it is in the pipe (at once when nothing was waiting); not after Cancel.
    virtual void Flush(std::function<void()> spoken = {}) = 0;
    // Flush, and no more text: the audio ends after it.
    virtual void End() = 0;
    // Stops at the next chunk. The pipe is abandoned.
    virtual void Cancel() = 0;

    // True while something is being spoken or waits for an engine.
    virtual bool is_generating() const = 0;
    virtual bool has_ended() const = 0;  // End or Cancel was called
    // All that was appended.
    virtual const std::string& text() const = 0;
    // The audio and its timeline; text positions are bytes of everything that was appended.
    virtual const std::shared_ptr<Speech>& speech() const = 0;
};

}  // namespace vf::speech
