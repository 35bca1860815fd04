// The JSON payloads of the worker protocol.
#include <algorithm>
#include <cmath>

#include "base/json_body.hpp"
#include "base/utf8.hpp"
#include "engines/protocol.hpp"

namespace vf::engines {
namespace {

using json::Required;

constexpr std::size_t kMaxNameBytes = 64;
constexpr std::size_t kMaxStyleBytes = 64;
constexpr std::size_t kMaxProseBytes = 400;
constexpr double kLowestRange = 0.1;
constexpr double kHighestRange = 4;

struct VoiceBody {
    Required<std::string> id, name;
    Required<std::vector<std::string>> languages;
    Required<std::string> gender, quality;
    Required<std::int32_t> sample_rate;
    Required<std::string> licence, description;
    bool ascii_text = false;
    Required<double> gain_db, speed_min, speed_max, pitch_min, pitch_max;
    double pitch_range_min = 1, pitch_range_max = 1;
    std::string phoneme_alphabet;
    bool tells_times = true;
    std::string technology = "unknown";
    std::string age, style;
    bool is_limited = false;
    std::string revision;
};
BOOST_DESCRIBE_STRUCT(VoiceBody, (),
                      (id, name, languages, gender, quality, sample_rate, licence, description,
                       ascii_text, gain_db, speed_min, speed_max, pitch_min, pitch_max,
                       pitch_range_min, pitch_range_max, phoneme_alphabet, tells_times, technology,
                       age, style, is_limited, revision))

struct HelloBody {
    Required<std::int32_t> protocol;
    Required<std::string> engine, version, licence;
    Required<std::vector<VoiceBody>> voices;
};
BOOST_DESCRIBE_STRUCT(HelloBody, (), (protocol, engine, version, licence, voices))

struct PronunciationBody {
    Required<std::uint32_t> begin, end;
    Required<std::string> phonemes;
};
BOOST_DESCRIBE_STRUCT(PronunciationBody, (), (begin, end, phonemes))

struct InputBody {
    Required<std::uint64_t> size;
    Required<std::int32_t> sample_rate;
    Required<std::uint32_t> max_seconds;
};
BOOST_DESCRIBE_STRUCT(InputBody, (), (size, sample_rate, max_seconds))

struct RequestBody {
    Required<std::string> voice, text;
    Required<double> speed, pitch;
    Required<bool> events;
    double pitch_range = 1;
    std::vector<PronunciationBody> pronunciations;
    std::optional<std::uint32_t> seed;
    std::optional<InputBody> input;
};
BOOST_DESCRIBE_STRUCT(RequestBody, (),
                      (voice, text, speed, pitch, events, pitch_range, pronunciations, seed, input))

struct DoneBody {
    Required<std::uint64_t> samples, cpu_us;
    Required<bool> cancelled;
};
BOOST_DESCRIBE_STRUCT(DoneBody, (), (samples, cpu_us, cancelled))

struct ErrorBody {
    Required<std::string> code, message;
};
BOOST_DESCRIBE_STRUCT(ErrorBody, (), (code, message))

Error Broken(std::string message) {
    return Error(ErrorKind::kInvalid, "protocol_error", std::move(message));
}

// The names of wrong members, never their values: a request's text must not get into a message.
template <class Body>
Result<Body> Read(std::string_view payload) {
    Result<Body> body = json::ReadBody<Body>(payload, json::Members::kClosed);
    if (!body) return Broken("A frame's JSON is wrong: " + body.error().code());
    return body;
}

bool IsId(std::string_view text) {
    return !text.empty() && text.size() <= kMaxNameBytes && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    });
}

bool IsProse(std::string_view text, std::size_t most) {
    return text.size() <= most && std::ranges::none_of(text, [](char c) {
               return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
           });
}

bool IsLanguage(std::string_view tag) {
    return !tag.empty() && tag.size() <= 35 && std::ranges::all_of(tag, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-';
    });
}

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> allowed) {
    return std::ranges::find(allowed, text) != allowed.end();
}

bool IsSound(const VoiceBody& voice) {
    return IsId(*voice.id) && IsProse(*voice.name, kMaxNameBytes) && !voice.name->empty() &&
           !voice.languages->empty() && voice.languages->size() <= 16 &&
           std::ranges::all_of(*voice.languages, IsLanguage) &&
           (*voice.gender == "female" || *voice.gender == "male" || *voice.gender == "neutral") &&
           IsOneOf(*voice.quality, {"basic", "standard", "high"}) && *voice.sample_rate >= 8'000 &&
           *voice.sample_rate <= 96'000 && IsProse(*voice.licence, kMaxNameBytes) &&
           IsProse(*voice.description, kMaxProseBytes) && std::abs(*voice.gain_db) <= 40 &&
           *voice.speed_min > 0 && *voice.speed_min <= 1 && *voice.speed_max >= 1 &&
           *voice.speed_max <= 10 && *voice.pitch_min >= -36 && *voice.pitch_min <= 0 &&
           *voice.pitch_max >= 0 && *voice.pitch_max <= 36 &&
           voice.pitch_range_min >= kLowestRange && voice.pitch_range_min <= 1 &&
           voice.pitch_range_max >= 1 && voice.pitch_range_max <= kHighestRange &&
           (voice.phoneme_alphabet.empty() || IsId(voice.phoneme_alphabet)) &&
           IsOneOf(voice.technology, {"formant", "diphone", "statistical", "neural", "unknown"}) &&
           IsOneOf(voice.age, {"", "young", "adult", "old"}) &&
           IsProse(voice.style, kMaxStyleBytes) && IsProse(voice.revision, kMaxNameBytes);
}

Voice ToVoice(VoiceBody& body, const std::string& engine) {
    Voice voice;
    voice.id = std::move(body.id.value);
    voice.name = std::move(body.name.value);
    voice.languages = std::move(body.languages.value);
    voice.gender = std::move(body.gender.value);
    voice.engine = engine;
    voice.quality = std::move(body.quality.value);
    voice.sample_rate = *body.sample_rate;
    voice.licence = std::move(body.licence.value);
    voice.description = std::move(body.description.value);
    voice.ascii_text = body.ascii_text;
    voice.gain_db = *body.gain_db;
    voice.speed_min = *body.speed_min;
    voice.speed_max = *body.speed_max;
    voice.pitch_min = *body.pitch_min;
    voice.pitch_max = *body.pitch_max;
    voice.pitch_range_min = body.pitch_range_min;
    voice.pitch_range_max = body.pitch_range_max;
    voice.phoneme_alphabet = std::move(body.phoneme_alphabet);
    voice.tells_times = body.tells_times;
    voice.technology = std::move(body.technology);
    voice.age = std::move(body.age);
    voice.style = std::move(body.style);
    voice.is_limited = body.is_limited;
    voice.revision = std::move(body.revision);
    return voice;
}

}  // namespace

std::string EncodeHello(const Hello& hello) {
    json::array voices;
    for (const Voice& voice : hello.voices) {
        json::array languages;
        for (const std::string& tag : voice.languages) languages.emplace_back(tag);
        voices.push_back(json::object{{"id", voice.id},
                                      {"name", voice.name},
                                      {"languages", std::move(languages)},
                                      {"gender", voice.gender},
                                      {"quality", voice.quality},
                                      {"sample_rate", voice.sample_rate},
                                      {"licence", voice.licence},
                                      {"description", voice.description},
                                      {"ascii_text", voice.ascii_text},
                                      {"gain_db", voice.gain_db},
                                      {"speed_min", voice.speed_min},
                                      {"speed_max", voice.speed_max},
                                      {"pitch_min", voice.pitch_min},
                                      {"pitch_max", voice.pitch_max},
                                      {"pitch_range_min", voice.pitch_range_min},
                                      {"pitch_range_max", voice.pitch_range_max},
                                      {"phoneme_alphabet", voice.phoneme_alphabet},
                                      {"tells_times", voice.tells_times},
                                      {"technology", voice.technology},
                                      {"age", voice.age},
                                      {"style", voice.style},
                                      {"is_limited", voice.is_limited},
                                      {"revision", voice.revision}});
    }
    const json::object body{{"protocol", hello.protocol},
                            {"engine", hello.engine},
                            {"version", hello.version},
                            {"licence", hello.licence},
                            {"voices", std::move(voices)}};
    return EncodeFrame(FrameType::kHello, 0, json::Print(body));
}

Result<Hello> DecodeHello(std::string_view payload) {
    Result<HelloBody> body = Read<HelloBody>(payload);
    if (!body) return std::move(body).error();
    if (*body->protocol != kProtocolVersion) return Broken("The worker speaks another version.");
    if (!IsId(*body->engine) || !IsProse(*body->version, kMaxNameBytes) ||
        !IsProse(*body->licence, kMaxNameBytes) || body->voices->size() > kMaxVoices) {
        return Broken("A hello's values are wrong.");
    }
    Hello hello;
    hello.engine = *body->engine;
    hello.version = *body->version;
    hello.licence = *body->licence;
    for (VoiceBody& voice : body->voices.value) {
        if (!IsSound(voice)) return Broken("A hello's voice is wrong.");
        hello.voices.push_back(ToVoice(voice, hello.engine));
    }
    return hello;
}

Result<void> CheckPronunciations(std::span<const Pronunciation> pronunciations,
                                 std::string_view text) {
    const auto wrong = [](std::string message) {
        return Error(ErrorKind::kInvalid, "invalid_pronunciation", std::move(message));
    };
    if (pronunciations.size() > kMaxPronunciations) {
        return wrong("One segment has at most 64 pronunciations.");
    }
    std::size_t last = 0;
    for (const Pronunciation& one : pronunciations) {
        if (one.begin < last || one.end <= one.begin || one.end > text.size() ||
            Utf8Floor(text, one.begin) != one.begin || Utf8Floor(text, one.end) != one.end) {
            return wrong("A pronunciation's place in the text is wrong.");
        }
        last = one.end;
        if (one.phonemes.empty() || !IsProse(one.phonemes, kMaxPhonemesBytes) ||
            Utf8FindInvalid(one.phonemes)) {
            return wrong("Phonemes are empty, too long or no text.");
        }
    }
    return {};
}

std::string EncodeRequest(std::uint32_t id, const Request& request) {
    json::object body{{"voice", request.voice},   {"text", request.text},
                      {"speed", request.speed},   {"pitch", request.pitch},
                      {"events", request.events}, {"pitch_range", request.pitch_range}};
    if (!request.pronunciations.empty()) {
        json::array list;
        for (const Pronunciation& one : request.pronunciations) {
            list.push_back(
                json::object{{"begin", one.begin}, {"end", one.end}, {"phonemes", one.phonemes}});
        }
        body["pronunciations"] = std::move(list);
    }
    if (request.seed) body["seed"] = *request.seed;
    if (request.input) {
        body["input"] = json::object{{"size", request.input->size},
                                     {"sample_rate", request.input->sample_rate},
                                     {"max_seconds", request.input->max_seconds}};
    }
    return EncodeFrame(FrameType::kRequest, id, json::Print(body));
}

Result<Request> DecodeRequest(std::string_view payload) {
    Result<RequestBody> body = Read<RequestBody>(payload);
    if (!body) return std::move(body).error();
    const std::size_t most = body->input ? kMaxAlignedTextBytes : kMaxTextBytes;
    if (!IsId(*body->voice) || body->text->empty() || body->text->size() > most ||
        body->text->find('\0') != std::string::npos || *body->speed < 0.1 || *body->speed > 10 ||
        std::abs(*body->pitch) > 36 || body->pitch_range < kLowestRange ||
        body->pitch_range > kHighestRange) {
        return Broken("A request's values are out of range.");
    }
    std::optional<Input> input;
    if (body->input) {
        input = Input{nullptr, *body->input->size, *body->input->sample_rate,
                      *body->input->max_seconds};
        const bool has_rate = input->sample_rate >= 8'000 && input->sample_rate <= 96'000;
        if (input->size == 0 || input->size > kMaxInputBytes ||
            (input->sample_rate != 0 && !has_rate) || input->max_seconds > 3'600) {
            return Broken("A request's input is out of range.");
        }
    }
    std::vector<Pronunciation> pronunciations;
    for (PronunciationBody& one : body->pronunciations) {
        pronunciations.push_back({*one.begin, *one.end, std::move(one.phonemes.value)});
    }
    const Result<void> checked = CheckPronunciations(pronunciations, *body->text);
    if (!checked) return Broken("A request's pronunciations are wrong.");
    return Request{std::move(body->voice.value),
                   std::move(body->text.value),
                   *body->speed,
                   *body->pitch,
                   *body->events,
                   body->pitch_range,
                   std::move(pronunciations),
                   body->seed,
                   std::move(input)};
}

std::string EncodeDone(std::uint32_t id, const Done& done) {
    const json::object body{
        {"samples", done.samples}, {"cpu_us", done.cpu_us}, {"cancelled", done.cancelled}};
    return EncodeFrame(FrameType::kDone, id, json::Print(body));
}

Result<Done> DecodeDone(std::string_view payload) {
    Result<DoneBody> body = Read<DoneBody>(payload);
    if (!body) return std::move(body).error();
    return Done{*body->samples, *body->cpu_us, *body->cancelled};
}

std::string EncodeError(std::uint32_t id, const WorkerError& error) {
    const json::object body{{"code", error.code}, {"message", error.message}};
    return EncodeFrame(FrameType::kError, id, json::Print(body));
}

Result<WorkerError> DecodeError(std::string_view payload) {
    Result<ErrorBody> body = Read<ErrorBody>(payload);
    if (!body) return std::move(body).error();
    if (!IsId(*body->code) || !IsProse(*body->message, kMaxProseBytes)) {
        return Broken("An error's values are wrong.");
    }
    return WorkerError{std::move(body->code.value), std::move(body->message.value)};
}

}  // namespace vf::engines
