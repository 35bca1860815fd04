// Voices: the catalogue as ElevenLabs shows it, and what a team set for them.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/utf8.hpp"
#include "dialects/elevenlabs/elevenlabs_deps.hpp"
#include "dialects/elevenlabs/elevenlabs_error.hpp"
#include "dialects/elevenlabs/elevenlabs_models.hpp"
#include "dialects/elevenlabs/stored_settings.hpp"

namespace vf::elevenlabs {
namespace {

using http::Request;
using http::Response;

constexpr std::uint64_t kMaxUpload = 64ULL << 20U;
constexpr std::int64_t kMaxPage = 100;

Error VoiceNotFound(std::string_view id) {
    return {ErrorKind::kNotFound, "voice_not_found",
            "There is no voice with the id \"" + std::string(id) +
                "\". GET /v1/voices lists the voices."};
}

Error Parameter(const char* name, const char* code, std::string words) {
    return {ErrorKind::kInvalid,
            code,
            fmt::format("The query parameter {} {}", name, words),
            {{name, code, words}}};
}

using Stored = std::map<std::string, voices::StoredSettings>;

json::object SettingsOf(const engines::Voice& voice, const Stored& stored) {
    const auto found = stored.find(voice.id);
    return ToJson(FromStored(found == stored.end() ? voices::StoredSettings{} : found->second));
}

Task<Response> List(Request& request, const Deps& deps) {
    const Stored stored = co_await deps.voice_settings.All(request.caller.team);
    const engines::VoiceView view = co_await deps.speech.Voices(request.caller.team);
    json::array voices;
    for (const engines::Voice* voice : view.All()) {
        voices.push_back(VoiceJson(*voice, SettingsOf(*voice, stored)));
    }
    co_return http::JsonResponse(200, json::object{{"voices", std::move(voices)}});
}

struct Search {
    std::int64_t page_size = 10;
    std::size_t begin = 0;
    std::string text;
    bool by_name = false;
    bool descending = false;
    bool is_nothing = false;  // asks for what is not built in
    std::set<std::string> ids;
};

std::optional<std::int64_t> Number(const std::string& text) {
    std::int64_t out = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return out;
}

Result<Search> ReadSearch(const Request& request) {
    Search out;
    for (const auto& [name, value] : request.QueryParams()) {
        if (name == "page_size") {
            const auto size = Number(value);
            if (!size || *size < 1 || *size > kMaxPage) {
                return Parameter("page_size", "invalid_page_size", "must be 1 to 100.");
            }
            out.page_size = *size;
        } else if (name == "next_page_token" && !value.empty()) {
            const auto begin = Number(value);
            if (!begin || *begin < 0) {
                return Parameter("next_page_token", "invalid_cursor",
                                 "is not the next_page_token of an answer.");
            }
            out.begin = static_cast<std::size_t>(*begin);
        } else if (name == "search") {
            out.text = http::LowerCase(value);
        } else if (name == "sort" && !value.empty()) {
            if (value != "name" && value != "created_at_unix") {
                return Parameter("sort", "invalid_parameters", "must be name or created_at_unix.");
            }
            out.by_name = value == "name";
        } else if (name == "sort_direction" && !value.empty()) {
            if (value != "asc" && value != "desc") {
                return Parameter("sort_direction", "invalid_parameters", "must be asc or desc.");
            }
            out.descending = value == "desc";
        } else if (name == "category" && !value.empty()) {
            out.is_nothing = out.is_nothing || value != "premade";
        } else if (name == "voice_type" && !value.empty()) {
            out.is_nothing = out.is_nothing ||
                             (value != "default" && value != "saved" && value != "non-community");
        } else if ((name == "fine_tuning_state" || name == "collection_id") && !value.empty()) {
            out.is_nothing = true;
        } else if (name == "voice_ids" && !value.empty()) {
            out.ids.insert(value);
        }
    }
    return out;
}

bool Matches(const engines::Voice& voice, const Search& search) {
    if (!search.ids.empty() && !search.ids.contains(voice.id)) return false;
    if (search.text.empty()) return true;
    std::string all = voice.id + "\n" + voice.name + "\n" + voice.description + "\n" +
                      voice.gender + "\n" + voice.engine;
    for (const std::string& tag : voice.languages) all += "\n" + tag;
    return http::LowerCase(all).find(search.text) != std::string::npos;
}

Task<Response> SearchVoices(Request& request, const Deps& deps) {
    const Result<Search> search = ReadSearch(request);
    if (!search) co_return ErrorResponse(search.error(), request);
    const engines::VoiceView view = co_await deps.speech.Voices(request.caller.team);
    std::vector<const engines::Voice*> found;
    if (!search->is_nothing) {
        for (const engines::Voice* voice : view.All()) {
            if (Matches(*voice, *search)) found.push_back(voice);
        }
    }
    if (search->by_name) {
        std::stable_sort(found.begin(), found.end(),
                         [](const auto* a, const auto* b) { return a->name < b->name; });
    }
    if (search->descending) std::reverse(found.begin(), found.end());
    const Stored stored = co_await deps.voice_settings.All(request.caller.team);
    const std::size_t begin = std::min(search->begin, found.size());
    const std::size_t end =
        std::min(begin + static_cast<std::size_t>(search->page_size), found.size());
    json::array voices;
    for (std::size_t i = begin; i < end; ++i) {
        voices.push_back(VoiceJson(*found[i], SettingsOf(*found[i], stored)));
    }
    const bool has_more = end < found.size();
    json::value next;
    if (has_more) next = std::to_string(end);
    co_return http::JsonResponse(200, json::object{{"voices", std::move(voices)},
                                                   {"has_more", has_more},
                                                   {"total_count", found.size()},
                                                   {"next_page_token", std::move(next)}});
}

const engines::Voice* VoiceOf(const Request& request, const engines::VoiceView& view) {
    return view.Find(request.PathParam("voice_id"));
}

Task<Response> Show(Request& request, const Deps& deps) {
    const engines::VoiceView view = co_await deps.speech.Voices(request.caller.team);
    const engines::Voice* voice = VoiceOf(request, view);
    if (!voice) co_return ErrorResponse(VoiceNotFound(request.PathParam("voice_id")), request);
    const Stored stored = co_await deps.voice_settings.All(request.caller.team);
    co_return http::JsonResponse(200, VoiceJson(*voice, SettingsOf(*voice, stored)));
}

Task<Response> ShowSettings(Request& request, const Deps& deps) {
    const engines::VoiceView view = co_await deps.speech.Voices(request.caller.team);
    const engines::Voice* voice = VoiceOf(request, view);
    if (!voice) co_return ErrorResponse(VoiceNotFound(request.PathParam("voice_id")), request);
    const Stored stored = co_await deps.voice_settings.All(request.caller.team);
    co_return http::JsonResponse(200, SettingsOf(*voice, stored));
}

Task<Response> ShowDefaults(Request&, const Deps&) {
    co_return http::JsonResponse(200, ToJson(VoiceSettings{}));
}

Response Done() {
    return http::JsonResponse(200, json::object{{"status", "ok"}});
}

Task<Response> EditSettings(Request& request, const Deps& deps) {
    const engines::VoiceView view = co_await deps.speech.Voices(request.caller.team);
    const engines::Voice* voice = VoiceOf(request, view);
    if (!voice) co_return ErrorResponse(VoiceNotFound(request.PathParam("voice_id")), request);
    const Result<json::Parsed> parsed = json::Parse(request.body);
    if (!parsed) co_return ErrorResponse(parsed.error(), request);
    if (!parsed->root.is_object()) {
        const Error error(ErrorKind::kInvalid, "invalid_request", "The body is no JSON object.",
                          {{"/", "wrong_type", "must be a JSON object."}});
        co_return ErrorResponse(error, request);
    }
    const Stored stored = co_await deps.voice_settings.All(request.caller.team);
    const auto before = stored.find(voice->id);
    const VoiceSettings old =
        FromStored(before == stored.end() ? voices::StoredSettings{} : before->second);
    const Result<VoiceSettings> settings = ReadVoiceSettings(parsed->root, old, "");
    if (!settings) co_return ErrorResponse(settings.error(), request);
    const Caller caller = request.caller;
    const Result<void> set =
        co_await deps.voice_settings.Set(caller, voice->id, ToStored(*settings));
    if (!set) co_return ErrorResponse(set.error(), request);
    co_return Done();
}

// All voices are built in or a vendor's so far.
Task<Response> Refuse(Request& request, const Deps& deps) {
    const engines::VoiceView view = co_await deps.speech.Voices(request.caller.team);
    const engines::Voice* voice = VoiceOf(request, view);
    if (!voice) co_return ErrorResponse(VoiceNotFound(request.PathParam("voice_id")), request);
    const Error error(
        ErrorKind::kForbidden, "voice_access_denied",
        "The voice \"" + voice->id +
            "\" is built in or a vendor's: it cannot be edited or deleted. Its settings can be "
            "changed with POST /v1/voices/" +
            voice->id + "/settings/edit.");
    co_return ErrorResponse(error, request);
}

Task<Response> NoSample(Request& request, const Deps& deps) {
    const engines::VoiceView view = co_await deps.speech.Voices(request.caller.team);
    const engines::Voice* voice = VoiceOf(request, view);
    if (!voice) co_return ErrorResponse(VoiceNotFound(request.PathParam("voice_id")), request);
    const Error error(ErrorKind::kNotFound, "sample_not_found",
                      "The voice \"" + voice->id + "\" has no samples.");
    co_return ErrorResponse(error, request);
}

Task<Response> Add(Request& request, const Deps&) {
    const Error error(ErrorKind::kForbidden, "feature_not_available",
                      "This server does not clone voices. GET /v1/voices lists those it has.");
    co_return ErrorResponse(error, request);
}

}  // namespace

json::object VoiceJson(const engines::Voice& voice, json::object settings) {
    json::array languages;
    for (const std::string& tag : voice.languages) {
        languages.push_back(json::object{{"language", tag.substr(0, tag.find('-'))},
                                         {"model_id", kDefaultModel},
                                         {"accent", nullptr},
                                         {"locale", tag},
                                         {"preview_url", nullptr}});
    }
    json::array models;
    for (const Model& model : Models()) models.emplace_back(model.id);
    json::object labels{{"gender", voice.gender},
                        {"language", voice.languages.empty() ? "" : voice.languages.front()},
                        {"engine", voice.engine},
                        {"quality", voice.quality},
                        {"licence", voice.licence}};
    return {{"voice_id", voice.id},
            {"name", voice.name},
            {"samples", json::array()},
            {"category", "premade"},
            {"fine_tuning", nullptr},
            {"labels", std::move(labels)},
            {"description", voice.description},
            {"preview_url", nullptr},
            {"available_for_tiers", json::array()},
            {"settings", std::move(settings)},
            {"sharing", nullptr},
            {"high_quality_base_model_ids", std::move(models)},
            {"verified_languages", std::move(languages)},
            {"safety_control", nullptr},
            {"voice_verification", nullptr},
            {"permission_on_resource", nullptr},
            {"is_owner", false},
            {"is_legacy", false},
            {"is_mixed", false},
            {"created_at_unix", nullptr}};
}

void AddVoiceRoutes(http::Router& router, const Deps& deps) {
    using http::Method;
    const RouteAdder add{router, deps};
    add(Method::kGet, "/v1/voices", Scope::kVoicesRead, &List);
    add(Method::kGet, "/v2/voices", Scope::kVoicesRead, &SearchVoices);
    add(Method::kPost, "/v1/voices/add", Scope::kVoicesWrite, &Add, {"multipart/form-data"},
        kMaxUpload);
    add(Method::kGet, "/v1/voices/settings/default", Scope::kVoicesRead, &ShowDefaults);
    add(Method::kGet, "/v1/voices/{voice_id}", Scope::kVoicesRead, &Show);
    add(Method::kDelete, "/v1/voices/{voice_id}", Scope::kVoicesWrite, &Refuse);
    add(Method::kGet, "/v1/voices/{voice_id}/settings", Scope::kVoicesRead, &ShowSettings);
    add(Method::kPost, "/v1/voices/{voice_id}/settings/edit", Scope::kVoicesWrite, &EditSettings,
        {"application/json"});
    add(Method::kPost, "/v1/voices/{voice_id}/edit", Scope::kVoicesWrite, &Refuse,
        {"multipart/form-data"}, kMaxUpload);
    add(Method::kGet, "/v1/voices/{voice_id}/samples/{sample_id}/audio", Scope::kVoicesRead,
        &NoSample);
}

}  // namespace vf::elevenlabs
