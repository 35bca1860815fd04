#include "dialects/elevenlabs/elevenlabs_socket_audio.hpp"

#include <algorithm>
#include <cmath>

#include "base/base64.hpp"
#include "base/json.hpp"

namespace vf::elevenlabs {
namespace {

constexpr double kLongestWait = 0.5;  // seconds of audio

std::int64_t Milliseconds(double seconds) {
    return std::llround(seconds * 1000);
}

// Null when no character begins here.
json::value Alignment(const std::vector<speech::TimelineItem>& characters, double start_seconds,
                      double end_seconds) {
    if (characters.empty()) return nullptr;
    const std::int64_t start = Milliseconds(start_seconds);
    const std::int64_t span = std::max<std::int64_t>(0, Milliseconds(end_seconds) - start);
    json::array chars;
    json::array starts;
    json::array durations;
    for (const speech::TimelineItem& item : characters) {
        const bool is_last = &item == &characters.back();
        const std::int64_t from =
            std::clamp<std::int64_t>(Milliseconds(item.start_seconds) - start, 0, span);
        const std::int64_t to =
            is_last ? span
                    : std::clamp<std::int64_t>(Milliseconds(item.end_seconds) - start, from, span);
        chars.emplace_back(item.label);
        starts.emplace_back(from);
        durations.emplace_back(to - from);
    }
    return json::object{{"chars", std::move(chars)},
                        {"charStartTimesMs", std::move(starts)},
                        {"charDurationsMs", std::move(durations)}};
}

void Append(std::vector<speech::TimelineItem>& to, std::vector<speech::TimelineItem> from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

std::optional<std::string> SocketAudio::Add(speech::TimedChunk chunk) {
    audio_ += chunk.audio;
    end_seconds_ = chunk.end_seconds;
    Append(characters_, std::move(chunk.characters));
    Append(normalised_, std::move(chunk.normalised_characters));
    if (chunk.is_last) return Rest();
    const bool is_enough = !characters_.empty() || end_seconds_ - start_seconds_ >= kLongestWait;
    if (audio_.empty() || !is_enough) return std::nullopt;
    return Message();
}

std::optional<std::string> SocketAudio::Rest() {
    if (audio_.empty() && characters_.empty()) return std::nullopt;
    return Message();
}

std::string SocketAudio::Message() {
    std::string text = R"({"audio":")" + Base64(audio_) + R"(","isFinal":null,"alignment":)";
    text += json::Print(Alignment(characters_, start_seconds_, end_seconds_));
    text += R"(,"normalizedAlignment":)";
    text += json::Print(Alignment(normalised_, start_seconds_, end_seconds_));
    if (context_) text += R"(,"contextId":)" + json::Print(json::value(*context_));
    text += '}';
    start_seconds_ = end_seconds_;
    audio_.clear();
    characters_.clear();
    normalised_.clear();
    return text;
}

std::string SocketAudio::Final() const {
    json::object message{{"audio", nullptr},
                         {"isFinal", true},
                         {"alignment", nullptr},
                         {"normalizedAlignment", nullptr}};
    if (context_) message["contextId"] = *context_;
    return json::Print(message);
}

std::string ErrorMessage(const Error& error, std::string_view name, int code,
                         const std::optional<std::string>& context) {
    json::object message{{"message", error.message()}, {"error", name}, {"code", code}};
    if (!error.fields().empty()) message["param"] = error.param();
    if (context) message["contextId"] = *context;
    return json::Print(message);
}

}  // namespace vf::elevenlabs
