#include "dialects/cartesia/generation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/describe.hpp>
#include <cmath>

#include "audio/gain.hpp"
#include "base/json_body.hpp"
#include "base/utf8.hpp"
#include "speech/catalogue_match.hpp"

namespace vf::cartesia {

struct ConfigBody {
    std::optional<double> speed;
    std::optional<double> volume;
    json::value emotion;
};
BOOST_DESCRIBE_STRUCT(ConfigBody, (), (speed, volume, emotion))

struct FormatBody {
    json::Required<std::string> container;
    std::optional<std::string> encoding;
    json::Required<std::int64_t> sample_rate;
    std::optional<std::int64_t> bit_rate;
};
BOOST_DESCRIBE_STRUCT(FormatBody, (), (container, encoding, sample_rate, bit_rate))

struct GenerationBody {
    json::Required<std::string> model_id;
    json::Required<std::string> transcript;
    json::Required<json::value> voice;
    json::Required<FormatBody> output_format;
    std::optional<std::string> language;
    std::optional<std::string> locale;
    std::optional<ConfigBody> generation_config;
    json::value speed;
    std::optional<std::string> pronunciation_dict_id;
    std::optional<std::string> normalization;
    bool save = false;
    bool add_timestamps = false;
    bool add_phoneme_timestamps = false;
    bool use_normalized_timestamps = false;
    std::optional<std::string> context_id;
    bool flush = false;
    std::optional<std::int64_t> max_buffer_delay_ms;
};
BOOST_DESCRIBE_STRUCT(GenerationBody, (),
                      (model_id, transcript, voice, output_format, language, locale,
                       generation_config, speed, pronunciation_dict_id, normalization, save,
                       add_timestamps, add_phoneme_timestamps, use_normalized_timestamps,
                       context_id, flush, max_buffer_delay_ms))

constexpr std::array<std::int64_t, 6> kRates = {8000, 16000, 22050, 24000, 44100, 48000};
constexpr std::array<std::int64_t, 5> kBitRates = {32000, 64000, 96000, 128000, 192000};
constexpr std::size_t kMaxId = 256;  // bytes
constexpr std::int64_t kMaxDelay = 5'000;

struct Encoding {
    std::string_view name;
    audio::Format raw;
    audio::Format wav;
};
constexpr std::array<Encoding, 4> kEncodings = {{
    {"pcm_s16le", audio::Format::kPcm, audio::Format::kWav},
    {"pcm_f32le", audio::Format::kPcmFloat, audio::Format::kWavFloat},
    {"pcm_mulaw", audio::Format::kPcmu, audio::Format::kWavUlaw},
    {"pcm_alaw", audio::Format::kPcma, audio::Format::kWavAlaw},
}};

const Encoding* FindEncoding(const std::optional<std::string>& name) {
    const auto found = std::ranges::find(kEncodings, name.value_or(""), &Encoding::name);
    return found == kEncodings.end() ? nullptr : &*found;
}

void CheckBody(const FormatBody& body, json::Checker& check) {
    const std::string& container = *body.container;
    if (container != "raw" && container != "wav" && container != "mp3") {
        check.Fail("container", "not_allowed", "must be raw, wav or mp3.");
        return;
    }
    if (std::ranges::find(kRates, *body.sample_rate) == kRates.end()) {
        check.Fail("sample_rate", "not_allowed",
                   "must be 8000, 16000, 22050, 24000, 44100 or 48000.");
    }
    if (container == "mp3") {
        if (std::ranges::find(kBitRates, body.bit_rate.value_or(128'000)) == kBitRates.end()) {
            check.Fail("bit_rate", "not_allowed", "must be 32000, 64000, 96000, 128000 or 192000.");
        }
    } else if (!FindEncoding(body.encoding)) {
        check.Fail("encoding", body.encoding ? "not_allowed" : "required",
                   "must be pcm_s16le, pcm_f32le, pcm_mulaw or pcm_alaw.");
    }
}

void CheckBody(const ConfigBody& body, json::Checker& check) {
    check.Range("speed", body.speed, 0.6, 1.5);
    check.Range("volume", body.volume, 0.5, 2.0);
    // Older clients send a list of them.
    if (!body.emotion.is_null() && !body.emotion.is_string() && !body.emotion.is_array()) {
        check.Fail("emotion", "wrong_type", "must be a string.");
    }
}

// "slt" or {"id": "slt"}, also with {"mode": "id"}; empty when it is neither.
std::string VoiceId(const json::value& voice) {
    if (voice.is_string()) return std::string(voice.get_string());
    if (!voice.is_object()) return {};
    const json::value* id = voice.get_object().if_contains("id");
    return id && id->is_string() ? std::string(id->get_string()) : std::string();
}

void CheckBody(const GenerationBody& body, json::Checker& check) {
    if (body.model_id->empty() || body.model_id->size() > kMaxId) {
        check.Fail("model_id", "out_of_range", "must have 1 to 256 bytes.");
    }
    if (VoiceId(*body.voice).empty()) {
        check.Fail(
            "voice", "wrong_type",
            "must be a voice's id, or an object with it as \"id\"; embeddings are not known.");
    }
    if (body.language && body.locale) {
        check.Fail("locale", "not_allowed", "must not be there beside language; send one of them.");
    }
    const std::string normalisation = body.normalization.value_or("auto");
    if (normalisation != "auto" && normalisation != "off" &&
        !speech::IsLanguageTag(normalisation)) {
        check.Fail("normalization", "not_allowed", "must be auto, off or a locale such as en-GB.");
    }
    const bool is_named = body.speed == "slow" || body.speed == "normal" || body.speed == "fast";
    if (!body.speed.is_null() && !is_named) {
        check.Fail("speed", "not_allowed",
                   "must be slow, normal or fast; a number goes into generation_config.");
    }
    if (body.context_id && (body.context_id->empty() || body.context_id->size() > kMaxId)) {
        check.Fail("context_id", "out_of_range", "must have 1 to 256 bytes.");
    }
    check.Range("max_buffer_delay_ms", body.max_buffer_delay_ms, std::int64_t{0}, kMaxDelay);
}

namespace {

constexpr double kSlow = 0.8;
constexpr double kFast = 1.25;

void ReadFormat(const FormatBody& body, speech::SpeechRequest& speech) {
    speech.sample_rate = static_cast<int>(*body.sample_rate);
    if (*body.container == "mp3") {
        speech.format = audio::Format::kMp3;
        speech.bit_rate = static_cast<int>(body.bit_rate.value_or(128'000));
        // What MPEG-2 and 2.5 layer III can have at these rates.
        if (speech.sample_rate < 16'000) speech.bit_rate = std::min(speech.bit_rate, 64'000);
        if (speech.sample_rate < 32'000) speech.bit_rate = std::min(speech.bit_rate, 160'000);
        return;
    }
    const Encoding& encoding = *FindEncoding(body.encoding);
    speech.format = *body.container == "raw" ? encoding.raw : encoding.wav;
}

void ReadSound(const GenerationBody& body, speech::SpeechRequest& speech) {
    if (body.speed == "slow") speech.speed = kSlow;
    if (body.speed == "fast") speech.speed = kFast;
    if (!body.generation_config) return;
    const ConfigBody& config = *body.generation_config;
    if (config.speed) speech.speed = *config.speed;
    if (config.volume) speech.volume = audio::LinearToDb(*config.volume);
    if (!config.emotion.is_null() && config.emotion != "neutral") {
        speech.warnings.emplace_back(
            "generation_config.emotion is not acted on: no voice here has emotions");
    }
}

// The language is ignored where the voice does not speak it.
Result<void> ReadVoice(const GenerationBody& body, const engines::VoiceView& voices,
                       speech::SpeechRequest& speech) {
    speech.voice = VoiceId(*body.voice);
    const engines::Voice* voice = voices.Find(speech.voice);
    if (!voice) {
        return Error(ErrorKind::kNotFound, "voice_not_found",
                     fmt::format("There is no voice with the id \"{}\". GET /voices lists them.",
                                 speech.voice));
    }
    speech.language = body.language.value_or(body.locale.value_or(""));
    if (!speech.language.empty() && speech::IsLanguageTag(speech.language) &&
        speech::LanguageMatch(*voice, speech.language) == 0) {
        speech.warnings.push_back(
            fmt::format("the voice {} does not speak {}; it reads its own "
                        "language, {}",
                        voice->id, speech.language, voice->languages.front()));
        speech.language.clear();
    }
    return {};
}

Error WrongFormat(std::string words) {
    return {ErrorKind::kInvalid,
            "invalid_request",
            "The member /output_format/container " + words,
            {{"/output_format/container", "not_allowed", words}}};
}

Result<Generation> FromBody(GenerationBody body, Containers containers,
                            const engines::VoiceView& voices) {
    if (containers == Containers::kRawOnly && *body.output_format->container != "raw") {
        return WrongFormat("must be raw here; POST /tts/bytes has wav and mp3.");
    }
    Generation out;
    speech::SpeechRequest& speech = out.speech;
    const Result<void> voice = ReadVoice(body, voices, speech);
    if (!voice) return voice.error();
    if (body.pronunciation_dict_id) {
        const auto id = dictionaries::DictionaryId::Parse(*body.pronunciation_dict_id);
        if (!id) {
            return Error(ErrorKind::kNotFound, "dictionary_not_found",
                         "There is no pronunciation dictionary with the id \"" +
                             *body.pronunciation_dict_id + "\".");
        }
        out.dictionaries.push_back({*id, std::nullopt});
    }
    ReadFormat(*body.output_format, speech);
    ReadSound(body, speech);
    speech.text = std::move(body.transcript.value);
    speech.text_field = "transcript";
    speech.model = std::move(body.model_id.value);
    speech.max_characters = kMaxTranscript;
    speech.normalise.enabled = body.normalization != "off";
    speech.wants_timing = body.add_timestamps || body.add_phoneme_timestamps;
    if (body.save) speech.warnings.emplace_back("save is not acted on: audio is not kept here");
    out.context = std::move(body.context_id);
    out.wants_words = body.add_timestamps;
    out.wants_phonemes = body.add_phoneme_timestamps;
    out.is_normalised = body.use_normalized_timestamps;
    out.flushes = body.flush;
    if (body.max_buffer_delay_ms) {
        out.max_delay = std::chrono::milliseconds(*body.max_buffer_delay_ms);
    }
    return out;
}

Error WrongMessage(std::string member, std::string code, std::string words) {
    std::string message = "The member /" + member + " " + words;
    return {ErrorKind::kInvalid,
            "invalid_request",
            std::move(message),
            {{"/" + member, std::move(code), std::move(words)}}};
}

// `continue` cannot be a member of a struct; it and what a cancel has are read by hand.
Result<bool> ReadFlag(const json::object& message, const char* name) {
    const json::value* found = message.if_contains(name);
    if (!found || found->is_null()) return false;
    if (found->is_bool()) return found->get_bool();
    return WrongMessage(name, "wrong_type", "must be true or false.");
}

}  // namespace

Result<Generation> ReadGeneration(std::string_view body, Containers containers,
                                  const engines::VoiceView& voices) {
    Result<GenerationBody> read = json::ReadBody<GenerationBody>(body, json::Members::kOpen);
    if (!read) return std::move(read).error();
    return FromBody(*std::move(read), containers, voices);
}

Result<ClientMessage> ReadClientMessage(std::string_view text, const engines::VoiceView& voices) {
    Result<json::Parsed> parsed = json::Parse(text);
    if (!parsed) return std::move(parsed).error();
    if (!parsed->root.is_object()) {
        return Error(ErrorKind::kInvalid, "invalid_request", "A message must be a JSON object.");
    }
    const json::object& object = parsed->root.get_object();
    const json::value* id = object.if_contains("context_id");
    if (!id || !id->is_string() || id->get_string().empty() || id->get_string().size() > kMaxId) {
        return WrongMessage("context_id", id ? "wrong_type" : "required",
                            "must be a string of 1 to 256 bytes: every message belongs to a "
                            "context.");
    }
    ClientMessage out;
    out.context = std::string(id->get_string());
    const Result<bool> cancel = ReadFlag(object, "cancel");
    const Result<bool> continues = ReadFlag(object, "continue");
    if (!cancel) out.error = cancel.error();
    if (!continues) out.error = continues.error();
    if (out.error) return out;
    out.is_cancel = *cancel;
    if (out.is_cancel) return out;
    Result<Generation> generation = ReadGeneration(text, Containers::kRawOnly, voices);
    if (generation) {
        out.generation = *std::move(generation);
        out.generation.continues = *continues;
    } else {
        out.error = generation.error();
    }
    return out;
}

Result<void> CheckVersion(const http::Request& request) {
    std::string version(request.headers.Get("Cartesia-Version"));
    if (version.empty()) version = request.QueryParam("cartesia_version").value_or("");
    if (version.empty()) return {};
    constexpr std::string_view kShape = "dddd-dd-dd";
    bool fits = version.size() == kShape.size();
    for (std::size_t i = 0; fits && i < kShape.size(); ++i) {
        fits = kShape[i] == '-' ? version[i] == '-' : version[i] >= '0' && version[i] <= '9';
    }
    if (fits) return {};
    const std::string words = "must be a date such as 2026-08-14.";
    return Error(ErrorKind::kInvalid, "invalid_version", "The header Cartesia-Version " + words,
                 {{"Cartesia-Version", "invalid_version", words}});
}

}  // namespace vf::cartesia
