// The worker protocol, fed with any bytes: nothing may crash, and what is accepted must keep the
// rules that the server relies on. The first byte says in which pieces the rest arrives.
#include <cstdlib>

#include "base/utf8.hpp"
#include "engines/protocol.hpp"

namespace {

using namespace vf;
using namespace vf::engines;

constexpr std::size_t kTextBytes = 100;
constexpr std::uint64_t kMaxSamples = 100'000;

void Require(bool holds) {
    if (!holds) abort();
}

void CheckEvents(const std::vector<TimingEvent>& events, ReplyCheck& check) {
    if (!check.OnEvents(events)) return;
    for (const TimingEvent& event : events) {
        Require(event.text_begin <= event.text_end && event.text_end <= kTextBytes);
        Require(event.start_sample <= event.end_sample && event.end_sample <= kMaxSamples);
        Require(!Utf8FindInvalid(event.label));
    }
    const auto again = DecodeEvents(EncodeEvents(1, events).substr(kHeaderBytes));
    Require(again && *again == events);
}

void CheckRequest(const Request& request) {
    Require(!request.text.empty() && request.text.size() <= kMaxTextBytes);
    Require(!Utf8FindInvalid(request.text));
    const auto again = DecodeRequest(EncodeRequest(1, request).substr(kHeaderBytes));
    Require(again && again->text == request.text && again->seed == request.seed);
    Require(request.pitch_range >= 0.1 && request.pitch_range <= 4);
    Require(CheckPronunciations(request.pronunciations, request.text).ok());
    Require(again->pronunciations == request.pronunciations);
}

void Take(const Frame& frame, ReplyCheck& check) {
    Require(frame.payload.size() <= MaxPayload(frame.type));
    switch (frame.type) {
        case FrameType::kHello: {
            const auto hello = DecodeHello(frame.payload);
            if (hello) Require(DecodeHello(EncodeHello(*hello).substr(kHeaderBytes)).ok());
            break;
        }
        case FrameType::kRequest: {
            const auto request = DecodeRequest(frame.payload);
            if (request) CheckRequest(*request);
            break;
        }
        case FrameType::kAudio: {
            const auto samples = DecodeAudio(frame.payload);
            if (samples) (void)check.OnAudio(samples->size()).ok();
            Require(check.samples() <= kMaxSamples);
            break;
        }
        case FrameType::kEvents: {
            const auto events = DecodeEvents(frame.payload);
            if (events) CheckEvents(*events, check);
            break;
        }
        case FrameType::kDone: {
            const auto done = DecodeDone(frame.payload);
            if (done && check.OnDone(*done)) Require(done->samples == check.samples());
            break;
        }
        case FrameType::kError: {
            if (DecodeError(frame.payload)) (void)check.OnError().ok();
            break;
        }
        case FrameType::kCancel: break;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t piece = std::size_t{1} + data[0];
    std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
    FrameReader reader;
    ReplyCheck check(kTextBytes, kMaxSamples);
    while (!rest.empty()) {
        reader.Feed(rest.substr(0, piece));
        rest.remove_prefix(std::min(piece, rest.size()));
        for (;;) {
            const auto frame = reader.Next();
            if (!frame) return 0;
            if (!*frame) break;
            Take(**frame, check);
        }
    }
    return 0;
}
