#include "vendors/vendors_body.hpp"

#include <boost/describe.hpp>

#include "base/json_body.hpp"
#include "base/rfc3339.hpp"

namespace vf::vendors {

struct VoiceBody {
    json::Required<std::string> id;
    std::string name;
    std::vector<std::string> languages;
    std::string gender;
};
BOOST_DESCRIBE_STRUCT(VoiceBody, (), (id, name, languages, gender))

struct PriceBody {
    json::Required<std::int64_t> per_million;
    json::Required<std::string> currency;
};
BOOST_DESCRIBE_STRUCT(PriceBody, (), (per_million, currency))

struct ConnectionBody {
    json::Required<std::string> vendor;
    json::Required<std::string> name;
    json::Required<std::string> api_key;
    std::optional<std::string> base_url;
    std::optional<std::string> model;
    std::optional<std::vector<VoiceBody>> voices;
    std::optional<PriceBody> price;
    std::optional<int> fallback;
};
BOOST_DESCRIBE_STRUCT(ConnectionBody, (),
                      (vendor, name, api_key, base_url, model, voices, price, fallback))

void CheckBody(const ConnectionBody& body, json::Checker& check) {
    if (!ParseVendor(*body.vendor)) {
        check.Fail("vendor", "not_allowed", "must be elevenlabs, openai or cartesia.");
    }
}

struct ChangeBody {
    std::optional<std::string> name;
    std::optional<std::string> api_key;
    std::optional<std::string> base_url;
    std::optional<std::string> model;
    std::optional<std::vector<VoiceBody>> voices;
    bool fetch_voices = false;
    std::optional<PriceBody> price;
    std::optional<int> fallback;
};
BOOST_DESCRIBE_STRUCT(ChangeBody, (),
                      (name, api_key, base_url, model, voices, fetch_voices, price, fallback))

void CheckBody(const ChangeBody& body, json::Checker& check) {
    if (body.fetch_voices && body.voices) {
        check.Fail("fetch_voices", "not_allowed", "and a list of voices exclude each other.");
    }
}

namespace {

std::optional<std::vector<VendorVoice>> VoicesOf(std::optional<std::vector<VoiceBody>>& bodies) {
    if (!bodies) return std::nullopt;
    std::vector<VendorVoice> voices;
    for (VoiceBody& body : *bodies) {
        VendorVoice voice;
        voice.id = std::move(body.id.value);
        voice.name = body.name.empty() ? voice.id : std::move(body.name);
        voice.languages = std::move(body.languages);
        if (!body.gender.empty()) voice.gender = std::move(body.gender);
        voices.push_back(std::move(voice));
    }
    return voices;
}

std::optional<Price> PriceOf(std::optional<PriceBody>& body) {
    if (!body) return std::nullopt;
    return Price{*body->per_million, std::move(body->currency.value)};
}

bool IsNull(const json::value& body, std::string_view name) {
    const json::value* found = body.get_object().if_contains(name);
    return found && found->is_null();
}

}  // namespace

json::object ToJson(const Connection& connection) {
    json::array voices;
    for (const VendorVoice& voice : connection.voices) {
        json::array languages;
        for (const std::string& tag : voice.languages) languages.emplace_back(tag);
        voices.push_back(json::object{{"id", voice.id},
                                      {"voice", connection.name + ":" + voice.id},
                                      {"name", voice.name},
                                      {"languages", std::move(languages)},
                                      {"gender", voice.gender}});
    }
    json::value price;
    if (connection.price) {
        price = {{"per_million", connection.price->per_million},
                 {"currency", connection.price->currency}};
    }
    json::value fallback;
    if (connection.fallback) fallback = *connection.fallback;
    json::value error;
    if (connection.last_error) {
        error = {{"code", connection.last_error->code},
                 {"message", connection.last_error->message},
                 {"at", Rfc3339(connection.last_error->at)}};
    }
    return {{"id", connection.id.Wire()},
            {"vendor", VendorName(connection.vendor)},
            {"name", connection.name},
            {"base_url", connection.base_url},
            {"key_hint", connection.key_hint},
            {"model", connection.model},
            {"voices", std::move(voices)},
            {"price", std::move(price)},
            {"fallback", std::move(fallback)},
            {"last_error", std::move(error)},
            {"created_by", connection.created_by},
            {"created_at", Rfc3339(connection.created_at)},
            {"updated_at", Rfc3339(connection.updated_at)}};
}

json::object ToJson(const TestResult& result) {
    return {{"voice", result.voice},
            {"first_audio_ms", result.first_audio_ms},
            {"audio_ms", result.audio_ms}};
}

Result<NewConnection> ReadNewConnection(std::string_view body) {
    Result<ConnectionBody> read = json::ReadBody<ConnectionBody>(body, json::Members::kClosed);
    if (!read) return std::move(read).error();
    NewConnection out;
    out.vendor = *ParseVendor(*read->vendor);
    out.name = std::move(read->name.value);
    out.api_key = std::move(read->api_key.value);
    out.base_url = read->base_url.value_or("");
    out.model = read->model.value_or("");
    out.voices = VoicesOf(read->voices);
    out.price = PriceOf(read->price);
    out.fallback = read->fallback;
    return out;
}

Result<ConnectionChange> ReadChange(std::string_view body) {
    Result<ChangeBody> read = json::ReadBody<ChangeBody>(body, json::Members::kClosed);
    if (!read) return std::move(read).error();
    const Result<json::Parsed> parsed = json::Parse(body);
    if (!parsed) return parsed.error();
    ConnectionChange out;
    out.name = std::move(read->name);
    out.api_key = std::move(read->api_key);
    out.base_url = std::move(read->base_url);
    out.model = std::move(read->model);
    out.voices = VoicesOf(read->voices);
    out.fetch_voices = read->fetch_voices;
    if (read->price || IsNull(parsed->root, "price")) out.price = PriceOf(read->price);
    if (read->fallback || IsNull(parsed->root, "fallback")) out.fallback = read->fallback;
    return out;
}

}  // namespace vf::vendors
