#include "engines/protocol.hpp"

#include <bit>
#include <cmath>
#include <cstring>

#include "base/utf8.hpp"

namespace vf::engines {
namespace {

static_assert(std::endian::native == std::endian::little,
              "audio and events are copied as they lie in memory");

Error Broken(std::string message) {
    return Error(ErrorKind::kInvalid, "protocol_error", std::move(message));
}

void PutU32(std::string& out, std::uint32_t number) {
    for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(number >> shift);
}

std::uint32_t GetU32(const char* at) {
    std::uint32_t number = 0;
    for (int i = 3; i >= 0; --i) number = number << 8 | static_cast<unsigned char>(at[i]);
    return number;
}

constexpr std::size_t kMaxLabelBytes = 64;

// One event of a frame: kind, text range, samples, loss, length of the label; then the label.
struct PackedEvent {
    std::uint64_t start_sample, end_sample;
    std::uint32_t text_begin, text_end;
    float loss;
    std::uint8_t kind;
    std::uint8_t label_bytes;
};
constexpr std::size_t kPackedBytes = 30;
static_assert(offsetof(PackedEvent, label_bytes) + 1 == kPackedBytes);

bool IsFrameType(std::uint8_t number) {
    return number >= static_cast<std::uint8_t>(FrameType::kHello) &&
           number <= static_cast<std::uint8_t>(FrameType::kInput);
}

}  // namespace

std::size_t MaxPayload(FrameType type) {
    switch (type) {
        case FrameType::kHello: return 1U << 20U;
        case FrameType::kRequest: return 96U << 10U;
        case FrameType::kInput: return 64U << 10U;
        case FrameType::kCancel: return 0;
        case FrameType::kAudio: return 64U << 10U;
        case FrameType::kEvents: return 256U << 10U;
        case FrameType::kDone: return 256;
        case FrameType::kError: return 4U << 10U;
    }
    return 0;
}

std::string EncodeFrame(FrameType type, std::uint32_t id, std::string_view payload) {
    std::string out;
    out.reserve(kHeaderBytes + payload.size());
    PutU32(out, static_cast<std::uint32_t>(payload.size()));
    out += static_cast<char>(type);
    PutU32(out, id);
    out += payload;
    return out;
}

std::string EncodeInput(std::uint32_t id, std::string_view bytes) {
    return EncodeFrame(FrameType::kInput, id, bytes);
}

std::string EncodeCancel(std::uint32_t id) {
    return EncodeFrame(FrameType::kCancel, id, {});
}

std::string EncodeAudio(std::uint32_t id, std::span<const std::int16_t> samples) {
    const auto bytes = std::as_bytes(samples);
    return EncodeFrame(FrameType::kAudio, id,
                       {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Result<std::vector<std::int16_t>> DecodeAudio(std::string_view payload) {
    if (payload.size() % 2 != 0) return Broken("An audio frame holds half a sample.");
    std::vector<std::int16_t> samples(payload.size() / 2);
    if (!samples.empty()) std::memcpy(samples.data(), payload.data(), payload.size());
    return samples;
}

std::string EncodeEvents(std::uint32_t id, std::span<const TimingEvent> events) {
    std::string payload;
    payload.reserve(events.size() * (kPackedBytes + 8));
    for (const TimingEvent& event : events) {
        const std::size_t length = Utf8Floor(event.label, kMaxLabelBytes);
        PackedEvent packed{};
        packed.start_sample = event.start_sample;
        packed.end_sample = event.end_sample;
        packed.text_begin = event.text_begin;
        packed.text_end = event.text_end;
        packed.loss = static_cast<float>(event.loss);
        packed.kind = static_cast<std::uint8_t>(event.kind);
        packed.label_bytes = static_cast<std::uint8_t>(length);
        payload.append(reinterpret_cast<const char*>(&packed), kPackedBytes);
        payload.append(event.label, 0, length);
    }
    return EncodeFrame(FrameType::kEvents, id, payload);
}

Result<std::vector<TimingEvent>> DecodeEvents(std::string_view payload) {
    std::vector<TimingEvent> events;
    while (!payload.empty()) {
        PackedEvent packed{};
        if (payload.size() < kPackedBytes) return Broken("An events frame is cut off.");
        std::memcpy(&packed, payload.data(), kPackedBytes);
        payload.remove_prefix(kPackedBytes);
        const std::string_view label = payload.substr(0, packed.label_bytes);
        const bool is_sound = packed.kind <= TimingEvent::kPhoneme &&
                              packed.label_bytes <= kMaxLabelBytes &&
                              label.size() == packed.label_bytes && !Utf8FindInvalid(label) &&
                              std::isfinite(packed.loss) && packed.loss >= 0;
        if (!is_sound) return Broken("An event is wrong.");
        if (events.size() == kMaxEventsPerFrame) return Broken("Too many events in a frame.");
        payload.remove_prefix(label.size());
        events.push_back({static_cast<TimingEvent::Kind>(packed.kind), packed.text_begin,
                          packed.text_end, packed.start_sample, packed.end_sample,
                          std::string(label), packed.loss});
    }
    if (events.empty()) return Broken("An events frame is empty.");
    return events;
}

void FrameReader::Feed(std::string_view bytes) {
    if (broken_) return;
    if (used_ > 0) {
        buffer_.erase(0, used_);
        used_ = 0;
    }
    buffer_ += bytes;
}

Result<std::optional<Frame>> FrameReader::Next() {
    if (broken_) return Broken("The frames before were already wrong.");
    const std::size_t left = buffer_.size() - used_;
    if (left < kHeaderBytes) return std::optional<Frame>();
    const char* header = buffer_.data() + used_;
    const std::uint32_t length = GetU32(header);
    const auto number = static_cast<std::uint8_t>(header[4]);
    const auto type = static_cast<FrameType>(number);
    if (!IsFrameType(number) || length > MaxPayload(type)) {
        broken_ = true;
        buffer_.clear();
        used_ = 0;
        return Broken("A frame has an unknown type or is too long.");
    }
    if (left < kHeaderBytes + length) return std::optional<Frame>();
    Frame frame{type, GetU32(header + 5), buffer_.substr(used_ + kHeaderBytes, length)};
    used_ += kHeaderBytes + length;
    return std::optional<Frame>(std::move(frame));
}

Result<void> ReplyCheck::OnAudio(std::size_t samples) {
    if (finished_) return Broken("Audio came after the end.");
    if (samples == 0) return Broken("An audio frame is empty.");
    if (samples > max_samples_ - samples_)
        return Broken("There is more audio than a segment may have.");
    samples_ += samples;
    return {};
}

Result<void> ReplyCheck::OnEvents(std::span<const TimingEvent> events) {
    if (finished_) return Broken("Events came after the end.");
    // A character has few phonemes, but a number becomes many words: "7" is spoken as five
    // phonemes.
    const std::size_t most = 64 + 64 * text_bytes_;
    if (events.size() > most - events_) return Broken("There are more events than text.");
    events_ += events.size();
    for (const TimingEvent& event : events) {
        if (event.text_begin > event.text_end || event.text_end > text_bytes_) {
            return Broken("An event lies outside of the text.");
        }
        if (event.start_sample > event.end_sample || event.end_sample > max_samples_) {
            return Broken("An event's times are impossible.");
        }
    }
    return {};
}

Result<void> ReplyCheck::OnDone(const Done& done) {
    if (finished_) return Broken("There were two ends.");
    if (done.samples != samples_) return Broken("The total of samples is wrong.");
    finished_ = true;
    return {};
}

Result<void> ReplyCheck::OnError() {
    if (finished_) return Broken("There were two ends.");
    finished_ = true;
    return {};
}

}  // namespace vf::engines
