// GET /voices, GET /voices/{id} and what is said of cloning.

#include <algorithm>
#include <array>
#include <charconv>

#include "dialects/cartesia/cartesia_error.hpp"
#include "dialects/cartesia/cartesia_routes.hpp"
#include "dialects/cartesia/generation.hpp"
#include "http/headers.hpp"

namespace vf::cartesia {
namespace {

using engines::Voice;
using http::Request;
using http::Response;

constexpr std::int64_t kDefaultLimit = 10;
constexpr std::int64_t kMaxLimit = 100;
constexpr std::size_t kMaxTagline = 32;
constexpr std::uint64_t kMaxUpload = 10ULL << 20U;
// Clients want a time, not a truth.
constexpr const char* kCreated = "2026-11-21T00:00:00Z";

struct Query {
    std::int64_t limit = kDefaultLimit;
    std::string after;
    std::string before;
    std::string words;
    std::string gender;
    bool is_mine = false;  // none of our voices is
    bool has_preview = false;
};

Error WrongParameter(const std::string& name, std::string code, std::string words) {
    std::string message = "The query parameter " + name + " " + words;
    return {ErrorKind::kInvalid,
            "invalid_request",
            std::move(message),
            {{name, std::move(code), std::move(words)}}};
}

Result<void> ReadParameter(const std::string& name, const std::string& value, Query& query) {
    if (name == "limit") {
        const auto [end, ec] =
            std::from_chars(value.data(), value.data() + value.size(), query.limit);
        if (ec != std::errc() || end != value.data() + value.size() || query.limit < 1 ||
            query.limit > kMaxLimit) {
            return WrongParameter(name, "out_of_range", "must be a whole number from 1 to 100.");
        }
    } else if (name == "starting_after") {
        query.after = value;
    } else if (name == "ending_before") {
        query.before = value;
    } else if (name == "q") {
        query.words = value;
    } else if (name == "gender") {
        if (value != "masculine" && value != "feminine" && value != "gender_neutral") {
            return WrongParameter(name, "not_allowed",
                                  "must be masculine, feminine or gender_neutral.");
        }
        query.gender = value;
    } else if (name == "is_owner") {
        if (value != "true" && value != "false") {
            return WrongParameter(name, "not_allowed", "must be true or false.");
        }
        query.is_mine = value == "true";
    } else if (name == "expand[]" || name == "expand") {
        if (value != "preview_file_url") {
            return WrongParameter(name, "not_allowed", "can be preview_file_url only.");
        }
        query.has_preview = true;
    }
    return {};  // other parameters, such as cartesia_version, are not about voices
}

Result<Query> ReadQuery(const Request& request) {
    Query query;
    for (const auto& [name, value] : request.QueryParams()) {
        if (value.empty()) continue;
        const Result<void> read = ReadParameter(name, value, query);
        if (!read) return read.error();
    }
    if (!query.after.empty() && !query.before.empty()) {
        return WrongParameter("ending_before", "not_allowed",
                              "must not be there beside starting_after; send one of them.");
    }
    return query;
}

std::string_view GenderOf(const Voice& voice) {
    if (voice.gender == "female") return "feminine";
    return voice.gender == "male" ? "masculine" : "gender_neutral";
}

// "en" of "en-US".
std::string LanguageOf(std::string_view tag) {
    return std::string(tag.substr(0, tag.find('-')));
}

// "US" of "en-US" and of "zh-Hans-CN"; null when the tag has none.
json::value CountryOf(std::string_view tag) {
    const std::size_t dash = tag.rfind('-');
    if (dash == std::string_view::npos || tag.size() - dash != 3) return nullptr;
    return json::value(tag.substr(dash + 1));
}

json::object VoiceJson(const Voice& voice, const Query& query) {
    json::array locales;
    for (const std::string& tag : voice.languages) {
        locales.push_back(json::object{{"locale", tag}, {"is_native", locales.empty()}});
    }
    const std::string& own = voice.languages.front();
    json::object out{{"id", voice.id},
                     {"name", voice.name},
                     {"description", voice.description},
                     {"tagline", voice.style.size() <= kMaxTagline ? voice.style : ""},
                     {"language", LanguageOf(own)},
                     {"locales", std::move(locales)},
                     {"country", CountryOf(own)},
                     {"gender", GenderOf(voice)},
                     {"accent", nullptr},
                     {"is_owner", false},
                     {"is_public", true},
                     {"access", "public"},
                     {"visibility", "all"},
                     {"created_at", kCreated}};
    if (query.has_preview) out["preview_file_url"] = "/api/voices/" + voice.id + "/preview";
    return out;
}

bool Contains(std::string_view text, std::string_view part) {
    const auto same = [](char a, char b) { return http::EqualsIgnoringCase({&a, 1}, {&b, 1}); };
    return !std::ranges::search(text, part, same).empty() || part.empty();
}

std::vector<const Voice*> Matching(const engines::VoiceView& voices, const Query& query) {
    std::vector<const Voice*> out;
    for (const Voice* voice : voices.All()) {
        const bool has_words = Contains(voice->id, query.words) ||
                               Contains(voice->name, query.words) ||
                               Contains(voice->description, query.words);
        const bool has_gender = query.gender.empty() || GenderOf(*voice) == query.gender;
        if (has_words && has_gender && !query.is_mine) out.push_back(voice);
    }
    return out;
}

// The page that the cursors cut out.
Task<Response> List(Request& request, const Deps& deps) {
    const Result<void> version = CheckVersion(request);
    if (!version) co_return ErrorResponse(version.error(), request);
    const Result<Query> query = ReadQuery(request);
    if (!query) co_return ErrorResponse(query.error(), request);
    const engines::VoiceView view = co_await deps.speech.Voices(request.caller.team);
    const std::vector<const Voice*> voices = Matching(view, *query);
    const std::string& cursor = query->after.empty() ? query->before : query->after;
    const auto at = std::ranges::find(voices, cursor, &Voice::id);
    if (!cursor.empty() && at == voices.end()) {
        const Error error =
            WrongParameter(query->after.empty() ? "ending_before" : "starting_after", "not_allowed",
                           "must be the id of a voice of this list.");
        co_return ErrorResponse(error, request);
    }
    const auto limit = static_cast<std::size_t>(query->limit);
    std::size_t begin = 0;
    std::size_t end = voices.size();
    bool has_more = false;
    if (!query->before.empty()) {
        end = static_cast<std::size_t>(at - voices.begin());
        begin = end - std::min(end, limit);
        has_more = begin > 0;
    } else {
        if (!query->after.empty()) begin = static_cast<std::size_t>(at - voices.begin()) + 1;
        end = std::min(end, begin + limit);
        has_more = end < voices.size();
    }
    json::array data;
    for (std::size_t i = begin; i < end; ++i) data.push_back(VoiceJson(*voices[i], *query));
    json::object body{{"data", std::move(data)}, {"has_more", has_more}, {"next_page", nullptr}};
    if (has_more) body["next_page"] = voices[query->before.empty() ? end - 1 : begin]->id;
    co_return http::JsonResponse(200, body);
}

Task<Response> Get(Request& request, const Deps& deps) {
    const Result<void> version = CheckVersion(request);
    if (!version) co_return ErrorResponse(version.error(), request);
    const Result<Query> query = ReadQuery(request);
    if (!query) co_return ErrorResponse(query.error(), request);
    const std::string_view id = request.PathParam("id");
    const engines::VoiceView voices = co_await deps.speech.Voices(request.caller.team);
    const Voice* voice = voices.Find(id);
    if (!voice) {
        const Error error(
            ErrorKind::kNotFound, "voice_not_found",
            "There is no voice with the id \"" + std::string(id) + "\". GET /voices lists them.");
        co_return ErrorResponse(error, request);
    }
    co_return http::JsonResponse(200, VoiceJson(*voice, *query));
}

Task<Response> Clone(Request& request, const Deps&) {
    const Error error(ErrorKind::kForbidden, "feature_not_available",
                      "Voices cannot be cloned on this server. GET /voices lists those it has.");
    co_return ErrorResponse(error, request);
}

}  // namespace

void AddVoiceRoutes(http::Router& router, const Deps& deps) {
    const auto add = [&](http::Method method, const char* pattern,
                         const http::RouteOptions& options,
                         Task<Response> (*handler)(Request&, const Deps&)) {
        http::Handler inner = [deps = &deps, handler](Request& request) {
            return handler(request, *deps);
        };
        router.Add(method, pattern, std::move(inner), options);
    };
    http::RouteOptions options;
    options.errors = &ErrorResponse;
    options.guard = deps.access.Guard(Scope::kVoicesRead);
    add(http::Method::kGet, "/voices", options, &List);
    add(http::Method::kGet, "/voices/{id}", options, &Get);
    options.guard = deps.access.Guard(Scope::kVoicesWrite);
    options.consumes = {"multipart/form-data"};
    options.max_body = kMaxUpload;
    add(http::Method::kPost, "/voices/clone", options, &Clone);
}

}  // namespace vf::cartesia
