#include "speech/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "engines/voice.hpp"
#include "speech/catalogue_match.hpp"
#include "speech/context.hpp"
#include "speech/fallback.hpp"
#include "text/auto_language.hpp"
#include "text/ssml.hpp"

namespace vf::speech {
namespace {

Error Wrong(std::string_view field, std::string code, std::string message) {
    std::vector<FieldError> fields{{"/" + std::string(field), code, message}};
    return Error(ErrorKind::kInvalid, std::move(code), std::move(message), std::move(fields));
}

Result<void> CheckText(const SpeechRequest& request) {
    const std::string_view field = request.text_field;
    if (request.text.empty()) {
        return Wrong(field, "text_empty",
                     fmt::format("\"{}\" is empty: there is nothing to speak.", field));
    }
    if (const auto bad = Utf8FindInvalid(request.text)) {
        return Wrong(field, "invalid_utf8",
                     fmt::format("\"{}\" is not valid UTF-8 (byte {}).", field, *bad));
    }
    return {};
}

Result<void> CheckLength(const SpeechRequest& request, std::size_t characters) {
    if (characters <= request.max_characters) return {};
    return Wrong(request.text_field, "text_too_long",
                 fmt::format("\"{}\" has {} characters; at most {} are spoken in one request. "
                             "Split it at a sentence end.",
                             request.text_field, characters, request.max_characters));
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
    const Shaping& shaping = request.shaping;
    if (outside(shaping.pitch_range, 0.25, 2) || outside(shaping.brightness, -12, 12) ||
        outside(shaping.presence, -12, 12) || outside(shaping.dynamics, 0.5, 2)) {
        return Wrong("shaping", "out_of_range",
                     "\"pitch_range\" must be between 0.25 and 2, \"dynamics\" between 0.5 and 2, "
                     "\"brightness\" and \"presence\" between -12 and 12 dB.");
    }
    return {};
}

Result<engines::Voice> ChooseVoice(const SpeechRequest& request, const std::string& language,
                                   const engines::VoiceView& voices, const SpeechOptions& options) {
    if (!language.empty() && !IsLanguageTag(language)) {
        return Wrong("language", "invalid_language",
                     "\"language\" must be a BCP 47 tag such as en, en-GB or pt-BR, or \"auto\".");
    }
    if (request.voice.empty()) {
        const engines::Voice* voice = PreferredVoice(voices, language, options.default_voice);
        if (voice) return *voice;
    }
    if (request.voice.empty() && !language.empty()) {
        const engines::Voice* voice = VoiceForLanguage(voices, language, options.default_voice);
        if (voice) return *voice;
        return Wrong("language", "language_not_supported",
                     "No voice speaks this language. GET /api/voices lists the languages.");
    }
    const engines::Voice* voice =
        voices.Find(request.voice.empty() ? options.default_voice : request.voice);
    if (!voice && request.voice.empty() && !voices.catalogue().All().empty()) {
        voice = voices.catalogue().All().front();
    }
    if (!voice) {
        return Wrong("voice", "voice_not_found",
                     "There is no voice with this id. GET /api/voices lists the voices.");
    }
    if (!language.empty() && LanguageMatch(*voice, language) == 0) {
        return Wrong(
            "language", "language_not_supported",
            fmt::format("The voice {} does not speak this language. Leave \"voice\" out to "
                        "get one that does.",
                        voice->id));
    }
    return *voice;
}

// The catalogue's name for what markup calls a voice: its id, else its name, whatever the case.
const engines::Voice* FindByName(const engines::VoiceView& voices, const std::string& name) {
    if (const engines::Voice* voice = voices.Find(name)) return voice;
    const auto lower = [](std::string_view text) {
        std::string out(text);
        for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        return out;
    };
    const std::string wanted = lower(name);
    for (const engines::Voice* voice : voices.All()) {
        if (lower(voice->name) == wanted || lower(voice->id) == wanted) return voice;
    }
    return nullptr;
}

// The n-th voice of the wishes, the best match of the language first.
const engines::Voice* FindByWishes(const engines::VoiceView& voices, const text::Style& style,
                                   const std::string& language) {
    std::vector<std::pair<int, const engines::Voice*>> fitting;
    // Of the catalogue: a wish shall not spend a team's money elsewhere.
    for (const engines::Voice* voice : voices.catalogue().All()) {
        const int match = language.empty() ? 1 : LanguageMatch(*voice, language);
        if (match == 0) continue;
        if (!style.gender.empty() && voice->gender != style.gender) continue;
        fitting.push_back({match, voice});
    }
    if (fitting.empty()) return nullptr;
    std::sort(fitting.begin(), fitting.end(), [](const auto& a, const auto& b) {
        if (a.first != b.first) return a.first > b.first;
        const int quality_a = QualityRank(*a.second), quality_b = QualityRank(*b.second);
        if (quality_a != quality_b) return quality_a > quality_b;
        return a.second->id < b.second->id;
    });
    const auto nth = static_cast<std::size_t>(std::max(style.variant, 1) - 1);
    return fitting[std::min(nth, fitting.size() - 1)].second;
}

// The voice of one style. What markup wishes for and nobody has is spoken by the request's voice
// and reported.
engines::Voice VoiceOf(const text::Style& style, const engines::Voice& own,
                       const engines::VoiceView& voices, const SpeechOptions& options,
                       std::vector<std::string>& warnings) {
    if (!style.voice.empty()) {
        if (const engines::Voice* voice = FindByName(voices, style.voice)) return *voice;
        warnings.push_back(fmt::format("there is no voice \"{}\"", style.voice));
        return own;
    }
    const bool speaks_it = style.language.empty() || LanguageMatch(own, style.language) > 0;
    if (!style.gender.empty() || style.variant > 0) {
        const std::string language = !style.language.empty() ? style.language
                                     : own.languages.empty() ? std::string()
                                                             : own.languages.front();
        if (const engines::Voice* voice = FindByWishes(voices, style, language)) return *voice;
        warnings.push_back("no voice is what <voice> asks for");
        return own;
    }
    if (speaks_it) return own;
    const engines::Voice* voice = VoiceForLanguage(voices, style.language, options.default_voice);
    if (voice) return *voice;
    warnings.push_back(fmt::format("no voice speaks \"{}\"", style.language));
    return own;
}

// Who speaks does itself what the shaping would do afterwards.
bool IsExpressedBy(const SpeechRequest& request, const engines::Voice& voice) {
    return request.expression.has_value() && voice.takes_expression;
}

// The language that is asked for, as far as the voice speaks it; empty: nobody said.
std::string SaidLanguage(const std::string& language, const text::Style& style,
                         const engines::Voice& voice) {
    if (!style.language.empty() && LanguageMatch(voice, style.language) > 0) return style.language;
    if (!language.empty() && LanguageMatch(voice, language) > 0) return language;
    return voice.languages.size() == 1 ? voice.languages.front() : "";
}

StyleVoice MakeStyleVoice(const SpeechRequest& request, const std::string& language,
                          const text::Style& style, engines::Voice voice) {
    StyleVoice out;
    out.language = SaidLanguage(language, style, voice);
    const double own_range = IsExpressedBy(request, voice) ? 1 : request.shaping.pitch_range;
    const double speed = std::clamp(request.speed * style.speed, 0.2, 5.0);
    const double pitch = std::clamp(request.pitch + style.pitch, -24.0, 24.0);
    const double range = std::clamp(own_range * style.pitch_range, 0.0, 4.0);
    out.engine_speed = std::clamp(speed, voice.speed_min, voice.speed_max);
    out.engine_pitch = std::clamp(pitch, voice.pitch_min, voice.pitch_max);
    out.engine_pitch_range = std::clamp(range, voice.pitch_range_min, voice.pitch_range_max);
    out.stretch_speed = speed / out.engine_speed;
    out.stretch_pitch = pitch - out.engine_pitch;
    out.gain_db = voice.gain_db + request.volume + style.volume;
    out.voice = std::move(voice);
    return out;
}

// What the text is read as. A voice of many languages whose speaker reads by itself is not told one
// that nobody said: nothing is normalised then but what no voice can read.
std::string ReadingLanguage(const StyleVoice& style) {
    if (!style.language.empty()) return style.language;
    if (style.voice.speaker) return "und";
    return style.voice.languages.empty() ? "en" : style.voice.languages.front();
}

text::Script ScriptOfTurns(const SpeechRequest& request) {
    text::Script script;
    const text::MappedText all = text::MappedText::Of(request.text);
    std::size_t begin = 0;
    for (const SpeechTurn& turn : request.turns) {
        text::Style style;
        style.voice = turn.voice;
        auto found = std::find(script.styles.begin(), script.styles.end(), style);
        if (found == script.styles.end()) found = script.styles.insert(found, style);
        if (!script.pieces.empty()) {
            text::Piece end;
            end.kind = text::Piece::Kind::kParagraph;
            script.pieces.push_back(std::move(end));
        }
        text::Piece piece;
        piece.style = static_cast<std::uint32_t>(found - script.styles.begin());
        piece.text = all.Slice(begin, turn.end);
        begin = turn.end;
        script.pieces.push_back(std::move(piece));
    }
    return script;
}

// A turn's voice is part of the request, not a wish.
Result<void> CheckTurns(const SpeechRequest& request, const engines::VoiceView& voices) {
    for (const SpeechTurn& turn : request.turns) {
        if (turn.voice.empty() || voices.Find(turn.voice)) continue;
        return Wrong(
            "voice", "voice_not_found",
            fmt::format("There is no voice \"{}\". GET /api/voices lists the voices.", turn.voice));
    }
    return {};
}

bool IsAuto(const SpeechRequest& request) {
    return request.language == kAutoLanguage;
}

Result<text::Script> ReadScript(const SpeechRequest& request) {
    if (!request.turns.empty()) return ScriptOfTurns(request);
    if (IsAuto(request)) return text::AutoLanguageScript(request.text);
    if (request.markup == Markup::kPlain) return text::PlainScript(request.text);
    Result<text::Script> script = text::ReadSsml(request.text);
    if (script) return script;
    const Error& error = script.error();
    return Wrong(request.text_field, error.code(),
                 fmt::format("\"{}\": {}", request.text_field, error.message()));
}

// Styles that one voice speaks in one way belong to one group.
std::vector<text::StyleTraits> TraitsOf(const std::vector<StyleVoice>& styles) {
    std::vector<text::StyleTraits> traits;
    for (std::size_t i = 0; i < styles.size(); ++i) {
        const StyleVoice& style = styles[i];
        text::StyleTraits one;
        one.language = ReadingLanguage(style);
        one.ascii = style.voice.ascii_text;
        one.group = static_cast<std::uint32_t>(i);
        for (std::size_t j = 0; j < i; ++j) {
            const StyleVoice& other = styles[j];
            const bool same = other.voice.id == style.voice.id &&
                              other.engine_speed == style.engine_speed &&
                              other.engine_pitch == style.engine_pitch &&
                              other.engine_pitch_range == style.engine_pitch_range &&
                              other.stretch_speed == style.stretch_speed &&
                              other.stretch_pitch == style.stretch_pitch &&
                              other.gain_db == style.gain_db && traits[j].language == one.language;
            if (same) {
                one.group = traits[j].group;
                break;
            }
        }
        traits.push_back(std::move(one));
    }
    return traits;
}

// Code points of the text as sent up to each segment's end; markup does not count.
std::vector<std::size_t> CountThrough(const text::Composition& text, std::size_t all) {
    std::vector<std::size_t> through;
    std::size_t count = 0;
    auto next = text.characters.begin();
    for (const text::Segment& segment : text.segments) {
        for (; next != text.characters.end() && next->begin < segment.end; ++next) {
            count += Utf8Count(next->text);
        }
        through.push_back(std::min(count, all));
    }
    if (!through.empty()) through.back() = all;
    return through;
}

Dictionaries DictionariesOf(const SpeechRequest& request, const text::Script& script,
                            std::vector<std::string>& warnings) {
    Dictionaries dictionaries = request.dictionaries;
    for (const std::string& name : script.lexicons) {
        auto found = request.find_dictionary ? request.find_dictionary(name) : nullptr;
        if (found) {
            dictionaries.push_back(std::move(found));
        } else {
            warnings.push_back(fmt::format("there is no dictionary \"{}\"", name));
        }
    }
    return dictionaries;
}

// All but the text. `language` is what the voice shall speak; empty: its own.
Result<SpeechPlan> MakeSilentPlan(const SpeechRequest& request, const std::string& language,
                                  const engines::VoiceView& voices, const SpeechOptions& options) {
    SpeechPlan plan;
    Result<void> ranges = CheckRanges(request);
    if (!ranges) return std::move(ranges).error();
    Result<engines::Voice> voice = ChooseVoice(request, language, voices, options);
    if (!voice) return std::move(voice).error();
    plan.styles.push_back(MakeStyleVoice(request, language, text::Style(), *std::move(voice)));
    Result<int> rate = audio::CheckRate(request.format, request.sample_rate);
    if (!rate) return std::move(rate).error();
    plan.format = request.format;
    plan.sample_rate = *rate;
    plan.bit_rate = request.bit_rate;
    if (!IsExpressedBy(request, plan.voice())) {
        plan.shaping = {request.shaping.brightness, request.shaping.presence,
                        request.shaping.dynamics};
    }
    plan.expression = request.expression;
    plan.whole = request.whole;
    plan.seed = request.seed;
    plan.wants_timing = request.wants_timing;
    plan.wants_quality = request.wants_quality;
    plan.warnings = request.warnings;
    plan.quality = options.quality;
    return plan;
}

}  // namespace

Result<SpeechPlan> MakePlanWithoutText(const SpeechRequest& request,
                                       const engines::VoiceView& voices,
                                       const SpeechOptions& options) {
    const std::string language = IsAuto(request) ? "" : request.language;
    return MakeSilentPlan(request, language, voices, options);
}

Result<SpeechPlan> MakePlan(const SpeechRequest& request, const engines::VoiceView& voices,
                            const SpeechOptions& options) {
    Result<void> text = CheckText(request);
    if (!text) return std::move(text).error();
    Result<void> turns = CheckTurns(request, voices);
    if (!turns) return std::move(turns).error();
    Result<text::Script> script = ReadScript(request);
    if (!script) return std::move(script).error();
    std::size_t characters = 0;
    for (const text::Piece& piece : script->pieces) characters += Utf8Count(piece.text.text());
    Result<void> length = CheckLength(request, characters);
    if (!length) return std::move(length).error();

    // With "auto" a voice that was asked for speaks what it can; other sentences go to others.
    const bool is_said = !request.language.empty() && !IsAuto(request);
    const std::string language = is_said                                     ? request.language
                                 : IsAuto(request) && !request.voice.empty() ? ""
                                                                             : script->language;
    Result<SpeechPlan> made = MakeSilentPlan(request, language, voices, options);
    if (!made) return made;
    SpeechPlan plan = *std::move(made);
    plan.characters = characters;
    for (std::string& warning : script->warnings) plan.warnings.push_back(std::move(warning));
    for (std::size_t i = 1; i < script->styles.size(); ++i) {
        const text::Style& style = script->styles[i];
        if (!style.manner.empty()) {
            plan.warnings.push_back(fmt::format("no voice can speak \"{}\" yet", style.manner));
        }
        engines::Voice voice = VoiceOf(style, plan.voice(), voices, options, plan.warnings);
        plan.styles.push_back(MakeStyleVoice(request, language, style, std::move(voice)));
    }
    text::ComposeOptions compose;
    compose.split = options.split;
    compose.normalise = request.normalise;
    const Dictionaries dictionaries = DictionariesOf(request, *script, plan.warnings);
    compose.lexicons = dictionaries;
    compose.styles = TraitsOf(plan.styles);
    compose.original = request.text;
    compose.lines_matter = request.markup == Markup::kPlain;
    if (request.markup == Markup::kPlain && request.turns.empty() && !IsAuto(request)) {
        ComposeInContext(request, compose, plan);
    } else {
        plan.text = text::Compose(*script, compose);
    }
    if (plan.text.segments.empty()) {
        return Wrong(
            request.text_field, "text_not_speakable",
            fmt::format("\"{}\" has nothing in it that can be spoken.", request.text_field));
    }
    plan.characters_through = CountThrough(plan.text, plan.characters);
    return plan;
}

}  // namespace vf::speech
