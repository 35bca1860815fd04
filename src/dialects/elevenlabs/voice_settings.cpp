#include "dialects/elevenlabs/voice_settings.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <vector>

namespace vf::elevenlabs {
namespace {

constexpr double kMinSpeed = 0.7;
constexpr double kMaxSpeed = 1.2;
constexpr double kNeutralStability = 0.5;
constexpr double kNeutralSimilarity = 0.75;
constexpr double kDecibelsPerSimilarity = 16;
constexpr double kDecibelsWithoutBoost = -3;

class Reader {
public:
    Reader(const json::object& from, std::string_view path) : from_(from), path_(path) {}

    void Number(std::string_view name, double& out, double min, double max) {
        const json::value* found = Find(name);
        if (!found) return;
        const double number = found->is_number() ? found->to_number<double>() : NAN;
        if (number >= min && number <= max) {
            out = number;
        } else {
            Wrong(name, fmt::format("must be a number between {} and {}.", min, max));
        }
    }

    void Flag(std::string_view name, bool& out) {
        const json::value* found = Find(name);
        if (!found) return;
        if (found->is_bool()) {
            out = found->get_bool();
        } else {
            Wrong(name, "must be true or false.");
        }
    }

    std::vector<FieldError> wrong;

private:
    const json::value* Find(std::string_view name) const {
        const json::value* found = from_.if_contains(name);
        return found && !found->is_null() ? found : nullptr;
    }
    void Wrong(std::string_view name, std::string message) {
        wrong.push_back({json::Pointer(path_, name), "invalid_voice_settings", std::move(message)});
    }

    const json::object& from_;
    std::string_view path_;
};

}  // namespace

Result<VoiceSettings> ReadVoiceSettings(const json::value& value, VoiceSettings defaults,
                                        std::string_view path) {
    if (value.is_null()) return defaults;
    std::vector<FieldError> wrong;
    if (value.is_object()) {
        Reader read(value.get_object(), path);
        read.Number("stability", defaults.stability, 0, 1);
        read.Number("similarity_boost", defaults.similarity_boost, 0, 1);
        read.Number("style", defaults.style, 0, 1);
        read.Flag("use_speaker_boost", defaults.use_speaker_boost);
        read.Number("speed", defaults.speed, kMinSpeed, kMaxSpeed);
        wrong = std::move(read.wrong);
    } else {
        wrong.push_back({std::string(path), "invalid_voice_settings", "must be a JSON object."});
    }
    if (wrong.empty()) return defaults;
    std::string message = wrong.front().path + " " + wrong.front().message;
    return Error(ErrorKind::kInvalid, "invalid_voice_settings", std::move(message),
                 std::move(wrong));
}

json::object ToJson(const VoiceSettings& settings) {
    return {{"stability", settings.stability},
            {"similarity_boost", settings.similarity_boost},
            {"style", settings.style},
            {"use_speaker_boost", settings.use_speaker_boost},
            {"speed", settings.speed}};
}

void Apply(const VoiceSettings& settings, speech::SpeechRequest& request) {
    request.shaping.pitch_range = std::exp2(2 * (kNeutralStability - settings.stability));
    request.shaping.brightness =
        (settings.similarity_boost - kNeutralSimilarity) * kDecibelsPerSimilarity;
    request.shaping.dynamics = std::exp2(settings.style);
    request.shaping.presence = settings.use_speaker_boost ? 0 : kDecibelsWithoutBoost;
    request.speed = settings.speed;
    request.expression = engines::Expression{settings.stability, settings.similarity_boost,
                                             settings.style, settings.use_speaker_boost};
    // Nobody changed anything: what the voice's owner set there stays.
    if (*request.expression == engines::Expression()) request.expression.reset();
}

}  // namespace vf::elevenlabs
