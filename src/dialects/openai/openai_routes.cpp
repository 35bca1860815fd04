#include "dialects/openai/openai_routes.hpp"

#include "dialects/openai/openai_error.hpp"
#include "dialects/openai/openai_models.hpp"
#include "dialects/openai/openai_speech_body.hpp"
#include "dialects/openai/openai_sse.hpp"
#include "dialects/speech_response.hpp"

namespace vf::openai {
namespace {

constexpr std::size_t kEventPipeBytes = 256 * 1024;

http::StreamBody EventBody(const std::shared_ptr<speech::Speech>& speech, Executor executor) {
    auto events = std::make_shared<BytePipe>(executor, kEventPipeBytes);
    events->OnAbandon([pipe = speech->pipe] { pipe->Abandon(); });
    Spawn(executor, WriteEvents(speech, events), "openai_events");
    return {events, std::nullopt};
}

Task<http::Response> Speak(http::Request& request, speech::SpeechService& service,
                           dictionaries::Dictionaries& dictionaries) {
    Result<OpenAiSpeech> body = ReadSpeechBody(request.body);
    if (!body) co_return ErrorResponse(body.error(), request);
    dialects::Sign(body->speech, request);
    const bool is_sse = body->is_sse;
    const Result<void> ready = co_await dialects::UseDictionaries(body->speech, dictionaries);
    if (!ready) co_return ErrorResponse(ready.error(), request);
    Result<std::shared_ptr<speech::Speech>> started =
        co_await service.Start(std::move(body->speech));
    if (!started) co_return ErrorResponse(started.error(), request);
    const std::shared_ptr<speech::Speech> speech = *started;
    dialects::AbandonOnCancel(request, *speech);
    const Result<void> first = co_await service.WaitForAudio(speech);
    if (!first) co_return ErrorResponse(first.error(), request);
    http::Response response = dialects::AudioResponse(speech);
    if (is_sse) {
        const Executor executor = co_await asio::this_coro::executor;
        response.headers.Set("Content-Type", "text/event-stream");
        response.body = EventBody(speech, executor);
        co_return response;
    }
    // What is ready at once goes out with its length and exact sizes; the rest streams.
    std::optional<std::string> whole = service.TakeIfComplete(*speech);
    if (whole) {
        response.body = *std::move(whole);
    } else {
        response.body = http::StreamBody{speech->pipe, std::nullopt};
    }
    co_return response;
}

Task<http::Response> Voices(http::Request& request, speech::SpeechService& speech) {
    const engines::VoiceView voices = co_await speech.Voices(request.caller.team);
    co_return http::JsonResponse(200, AudioVoices(voices));
}

}  // namespace

void AddRoutes(http::Router& router, speech::SpeechService& speech,
               const engines::Catalogue& catalogue, const identity::Access& access,
               idempotency::Idempotency& idempotency, dictionaries::Dictionaries& dictionaries) {
    http::RouteOptions options;
    options.errors = &ErrorResponse;
    options.guard = access.Guard(Scope::kModelsRead);
    router.ErrorsUnder("/v1/audio", &ErrorResponse);

    http::RouteOptions with_body = options;
    with_body.consumes = {"application/json"};
    with_body.guard = access.Guard(Scope::kSpeechWrite);
    http::Handler speak = [&speech, &dictionaries](http::Request& request) {
        return Speak(request, speech, dictionaries);
    };
    router.Add(http::Method::kPost, "/v1/audio/speech",
               idempotency.Wrap(std::move(speak), &ErrorResponse), with_body);

    http::Handler voices = [&speech](http::Request& request) { return Voices(request, speech); };
    router.Add(http::Method::kGet, "/v1/audio/voices", voices, options);
    router.Add(http::Method::kGet, "/v1/audio/models",
               http::QuickHandler([&catalogue](http::Request&) {
                   return http::JsonResponse(200, AudioModels(catalogue));
               }),
               options);
}

}  // namespace vf::openai
