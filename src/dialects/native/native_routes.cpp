#include "dialects/native/native_routes.hpp"

#include "dialects/native/generate_body.hpp"
#include "dialects/native/generate_link.hpp"
#include "dialects/native/stream_events.hpp"
#include "dialects/speech_response.hpp"
#include "http/problem.hpp"

namespace vf::native {
namespace {

// What the handlers work with; lives as long as the server.
struct Means {
    speech::SpeechService& speech;
    dictionaries::Dictionaries& dictionaries;
    blob::Blobs& blobs;
};
using SpeakHandler = Task<http::Response> (*)(http::Request&, const Means&);

Task<Result<std::shared_ptr<speech::Speech>>> StartSpeech(http::Request* request,
                                                          const Means* means,
                                                          GenerateRequest body) {
    dialects::Sign(body.speech, *request);
    auto named = std::move(body.dictionaries);
    const Result<void> ready =
        co_await dialects::UseDictionaries(body.speech, means->dictionaries, std::move(named));
    if (!ready) co_return ready.error();
    auto wanted = std::move(body.speech);
    Result<std::shared_ptr<speech::Speech>> started =
        co_await means->speech.Start(std::move(wanted));
    if (started) dialects::AbandonOnCancel(*request, **started);
    co_return started;
}

// The whole audio, or (Accept: application/json) where it is.
Task<http::Response> Generate(http::Request& request, const Means& means) {
    Result<GenerateRequest> body = ReadGenerateBody(request);
    if (!body) co_return http::ProblemResponse(body.error(), request);
    const bool wants_link = WantsLink(request);
    body->speech.whole = true;
    body->speech.wants_timing = wants_link;
    body->speech.wants_quality = wants_link;
    auto wanted = *std::move(body);
    Result<std::shared_ptr<speech::Speech>> started =
        co_await StartSpeech(&request, &means, std::move(wanted));
    if (!started) co_return http::ProblemResponse(started.error(), request);
    const std::shared_ptr<speech::Speech> speech = *started;
    Result<std::string> audio = co_await means.speech.Collect(speech);
    if (!audio) co_return http::ProblemResponse(audio.error(), request);
    if (wants_link) {
        auto bytes = *std::move(audio);
        Result<http::Response> link =
            co_await LinkResponse(request, speech, std::move(bytes), means.blobs);
        if (!link) co_return http::ProblemResponse(link.error(), request);
        co_return *std::move(link);
    }
    http::Response response = dialects::AudioResponse(speech);
    response.body = *std::move(audio);
    co_return response;
}

// Audio alone, or with its times in the form that the caller likes best.
Task<http::Response> GenerateStream(http::Request& request, const Means& means) {
    const std::optional<StreamForm> form = ChooseStreamForm(request.headers.Get("Accept"));
    if (!form) co_return http::ProblemResponse(NoSuchStreamForm(), request);
    Result<GenerateRequest> body = ReadGenerateBody(request);
    if (!body) co_return http::ProblemResponse(body.error(), request);
    body->speech.wants_timing = *form != StreamForm::kAudio;
    std::string text = body->speech.text;
    auto wanted = *std::move(body);
    Result<std::shared_ptr<speech::Speech>> started =
        co_await StartSpeech(&request, &means, std::move(wanted));
    if (!started) co_return http::ProblemResponse(started.error(), request);
    const std::shared_ptr<speech::Speech> speech = *started;
    const Result<void> first = co_await means.speech.WaitForAudio(speech);
    if (!first) co_return http::ProblemResponse(first.error(), request);
    http::Response response = dialects::AudioResponse(speech);
    response.headers.Set("Vary", "Accept");
    if (*form == StreamForm::kAudio) {
        response.body = http::StreamBody{speech->pipe, std::nullopt};
        co_return response;
    }
    const Executor executor = co_await asio::this_coro::executor;
    response.headers.Set("Content-Type", MediaTypeOf(*form));
    response.body = EventBody(executor, speech, *form, std::move(text), request);
    co_return response;
}

}  // namespace

void AddRoutes(http::Router& router, speech::SpeechService& speech, const identity::Access& access,
               idempotency::Idempotency& idempotency, dictionaries::Dictionaries& dictionaries,
               blob::Blobs& blobs) {
    http::RouteOptions options;
    options.errors = &http::ProblemResponse;
    options.guard = access.Guard(Scope::kSpeechWrite);
    options.consumes = {"application/json", "multipart/form-data"};
    const auto means = std::make_shared<const Means>(Means{speech, dictionaries, blobs});
    const auto speak = [&](const std::vector<std::string>& paths, SpeakHandler handler) {
        http::Handler inner = [means, handler](http::Request& request) {
            return handler(request, *means);
        };
        router.AddAll(http::Method::kPost, paths,
                      idempotency.Wrap(std::move(inner), &http::ProblemResponse), options);
    };
    speak({"/v1/generate", "/generate"}, &Generate);
    speak({"/v1/generate/stream", "/generate/stream"}, &GenerateStream);
}

}  // namespace vf::native
