#include "dialects/deepgram/deepgram_routes.hpp"

#include <boost/describe.hpp>

#include "base/json_body.hpp"
#include "dialects/deepgram/deepgram_error.hpp"
#include "dialects/deepgram/speak_query.hpp"
#include "dialects/deepgram/voice_models.hpp"
#include "dialects/speech_response.hpp"

namespace vf::deepgram {

struct SpeakBody {
    json::Required<std::string> text;
};
BOOST_DESCRIBE_STRUCT(SpeakBody, (), (text))

namespace {

using http::Request;
using http::Response;

constexpr std::size_t kMaxText = 2'000;            // characters
constexpr std::uint64_t kMaxBody = 256ULL * 1024;  // of them, escaped

Task<Response> Speak(Request& request, const Deps& deps) {
    const engines::VoiceView voices = co_await deps.speech.Voices(request.caller.team);
    const Result<SpeakQuery> query = ReadSpeakQuery(request, Door::kHttp, voices);
    if (!query) co_return ErrorResponse(query.error(), request);
    Result<SpeakBody> body = json::ReadBody<SpeakBody>(request.body, json::Members::kOpen);
    if (!body) co_return ErrorResponse(body.error(), request);
    speech::SpeechRequest speech = RequestOf(*query);
    speech.text = std::move(body->text.value);
    speech.max_characters = kMaxText;
    speech.wants_timing = false;
    dialects::Sign(speech, request);
    const Result<void> ready = co_await dialects::UseDictionaries(speech, deps.dictionaries);
    if (!ready) co_return ErrorResponse(ready.error(), request);
    const auto started = co_await deps.speech.Start(std::move(speech));
    if (!started) co_return ErrorResponse(started.error(), request);
    dialects::AbandonOnCancel(request, **started);
    const Result<void> first = co_await deps.speech.WaitForAudio(*started);
    if (!first) co_return ErrorResponse(first.error(), request);
    Response response = dialects::AudioResponse(*started);
    response.headers.Set("dg-request-id", request.id);
    response.headers.Set("dg-model-name", query->model);
    response.headers.Set("dg-model-uuid", ModelUuid(query->voice));
    response.headers.Set("dg-char-count", std::to_string((*started)->characters));
    // What is ready at once goes out with its length and exact sizes; the rest streams.
    std::optional<std::string> whole = deps.speech.TakeIfComplete(**started);
    if (whole) {
        response.body = *std::move(whole);
    } else {
        response.body = http::StreamBody{(*started)->pipe, std::nullopt};
    }
    co_return response;
}

}  // namespace

void AddRoutes(http::Router& router, const Deps& deps) {
    router.ErrorsUnder("/v1/speak", &ErrorResponse);
    router.ErrorsUnder("/v2/speak", &ErrorResponse);
    http::RouteOptions options;
    options.errors = &ErrorResponse;
    options.guard = deps.access.Guard(Scope::kSpeechWrite);
    options.consumes = {"application/json"};
    options.max_body = kMaxBody;
    http::Handler speak = [deps = &deps](Request& request) { return Speak(request, *deps); };
    router.Add(http::Method::kPost, "/v1/speak",
               deps.idempotency.Wrap(std::move(speak), &ErrorResponse), options);
    AddSocketRoutes(router, deps);
    router.Mount("deepgram");
}

}  // namespace vf::deepgram
