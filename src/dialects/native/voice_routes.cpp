#include "dialects/native/voice_routes.hpp"

#include <fmt/format.h>

#include "dialects/native/voices_body.hpp"
#include "http/problem.hpp"
#include "http/static_files.hpp"

namespace vf::native {
namespace {

// A voice's sound changes with its engine only, and the entity tag with both.
constexpr const char* kPreviewCaching = "private, max-age=86400";

Result<const engines::Voice*> FindVoice(const http::Request& request,
                                        const engines::Catalogue& catalogue) {
    const engines::Voice* voice = catalogue.Find(request.PathParam("voice_id"));
    if (voice) return voice;
    return Error(ErrorKind::kNotFound, "voice_not_found",
                 "There is no voice with this id; GET /api/voices lists all.");
}

Error WrongParameter(const std::string& name, const char* code, std::string message) {
    std::string text = fmt::format("The query parameter \"{}\" {}", name, message);
    return Error(ErrorKind::kInvalid, "invalid_request", std::move(text),
                 {{name, code, std::move(message)}});
}

Result<void> RefuseParameters(const http::Request& request) {
    const auto params = request.QueryParams();
    if (params.empty()) return {};
    return WrongParameter(params.front().first, "unknown_parameter",
                          "is not known; this route has none.");
}

Result<audio::Format> ReadFormat(const http::Request& request) {
    audio::Format format = audio::Format::kMp3;
    bool seen = false;
    for (const auto& [name, value] : request.QueryParams()) {
        if (name != "format") {
            return WrongParameter(name, "unknown_parameter", "is not known; there is format.");
        }
        if (seen) return WrongParameter(name, "duplicate_parameter", "stands twice.");
        seen = true;
        const audio::FormatInfo* info = audio::FindFormat(value);
        if (!info) {
            std::string names;
            for (const audio::FormatInfo& one : audio::Formats()) {
                names += fmt::format("{}{}", names.empty() ? "" : ", ", one.name);
            }
            return WrongParameter(name, "not_allowed", fmt::format("must be one of {}.", names));
        }
        format = info->format;
    }
    return format;
}

http::Response One(const http::Request& request, const engines::Catalogue& catalogue) {
    const Result<void> plain = RefuseParameters(request);
    if (!plain) return http::ProblemResponse(plain.error(), request);
    const Result<const engines::Voice*> voice = FindVoice(request, catalogue);
    if (!voice) return http::ProblemResponse(voice.error(), request);
    return http::JsonResponse(200, VoiceJson(**voice));
}

Task<http::Response> Preview(http::Request& request, const engines::Catalogue& catalogue,
                             Previews& previews) {
    const Result<audio::Format> format = ReadFormat(request);
    if (!format) co_return http::ProblemResponse(format.error(), request);
    const Result<const engines::Voice*> voice = FindVoice(request, catalogue);
    if (!voice) co_return http::ProblemResponse(voice.error(), request);
    const std::string etag = previews.Etag(**voice, *format);
    http::Response response;
    response.headers.Set("ETag", etag);
    response.headers.Set("Cache-Control", kPreviewCaching);
    if (http::MatchesEtag(request.headers.Joined("If-None-Match"), etag)) {
        response.status = 304;
        co_return response;
    }
    const Result<Previews::Audio> audio = co_await previews.Get(*voice, *format);
    if (!audio) co_return http::ProblemResponse(audio.error(), request);
    response.headers.Set("Content-Type", audio::InfoOf(*format).media_type);
    response.body = *audio;
    co_return response;
}

}  // namespace

void AddVoiceRoutes(http::Router& router, const engines::Catalogue& catalogue, Previews& previews,
                    const identity::Access& access) {
    http::RouteOptions options;
    options.errors = &http::ProblemResponse;
    options.guard = access.Guard(Scope::kVoicesRead);
    http::RouteOptions json = options;
    json.produces = {"application/json"};
    for (const std::string root : {"/api/voices", "/api/v1/voices"}) {
        router.Add(http::Method::kGet, root,
                   http::QuickHandler([&catalogue](http::Request& request) {
                       Result<json::value> body = VoicesBody(request, catalogue);
                       if (!body) return http::ProblemResponse(body.error(), request);
                       return http::JsonResponse(200, *body);
                   }),
                   json);
        router.Add(http::Method::kGet, root + "/{voice_id}",
                   http::QuickHandler(
                       [&catalogue](http::Request& request) { return One(request, catalogue); }),
                   json);
        router.Add(http::Method::kGet, root + "/{voice_id}/preview",
                   http::Handler([&catalogue, &previews](http::Request& request) {
                       return Preview(request, catalogue, previews);
                   }),
                   options);
    }
}

}  // namespace vf::native
