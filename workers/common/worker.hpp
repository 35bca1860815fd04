#pragma once
// What every worker program shares: its main loop, the way it sends audio, and the cage it works
// in. A program implements Engine and calls Run() from main().
//
// The server starts the program with one socket as descriptor 3 and closes all others but stderr.
// The program puts the limits on itself (see limits.hpp) before it reads a request: nothing of
// that is safe to do between fork and exec in a server with threads, and posix_spawn cannot do it.
// stderr goes to the server's log: never write any of a request's text there.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "engines/protocol.hpp"

namespace vf::worker {

// Where an engine puts what it speaks; made for one request.
class Sink {
public:
    virtual ~Sink() = default;
    // Both return false when the engine should stop: the request was cancelled. Audio is sent at
    // once, events with the audio that comes next.
    virtual bool Audio(std::span<const std::int16_t> samples) = 0;
    virtual bool Events(std::span<const engines::TimingEvent> events) = 0;
    // Looks for a cancel without waiting.
    virtual bool cancelled() = 0;
    // For the fake engine, which must be able to break every rule.
    virtual std::uint32_t id() const = 0;
    virtual void Raw(std::string_view bytes) = 0;
};

class Engine {
public:
    virtual ~Engine() = default;
    virtual engines::Hello Describe() = 0;
    // Speaks one request. An error's code is shown to the caller when it is about the text; return
    // success also after a cancel. The text has been checked by DecodeRequest.
    virtual Result<void> Speak(const engines::Request& request, Sink& sink);
    // Aligns `request.text` with `request.input`, whose bytes are there: words and phonemes with
    // their losses as events, the pauses as phonemes without text. Errors as of Speak.
    virtual Result<void> Align(const engines::Request& request, Sink& sink);
};

// What an engine may do beyond computing.
struct Needs {
    bool files = false;    // open files for reading
    bool threads = false;  // start threads
};

// Makes the engine; `name` is the last part of the program's name. nullptr: the engine's data is
// not on this machine; the reason has been written with Say().
using MakeEngine = std::unique_ptr<Engine> (*)(std::string_view name);

// One line on stderr, for the server's log.
void Say(std::string_view line);

// The whole life of the program; does not return to destructors of engine libraries, some of which
// hang.
[[noreturn]] void Run(int argc, char** argv, MakeEngine make, Needs needs);

}  // namespace vf::worker
