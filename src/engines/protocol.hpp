#pragma once
// The frames between the server and a worker, over any ordered byte stream (today a socket pair,
// later TLS to another node). This file knows no sockets.
//
//   frame    u32 length of the payload, little endian | u8 type | u32 id, little endian | payload
//   worker:  hello (id 0, once, first)
//   server:  request {id > 0} input* … cancel {id}
//   worker:  audio* and events* {id} in any order, then exactly one done or error {id}
//
// hello, request, done and error carry JSON, read strictly (closed objects); audio carries raw
// signed 16-bit little-endian mono samples; events are packed, little endian, one behind the other:
// u64 start sample, u64 end sample, u32 text begin, u32 text end, f32 loss, u8 kind, u8 length of
// the label, label. cancel carries nothing. A request to align a text with audio is followed by
// that audio in input frames, and answered with events only. A worker answers one request at a
// time. It answers a cancel with done, `cancelled` set. Frames that break a rule here are errors of
// kind kInvalid with code "protocol_error"; the connection is then useless.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "engines/pronunciation.hpp"
#include "engines/timing.hpp"
#include "engines/voice.hpp"

namespace vf::engines {

inline constexpr int kProtocolVersion = 1;
inline constexpr std::size_t kHeaderBytes = 9;
inline constexpr std::size_t kMaxTextBytes = 4'096;
inline constexpr std::size_t kMaxAlignedTextBytes = 32'768;
inline constexpr std::size_t kMaxInputBytes = 64U << 20U;
inline constexpr std::size_t kMaxVoices = 1'000;
inline constexpr std::size_t kMaxEventsPerFrame = 512;

enum class FrameType : std::uint8_t {
    kHello = 1,
    kRequest = 2,
    kCancel = 3,
    kAudio = 4,
    kEvents = 5,
    kDone = 6,
    kError = 7,
    kInput = 8,
};

// The largest payload of a type; 0 also for a number that is no type.
std::size_t MaxPayload(FrameType type);

struct Frame {
    FrameType type = FrameType::kHello;
    std::uint32_t id = 0;
    std::string payload;
};

struct Hello {
    int protocol = kProtocolVersion;
    std::string engine;
    std::string version;
    std::string licence;
    std::vector<Voice> voices;  // their `engine` is set from `engine`
};

// What a text is aligned with.
struct Input {
    // 1 to kMaxInputBytes bytes; a decoded request has none yet, they come in their own frames.
    std::shared_ptr<const std::string> bytes;
    std::size_t size = 0;
    int sample_rate = 0;  // of signed 16-bit mono samples; 0: an audio file that tells it itself
    std::uint32_t max_seconds = 0;  // longer audio is refused
};

struct Request {
    std::string voice;  // for an alignment: its language
    std::string text;   // 1 to kMaxTextBytes (kMaxAlignedTextBytes) bytes of UTF-8 without NUL
    double speed = 1;   // 0.1 to 10
    double pitch = 0;   // -36 to 36 semitones
    bool events = true;
    double pitch_range = 1;  // 0.1 to 4, factor on F0's excursions
    std::vector<Pronunciation> pronunciations;
    std::optional<std::uint32_t> seed;  // of an engine's own noise
    std::optional<Input> input;         // align the text with it instead of speaking it
};

// Ascending, without overlap, at most kMaxPronunciations, on character borders of `text`, phonemes
// within their bounds. Error: kInvalid invalid_pronunciation.
Result<void> CheckPronunciations(std::span<const Pronunciation> pronunciations,
                                 std::string_view text);

struct Done {
    std::uint64_t samples = 0;  // all samples sent for this request
    std::uint64_t cpu_us = 0;   // processor time it took
    bool cancelled = false;
};

struct WorkerError {
    std::string code;     // [a-z_]{1,64}
    std::string message;  // for the log only
};

std::string EncodeFrame(FrameType type, std::uint32_t id, std::string_view payload);
std::string EncodeHello(const Hello& hello);
std::string EncodeRequest(std::uint32_t id, const Request& request);
std::string EncodeInput(std::uint32_t id, std::string_view bytes);
std::string EncodeCancel(std::uint32_t id);
std::string EncodeAudio(std::uint32_t id, std::span<const std::int16_t> samples);
std::string EncodeEvents(std::uint32_t id, std::span<const TimingEvent> events);
std::string EncodeDone(std::uint32_t id, const Done& done);
std::string EncodeError(std::uint32_t id, const WorkerError& error);

Result<Hello> DecodeHello(std::string_view payload);
Result<Request> DecodeRequest(std::string_view payload);
Result<std::vector<std::int16_t>> DecodeAudio(std::string_view payload);
Result<std::vector<TimingEvent>> DecodeEvents(std::string_view payload);
Result<Done> DecodeDone(std::string_view payload);
Result<WorkerError> DecodeError(std::string_view payload);

// Cuts a byte stream into frames. Holds at most one frame's bytes and what was fed with it.
class FrameReader {
public:
    void Feed(std::string_view bytes);
    // The next whole frame, or no value when more bytes are needed. An unknown type or a length
    // above MaxPayload(type) is an error as soon as the header is there, and stays one.
    Result<std::optional<Frame>> Next();

private:
    std::string buffer_;
    std::size_t used_ = 0;  // bytes of buffer_ already handed out
    bool broken_ = false;
};

// Checks that one request's reply keeps the rules: the order of frames, the totals, the events'
// ranges. Each call returns an error when the frame must not have come.
class ReplyCheck {
public:
    ReplyCheck(std::size_t text_bytes, std::uint64_t max_samples)
        : text_bytes_(text_bytes), max_samples_(max_samples) {}

    Result<void> OnAudio(std::size_t samples);
    Result<void> OnEvents(std::span<const TimingEvent> events);
    Result<void> OnDone(const Done& done);
    Result<void> OnError();

    std::uint64_t samples() const { return samples_; }
    bool finished() const { return finished_; }

private:
    std::size_t text_bytes_;
    std::uint64_t max_samples_;
    std::uint64_t samples_ = 0;
    std::size_t events_ = 0;
    bool finished_ = false;
};

}  // namespace vf::engines
