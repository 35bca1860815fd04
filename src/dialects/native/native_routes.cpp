#include "dialects/native/native_routes.hpp"

#include "dialects/native/generate_body.hpp"
#include "dialects/native/stream_events.hpp"
#include "dialects/speech_response.hpp"
#include "http/problem.hpp"

namespace vf::native {
namespace {

Task<http::Response> Generate(http::Request& request, speech::SpeechService& service) {
    Result<speech::SpeechRequest> body = ReadGenerateBody(request);
    if (!body) co_return http::ProblemResponse(body.error(), request);
    body->whole = true;
    body->wants_timing = false;
    dialects::Sign(*body, request);
    Result<std::shared_ptr<speech::Speech>> started = co_await service.Start(*std::move(body));
    if (!started) co_return http::ProblemResponse(started.error(), request);
    const std::shared_ptr<speech::Speech> speech = *started;
    dialects::AbandonOnCancel(request, *speech);
    Result<std::string> audio = co_await service.Collect(speech);
    if (!audio) co_return http::ProblemResponse(audio.error(), request);
    http::Response response = dialects::AudioResponse(speech);
    response.body = *std::move(audio);
    co_return response;
}

// Audio alone, or with its times in the form that the caller likes best.
Task<http::Response> GenerateStream(http::Request& request, speech::SpeechService& service) {
    const std::optional<StreamForm> form = ChooseStreamForm(request.headers.Get("Accept"));
    if (!form) co_return http::ProblemResponse(NoSuchStreamForm(), request);
    Result<speech::SpeechRequest> body = ReadGenerateBody(request);
    if (!body) co_return http::ProblemResponse(body.error(), request);
    dialects::Sign(*body, request);
    body->wants_timing = *form != StreamForm::kAudio;
    std::string text = body->text;
    Result<std::shared_ptr<speech::Speech>> started = co_await service.Start(*std::move(body));
    if (!started) co_return http::ProblemResponse(started.error(), request);
    const std::shared_ptr<speech::Speech> speech = *started;
    dialects::AbandonOnCancel(request, *speech);
    const Result<void> first = co_await service.WaitForAudio(speech);
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
               idempotency::Idempotency& idempotency) {
    http::RouteOptions options;
    options.errors = &http::ProblemResponse;
    options.guard = access.Guard(Scope::kSpeechWrite);
    options.consumes = {"application/json", "multipart/form-data"};
    const auto speak =
        [&](const std::vector<std::string>& paths,
            Task<http::Response> (*handler)(http::Request&, speech::SpeechService&)) {
            http::Handler inner = [&speech, handler](http::Request& request) {
                return handler(request, speech);
            };
            router.AddAll(http::Method::kPost, paths,
                          idempotency.Wrap(std::move(inner), &http::ProblemResponse), options);
        };
    speak({"/v1/generate", "/generate"}, &Generate);
    speak({"/v1/generate/stream", "/generate/stream"}, &GenerateStream);
}

}  // namespace vf::native
