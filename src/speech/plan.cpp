#include "speech/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "engines/voice.hpp"
#include "speech/catalogue_match.hpp"

namespace vf::speech {
namespace {

Error Wrong(std::string_view field, std::string code, std::string message) {
    std::vector<FieldError> fields{{"/" + std::string(field), code, message}};
    return Error(ErrorKind::kInvalid, std::move(code), std::move(message), std::move(fields));
}

Result<void> CheckText(const SpeechRequest& request, std::size_t& characters) {
    const std::string_view field = request.text_field;
    if (request.text.empty()) {
        return Wrong(field, "text_empty",
                     fmt::format("\"{}\" is empty: there is nothing to speak.", field));
    }
    if (const auto bad = Utf8FindInvalid(request.text)) {
        return Wrong(field, "invalid_utf8",
                     fmt::format("\"{}\" is not valid UTF-8 (byte {}).", field, *bad));
    }
    characters = Utf8Count(request.text);
    if (characters > request.max_characters) {
        return Wrong(field, "text_too_long",
                     fmt::format("\"{}\" has {} characters; at most {} are spoken in one request. "
                                 "Split it at a sentence end.",
                                 field, characters, request.max_characters));
    }
    return {};
}

Result<void> CheckRanges(const SpeechRequest& request) {
    const auto outside = [](double value, double min, double max) {
        return !(value >= min && value <= max);
    };
    if (outside(request.speed, 0.25, 4)) {
        return Wrong("speed", "out_of_range", "\"speed\" must be between 0.25 and 4.");
    }
    if (outside(request.pitch, -12, 12)) {
        return Wrong("pitch", "out_of_range", "\"pitch\" must be between -12 and 12 semitones.");
    }
    if (outside(request.volume, -20, 10)) {
        return Wrong("volume", "out_of_range", "\"volume\" must be between -20 and 10 dB.");
    }
    return {};
}

Result<engines::Voice> ChooseVoice(const SpeechRequest& request,
                                   const engines::Catalogue& catalogue,
                                   const SpeechOptions& options) {
    if (!request.language.empty() && !IsLanguageTag(request.language)) {
        return Wrong("language", "invalid_language",
                     "\"language\" must be a BCP 47 tag such as en, en-GB or pt-BR.");
    }
    if (request.voice.empty() && !request.language.empty()) {
        const engines::Voice* voice =
            VoiceForLanguage(catalogue, request.language, options.default_voice);
        if (voice) return *voice;
        return Wrong("language", "language_not_supported",
                     "No voice speaks this language. GET /api/voices lists the languages.");
    }
    const engines::Voice* voice =
        catalogue.Find(request.voice.empty() ? options.default_voice : request.voice);
    if (!voice && request.voice.empty() && !catalogue.All().empty()) {
        voice = catalogue.All().front();
    }
    if (!voice) {
        return Wrong("voice", "voice_not_found",
                     "There is no voice with this id. GET /api/voices lists the voices.");
    }
    if (!request.language.empty() && LanguageMatch(*voice, request.language) == 0) {
        return Wrong(
            "language", "language_not_supported",
            fmt::format("The voice {} does not speak this language. Leave \"voice\" out to "
                        "get one that does.",
                        voice->id));
    }
    return *voice;
}

std::vector<std::size_t> CountThrough(std::string_view text,
                                      const std::vector<text::Segment>& segments) {
    std::vector<std::size_t> through;
    std::size_t at = 0;
    std::size_t count = 0;
    for (const text::Segment& segment : segments) {
        if (segment.end > at) count += Utf8Count(text.substr(at, segment.end - at));
        at = std::max(at, segment.end);
        through.push_back(count);
    }
    return through;
}

}  // namespace

Result<SpeechPlan> MakePlan(const SpeechRequest& request, const engines::Catalogue& catalogue,
                            const SpeechOptions& options) {
    SpeechPlan plan;
    Result<void> text = CheckText(request, plan.characters);
    if (!text) return std::move(text).error();
    Result<void> ranges = CheckRanges(request);
    if (!ranges) return std::move(ranges).error();
    Result<engines::Voice> voice = ChooseVoice(request, catalogue, options);
    if (!voice) return std::move(voice).error();
    plan.voice = *std::move(voice);
    Result<int> rate = audio::CheckRate(request.format, request.sample_rate);
    if (!rate) return std::move(rate).error();
    plan.format = request.format;
    plan.sample_rate = *rate;

    plan.engine_speed = std::clamp(request.speed, plan.voice.speed_min, plan.voice.speed_max);
    plan.engine_pitch = std::clamp(request.pitch, plan.voice.pitch_min, plan.voice.pitch_max);
    plan.stretch_speed = request.speed / plan.engine_speed;
    plan.stretch_pitch = request.pitch - plan.engine_pitch;
    plan.gain_db = plan.voice.gain_db + request.volume;

    plan.whole = request.whole;
    plan.quality = options.quality;

    text::SplitOptions split = options.split;
    split.language = plan.voice.languages.empty() ? "en" : plan.voice.languages.front();
    split.ascii = plan.voice.ascii_text;
    plan.segments = text::Split(request.text, split);
    if (plan.segments.empty()) {
        return Wrong(
            request.text_field, "text_not_speakable",
            fmt::format("\"{}\" has nothing in it that can be spoken.", request.text_field));
    }
    plan.characters_through = CountThrough(request.text, plan.segments);
    plan.characters_through.back() = plan.characters;
    return plan;
}

}  // namespace vf::speech
