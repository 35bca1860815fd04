#include <unistd.h>

#include <cstdlib>
#include <ctime>

#include "fake/fake.hpp"

namespace vf::worker {
namespace {

using namespace vf::engines;
using Deed = void (*)(const Request&, Sink&);

void Pause(long milliseconds) {
    const timespec pause{milliseconds / 1'000, milliseconds % 1'000 * 1'000'000};
    nanosleep(&pause, nullptr);
}

[[noreturn]] void Hang() {
    for (;;) Pause(1'000);
}

void SomeAudio(Sink& sink) {
    SendInChunks(Tone(0.2), sink);
}

std::vector<TimingEvent> OneEvent(std::uint32_t begin, std::uint32_t end) {
    return {{TimingEvent::kWord, begin, end, 0, 100, "word"}};
}

struct Voice {
    std::string_view name;
    Deed deed;
};

constexpr Voice kVoices[] = {
    {"refuse", nullptr},  // an error frame: main.cpp
    {"crash",
     [](const Request&, Sink& sink) {
         SomeAudio(sink);
         abort();
     }},
    {"crash-before-audio", [](const Request&, Sink&) { abort(); }},
    {"exit",
     [](const Request&, Sink& sink) {
         SomeAudio(sink);
         _exit(3);
     }},
    {"hang", [](const Request&, Sink&) { Hang(); }},
    {"hang-after-audio",
     [](const Request&, Sink& sink) {
         SomeAudio(sink);
         Hang();
     }},
    {"spin",
     [](const Request&, Sink&) {
         for (volatile unsigned i = 0;; i = i + 1) {
         }
     }},
    {"late",  // the first audio after half a second
     [](const Request&, Sink& sink) {
         Pause(500);
         SomeAudio(sink);
     }},
    {"flood",  // endless, as fast as it goes
     [](const Request&, Sink& sink) {
         const auto samples = Tone(0.5);
         while (sink.Audio(samples)) {
         }
     }},
    {"stubborn",  // endless, deaf to cancel
     [](const Request&, Sink& sink) {
         const auto samples = Tone(0.02);
         for (;;) {
             sink.Raw(EncodeAudio(sink.id(), samples));
             Pause(20);
         }
     }},
    {"garbage", [](const Request&, Sink& sink) { sink.Raw(std::string(4'096, '\xA5')); }},
    {"oversized",
     [](const Request&, Sink& sink) { sink.Raw(std::string("\xFF\xFF\xFF\x7F\x04\1\0\0\0", 9)); }},
    {"half-sample", [](const Request&,
                       Sink& sink) { sink.Raw(EncodeFrame(FrameType::kAudio, sink.id(), "abc")); }},
    {"empty-audio",
     [](const Request&, Sink& sink) { sink.Raw(EncodeFrame(FrameType::kAudio, sink.id(), "")); }},
    {"lie-order",  // audio after the end
     [](const Request&, Sink& sink) {
         sink.Raw(EncodeDone(sink.id(), {}));
         sink.Raw(EncodeAudio(sink.id(), Tone(0.1)));
         Hang();
     }},
    {"lie-id", [](const Request&, Sink& sink) { sink.Raw(EncodeAudio(sink.id() + 1, Tone(0.1))); }},
    {"lie-total",
     [](const Request&, Sink& sink) {
         sink.Raw(EncodeAudio(sink.id(), Tone(0.1)));
         sink.Raw(EncodeDone(sink.id(), {.samples = 5}));
         Hang();
     }},
    {"lie-events",
     [](const Request& request, Sink& sink) {
         const auto size = static_cast<std::uint32_t>(request.text.size());
         sink.Events(OneEvent(0, size + 1));
     }},
    {"lie-hello", [](const Request&, Sink& sink) { sink.Raw(EncodeHello({.engine = "fake"})); }},
    {"big-events",  // as many as a frame may hold, twice
     [](const Request& request, Sink& sink) {
         const auto size = static_cast<std::uint32_t>(request.text.size());
         std::vector<TimingEvent> events;
         for (std::size_t i = 0; i < 2 * kMaxEventsPerFrame; ++i) {
             events.push_back({TimingEvent::kPhoneme, 0, size, i, i + 1, std::string(64, 'x')});
         }
         sink.Events(events);
         SomeAudio(sink);
     }},
    {"dribble",  // one byte at a time
     [](const Request&, Sink& sink) {
         const auto samples = Tone(0.02);
         const std::string bytes =
             EncodeAudio(sink.id(), samples) + EncodeDone(sink.id(), {.samples = samples.size()});
         for (const char byte : bytes) sink.Raw({&byte, 1});
         Hang();
     }},
    {"chatty",  // a library that prints what it speaks
     [](const Request& request, Sink& sink) {
         for (int i = 0; i < 500; ++i) Say("library: cannot say " + request.text);
         SomeAudio(sink);
     }},
};

}  // namespace

std::vector<std::string_view> MisbehavingVoices() {
    std::vector<std::string_view> names;
    for (const Voice& voice : kVoices) names.push_back(voice.name);
    return names;
}

bool Misbehave(const Request& request, Sink& sink) {
    for (const Voice& voice : kVoices) {
        if (voice.deed != nullptr && request.voice == "fake-" + std::string(voice.name)) {
            voice.deed(request, sink);
            return true;
        }
    }
    return false;
}

void MisbehaveEarly(std::string_view engine) {
    if (engine == "fake-mute") Hang();
    if (engine == "fake-early-crash") abort();
}

}  // namespace vf::worker
