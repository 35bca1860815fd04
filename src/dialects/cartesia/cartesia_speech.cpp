// POST /tts/bytes and POST /tts/sse.

#include "dialects/cartesia/cartesia_error.hpp"
#include "dialects/cartesia/cartesia_events.hpp"
#include "dialects/cartesia/cartesia_routes.hpp"
#include "dialects/cartesia/generation.hpp"
#include "dialects/speech_response.hpp"
#include "speech/timed_reader.hpp"

namespace vf::cartesia {
namespace {

using http::Request;
using http::Response;

constexpr std::size_t kPipeBytes = 256 * 1024;
constexpr std::uint64_t kMaxBody = 1ULL << 20U;

std::string Event(const char* name, const std::string& data) {
    return "event: " + std::string(name) + "\ndata: " + data + "\n\n";
}

// "chunk" of {"type":"chunk",…}: Events writes the type first.
std::string Event(const std::string& data) {
    constexpr std::size_t kTypeAt = std::string_view(R"({"type":")").size();
    return Event(data.substr(kTypeAt, data.find('"', kTypeAt) - kTypeAt).c_str(), data);
}

Task<void> WriteEvents(std::shared_ptr<speech::Speech> speech, std::shared_ptr<BytePipe> out,
                       Generation generation, std::string text, std::string request_id) {
    Events events(generation, generation.context, false);
    speech::TimedReader reader(speech);
    for (;;) {
        Result<std::optional<speech::TimedChunk>> next = co_await reader.Next();
        if (!next) {
            const Error error = next.error();
            const json::object event = ErrorEvent(error, request_id, generation.context);
            out->WriteNow(Event("error", json::Print(event)));
            out->Fail(error);
            co_return;
        }
        if (!*next) break;
        const std::vector<std::string> messages = events.OfChunk(**next, text);
        std::string written;
        for (const std::string& message : messages) written += Event(message);
        if (written.empty()) continue;
        const bool taken = co_await out->Write(std::move(written));
        if (!taken) {
            speech->pipe->Abandon();
            co_return;
        }
    }
    if (speech->pipe->abandoned()) {
        out->Fail(Error());
        co_return;
    }
    out->WriteNow(Event("done", events.Done()));
    out->Finish();
}

Task<Result<std::shared_ptr<speech::Speech>>> Start(Request& request, const Deps& deps,
                                                    Generation* generation) {
    speech::SpeechRequest& speech = generation->speech;
    dialects::Sign(speech, request);
    auto named = generation->dictionaries;
    Result<void> ready =
        co_await dialects::UseDictionaries(speech, deps.dictionaries, std::move(named));
    if (!ready) co_return std::move(ready).error();
    auto started = co_await deps.speech.Start(std::move(speech));
    if (!started) co_return std::move(started).error();
    dialects::AbandonOnCancel(request, **started);
    const Result<void> first = co_await deps.speech.WaitForAudio(*started);
    if (!first) co_return first.error();
    co_return *std::move(started);
}

Response Begin(const std::shared_ptr<speech::Speech>& speech, const Request& request) {
    Response response = dialects::AudioResponse(speech);
    response.headers.Set("Cartesia-Request-ID", request.id);
    return response;
}

Task<Response> SpeakBytes(Request& request, const Deps& deps) {
    const Result<void> version = CheckVersion(request);
    if (!version) co_return ErrorResponse(version.error(), request);
    const engines::VoiceView voices = co_await deps.speech.Voices(request.caller.team);
    Result<Generation> generation = ReadGeneration(request.body, Containers::kAll, voices);
    if (!generation) co_return ErrorResponse(generation.error(), request);
    generation->speech.wants_timing = false;
    const auto started = co_await Start(request, deps, &*generation);
    if (!started) co_return ErrorResponse(started.error(), request);
    Response response = Begin(*started, request);
    // What is ready at once goes out with its length and exact sizes; the rest streams.
    std::optional<std::string> whole = deps.speech.TakeIfComplete(**started);
    if (whole) {
        response.body = *std::move(whole);
    } else {
        response.body = http::StreamBody{(*started)->pipe, std::nullopt};
    }
    co_return response;
}

Task<Response> SpeakEvents(Request& request, const Deps& deps) {
    const Result<void> version = CheckVersion(request);
    if (!version) co_return ErrorResponse(version.error(), request);
    const engines::VoiceView voices = co_await deps.speech.Voices(request.caller.team);
    Result<Generation> generation = ReadGeneration(request.body, Containers::kRawOnly, voices);
    if (!generation) co_return ErrorResponse(generation.error(), request);
    std::string text = generation->speech.text;
    const auto started = co_await Start(request, deps, &*generation);
    if (!started) co_return ErrorResponse(started.error(), request);
    const Executor executor = co_await asio::this_coro::executor;
    Response response = Begin(*started, request);
    response.headers.Set("Content-Type", "text/event-stream");
    auto out = std::make_shared<BytePipe>(executor, kPipeBytes);
    out->OnAbandon([pipe = (*started)->pipe] { pipe->Abandon(); });
    Spawn(executor, WriteEvents(*started, out, *std::move(generation), std::move(text), request.id),
          "cartesia_events");
    response.body = http::StreamBody{out, std::nullopt};
    co_return response;
}

}  // namespace

void AddSpeechRoutes(http::Router& router, const Deps& deps) {
    http::RouteOptions options;
    options.errors = &ErrorResponse;
    options.guard = deps.access.Guard(Scope::kSpeechWrite);
    options.consumes = {"application/json"};
    options.max_body = kMaxBody;
    const auto add = [&](const char* pattern, Task<Response> (*speak)(Request&, const Deps&)) {
        http::Handler inner = [deps = &deps, speak](Request& request) {
            return speak(request, *deps);
        };
        router.Add(http::Method::kPost, pattern,
                   deps.idempotency.Wrap(std::move(inner), &ErrorResponse), options);
    };
    add("/tts/bytes", &SpeakBytes);
    add("/tts/sse", &SpeakEvents);
}

}  // namespace vf::cartesia
