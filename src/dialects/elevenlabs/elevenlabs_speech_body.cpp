#include "dialects/elevenlabs/elevenlabs_speech_body.hpp"

#include <fmt/format.h>

#include <boost/describe.hpp>

#include "base/json_body.hpp"
#include "base/utf8.hpp"
#include "dialects/elevenlabs/elevenlabs_models.hpp"

namespace vf::elevenlabs {

struct LocatorBody {
    json::Required<std::string> pronunciation_dictionary_id;
    std::optional<std::string> version_id;
};
BOOST_DESCRIBE_STRUCT(LocatorBody, (), (pronunciation_dictionary_id, version_id))

struct LocatorsBody {
    std::vector<LocatorBody> pronunciation_dictionary_locators;
};
BOOST_DESCRIBE_STRUCT(LocatorsBody, (), (pronunciation_dictionary_locators))

struct TextBody {
    json::Required<std::string> text;
    std::optional<std::string> model_id;
    std::optional<std::string> language_code;
    json::value voice_settings;
    std::vector<LocatorBody> pronunciation_dictionary_locators;
    std::optional<std::int64_t> seed;
    std::optional<std::string> previous_text;
    std::optional<std::string> next_text;
    std::vector<std::string> previous_request_ids;
    std::vector<std::string> next_request_ids;
    std::optional<std::string> apply_text_normalization;
    std::optional<bool> apply_language_text_normalization;
    std::optional<bool> use_pvc_as_ivc;
};
BOOST_DESCRIBE_STRUCT(TextBody, (),
                      (text, model_id, language_code, voice_settings,
                       pronunciation_dictionary_locators, seed, previous_text, next_text,
                       previous_request_ids, next_request_ids, apply_text_normalization,
                       apply_language_text_normalization, use_pvc_as_ivc))

struct InputBody {
    json::Required<std::string> text;
    json::Required<std::string> voice_id;
};
BOOST_DESCRIBE_STRUCT(InputBody, (), (text, voice_id))

struct DialogueBody {
    json::Required<std::vector<InputBody>> inputs;
    std::optional<std::string> model_id;
    std::optional<std::string> language_code;
    json::value settings;
    std::vector<LocatorBody> pronunciation_dictionary_locators;
    std::optional<std::int64_t> seed;
    std::optional<std::string> apply_text_normalization;
};
BOOST_DESCRIBE_STRUCT(DialogueBody, (),
                      (inputs, model_id, language_code, settings, pronunciation_dictionary_locators,
                       seed, apply_text_normalization))

constexpr std::int64_t kMaxSeed = 4'294'967'295;
constexpr std::size_t kMaxIds = 3;
constexpr std::size_t kMaxIdBytes = 128;

template <class Body>
void CheckCommon(const Body& body, json::Checker& check) {
    check.Range("seed", body.seed, std::int64_t{0}, kMaxSeed);
    const std::string switched = body.apply_text_normalization.value_or("auto");
    if (switched != "auto" && switched != "on" && switched != "off") {
        check.Fail("apply_text_normalization", "not_allowed", "must be auto, on or off.");
    }
}

void CheckBody(const TextBody& body, json::Checker& check) {
    CheckCommon(body, check);
}

void CheckBody(const DialogueBody& body, json::Checker& check) {
    CheckCommon(body, check);
    if (body.inputs->empty() || body.inputs->size() > speech::SpeechRequest::kMaxTurns) {
        check.Fail("inputs", "out_of_range",
                   fmt::format("must have 1 to {} inputs.", speech::SpeechRequest::kMaxTurns));
    }
}

namespace {

Error Meaning(std::string member, std::string code, std::string words) {
    return {ErrorKind::kInvalid,
            code,
            fmt::format("The member {} {}", member, words),
            {{"/" + member, code, words}}};
}

// "true" and "false" as Python and JavaScript print them.
Result<bool> Flag(const http::Request& request, const char* name, bool absent) {
    const std::optional<std::string> text = request.QueryParam(name);
    if (!text || text->empty()) return absent;
    if (*text == "true" || *text == "True" || *text == "1") return true;
    if (*text == "false" || *text == "False" || *text == "0") return false;
    const std::string words = "must be true or false.";
    return Error(ErrorKind::kInvalid, "invalid_request",
                 fmt::format("The query parameter {} {}", name, words),
                 {{name, "not_allowed", words}});
}

Result<void> ReadQuery(const http::Request& request, SpeechBody& out) {
    const Result<OutputFormat> format =
        ReadOutputFormat(request.QueryParam("output_format").value_or(""));
    if (!format) return format.error();
    out.output = *format;
    out.speech.format = format->format;
    out.speech.sample_rate = format->sample_rate;
    out.speech.bit_rate = format->bit_rate;
    const Result<bool> logged = Flag(request, "enable_logging", true);
    if (!logged) return logged.error();
    out.is_logged = *logged;
    const Result<bool> ssml = Flag(request, "enable_ssml_parsing", false);
    if (!ssml) return ssml.error();
    if (*ssml) out.speech.markup = speech::Markup::kSsml;
    return {};
}

Result<std::vector<dictionaries::Locator>> LocatorsOf(const std::vector<LocatorBody>& bodies) {
    if (bodies.size() > dictionaries::kMaxDefaults) {
        return Meaning("pronunciation_dictionary_locators", "invalid_parameters",
                       fmt::format("has {} locators; at most {} are allowed.", bodies.size(),
                                   dictionaries::kMaxDefaults));
    }
    std::vector<dictionaries::Locator> out;
    for (const LocatorBody& body : bodies) {
        dictionaries::Locator locator;
        const auto id = dictionaries::DictionaryId::Parse(*body.pronunciation_dictionary_id);
        if (!id) {
            return Error(ErrorKind::kNotFound, "dictionary_not_found",
                         "There is no pronunciation dictionary with the id \"" +
                             *body.pronunciation_dictionary_id + "\".");
        }
        locator.dictionary = *id;
        if (body.version_id) {
            locator.version = dictionaries::VersionId::Parse(*body.version_id);
            if (!locator.version) {
                return Error(ErrorKind::kNotFound, "dictionary_version_not_found",
                             "There is no version \"" + *body.version_id +
                                 "\" of this pronunciation dictionary.");
            }
        }
        out.push_back(locator);
    }
    return out;
}

template <class Body>
Result<void> ReadCommon(const Body& body, std::string_view default_model, SpeechBody& out) {
    speech::SpeechRequest& speech = out.speech;
    speech.model = body.model_id.value_or(std::string(default_model));
    const Result<std::size_t> most = ModelCharacters(speech.model);
    if (!most) return most.error();
    speech.max_characters = *most;
    speech.language = body.language_code.value_or("");
    if (body.seed) speech.seed = static_cast<std::uint32_t>(*body.seed);
    speech.normalise.enabled = body.apply_text_normalization != "off";
    Result<std::vector<dictionaries::Locator>> locators =
        LocatorsOf(body.pronunciation_dictionary_locators);
    if (!locators) return std::move(locators).error();
    out.dictionaries = *std::move(locators);
    return {};
}

Result<std::vector<std::string>> RequestIds(const char* member, std::vector<std::string> ids,
                                            const std::string& model) {
    if (ids.empty()) return ids;
    if (ids.size() > kMaxIds) {
        return Meaning(member, "invalid_parameters",
                       fmt::format("has {} ids; at most {} are allowed.", ids.size(), kMaxIds));
    }
    if (model == kDialogueModel) {
        return Meaning(member, "invalid_parameters", "cannot be used with the model eleven_v3.");
    }
    for (const std::string& id : ids) {
        if (id.empty() || id.size() > kMaxIdBytes || Utf8FindInvalid(id) ||
            id.find('\0') != std::string::npos) {
            return Meaning(member, "invalid_parameters",
                           "holds what is no request id: they come in the header request-id.");
        }
    }
    return ids;
}

}  // namespace

Result<SpeechBody> ReadSpeech(const http::Request& request) {
    SpeechBody out;
    if (const auto query = ReadQuery(request, out); !query) return query.error();
    Result<TextBody> read = json::ReadBody<TextBody>(request.body, json::Members::kOpen);
    if (!read) return std::move(read).error();
    TextBody& body = *read;
    if (const auto common = ReadCommon(body, kDefaultModel, out); !common) return common.error();
    speech::SpeechRequest& speech = out.speech;
    speech.voice = std::string(request.PathParam("voice_id"));
    speech.text = std::move(body.text.value);
    out.voice_settings = std::move(body.voice_settings);
    auto previous =
        RequestIds("previous_request_ids", std::move(body.previous_request_ids), speech.model);
    if (!previous) return std::move(previous).error();
    auto next = RequestIds("next_request_ids", std::move(body.next_request_ids), speech.model);
    if (!next) return std::move(next).error();
    out.previous_ids = *std::move(previous);
    out.next_ids = *std::move(next);
    speech.previous_text = body.previous_text.value_or("");
    speech.next_text = body.next_text.value_or("");
    for (const std::string* text : {&speech.previous_text, &speech.next_text}) {
        if (Utf8FindInvalid(*text)) {
            return Meaning(text == &speech.next_text ? "next_text" : "previous_text",
                           "invalid_parameters", "is not valid UTF-8.");
        }
    }
    return out;
}

Result<SpeechBody> ReadDialogue(const http::Request& request) {
    SpeechBody out;
    if (const auto query = ReadQuery(request, out); !query) return query.error();
    if (out.speech.markup == speech::Markup::kSsml) {
        const std::string words =
            "is for text to speech only: a dialogue's voices stand in inputs.";
        return Error(ErrorKind::kInvalid, "invalid_parameters",
                     "The query parameter enable_ssml_parsing " + words,
                     {{"enable_ssml_parsing", "invalid_parameters", words}});
    }
    Result<DialogueBody> read = json::ReadBody<DialogueBody>(request.body, json::Members::kOpen);
    if (!read) return std::move(read).error();
    DialogueBody& body = *read;
    if (const auto common = ReadCommon(body, kDialogueModel, out); !common) return common.error();
    speech::SpeechRequest& speech = out.speech;
    speech.text_field = "inputs";
    json::array dialogue;
    for (std::size_t i = 0; i < body.inputs->size(); ++i) {
        const InputBody& input = (*body.inputs)[i];
        if (input.text->empty()) {
            const std::string words = "is empty: there is nothing to speak.";
            const std::string path = fmt::format("/inputs/{}/text", i);
            return Error(ErrorKind::kInvalid, "text_empty", path + " " + words,
                         {{path, "text_empty", words}});
        }
        if (input.voice_id->empty()) {
            return Error(ErrorKind::kNotFound, "voice_not_found",
                         fmt::format("/inputs/{}/voice_id is empty.", i));
        }
        if (const auto bad = Utf8FindInvalid(*input.text)) {
            const std::string words = fmt::format("is not valid UTF-8 (byte {}).", *bad);
            const std::string path = fmt::format("/inputs/{}/text", i);
            return Error(ErrorKind::kInvalid, "invalid_utf8", path + " " + words,
                         {{path, "invalid_utf8", words}});
        }
        speech.text += *input.text;
        speech.turns.push_back({speech.text.size(), *input.voice_id});
        dialogue.push_back(json::object{
            {"text", *input.text}, {"voice_id", *input.voice_id}, {"voice_name", *input.voice_id}});
    }
    speech.voice = speech.turns.front().voice;
    out.dialogue = std::move(dialogue);
    out.voice_settings = std::move(body.settings);
    return out;
}

Result<std::vector<dictionaries::Locator>> ReadLocators(const json::value& locators) {
    if (locators.is_null()) return std::vector<dictionaries::Locator>();
    const std::string text =
        json::Print(json::object{{"pronunciation_dictionary_locators", locators}});
    Result<LocatorsBody> body = json::ReadBody<LocatorsBody>(text, json::Members::kOpen);
    if (!body) return std::move(body).error();
    return LocatorsOf(body->pronunciation_dictionary_locators);
}

}  // namespace vf::elevenlabs
