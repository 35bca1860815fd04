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
                                        const engines::VoiceView& voices) {
    const engines::Voice* voice = voices.Find(request.PathParam("voice_id"));
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

Task<http::Response> List(http::Request& request, speech::SpeechService& speech) {
    const engines::VoiceView voices = co_await speech.Voices(request.caller.team);
    Result<json::value> body = VoicesBody(request, voices);
    if (!body) co_return http::ProblemResponse(body.error(), request);
    co_return http::JsonResponse(200, *body);
}

Task<http::Response> One(http::Request& request, speech::SpeechService& speech) {
    const Result<void> plain = RefuseParameters(request);
    if (!plain) co_return http::ProblemResponse(plain.error(), request);
    const engines::VoiceView voices = co_await speech.Voices(request.caller.team);
    const Result<const engines::Voice*> voice = FindVoice(request, voices);
    if (!voice) co_return http::ProblemResponse(voice.error(), request);
    co_return http::JsonResponse(200, VoiceJson(**voice));
}

Task<http::Response> Preview(http::Request& request, speech::SpeechService& speech,
                             Previews& previews) {
    const Result<audio::Format> format = ReadFormat(request);
    if (!format) co_return http::ProblemResponse(format.error(), request);
    const engines::VoiceView voices = co_await speech.Voices(request.caller.team);
    const Result<const engines::Voice*> voice = FindVoice(request, voices);
    if (!voice) co_return http::ProblemResponse(voice.error(), request);
    if ((*voice)->speaker) {
        const Error error(ErrorKind::kNotFound, "preview_not_available",
                          "A vendor's voice has no preview, since speaking costs the team money "
                          "there. Speak with it.");
        co_return http::ProblemResponse(error, request);
    }
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

void AddVoiceRoutes(http::Router& router, speech::SpeechService& speech, Previews& previews,
                    const identity::Access& access) {
    http::RouteOptions options;
    options.errors = &http::ProblemResponse;
    options.guard = access.Guard(Scope::kVoicesRead);
    http::RouteOptions json = options;
    json.produces = {"application/json"};
    http::Handler list = [&speech](http::Request& request) { return List(request, speech); };
    http::Handler one = [&speech](http::Request& request) { return One(request, speech); };
    http::Handler preview = [&speech, &previews](http::Request& request) {
        return Preview(request, speech, previews);
    };
    for (const std::string root : {"/api/voices", "/api/v1/voices"}) {
        router.Add(http::Method::kGet, root, list, json);
        router.Add(http::Method::kGet, root + "/{voice_id}", one, json);
        router.Add(http::Method::kGet, root + "/{voice_id}/preview", preview, options);
    }
}

}  // namespace vf::native
