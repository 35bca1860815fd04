// The corridor alone behind the server's own HTTP: no callers, no plans, no journal. What the whole
// server is compared with. POST /speak with {"text": …, "voice": …}, pcm at the engine's rate.
// Prints its port. Usage: bare_speech_server engines   (comma-separated)

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <thread>

#include "base/json.hpp"
#include "base/log.hpp"
#include "dialects/speech_response.hpp"
#include "engines/engines.hpp"
#include "http/problem.hpp"
#include "http/server.hpp"
#include "speech/speech_service.hpp"
#include "text/split.hpp"

namespace {

using namespace vf;

Task<http::Response> Speak(http::Request& request, speech::SpeechService& service) {
    const Result<json::Parsed> body = json::Parse(request.body);
    if (!body) co_return http::ProblemResponse(body.error(), request);
    speech::SpeechRequest speech;
    speech.text = body->root.at("text").as_string();
    speech.voice = body->root.at("voice").as_string();
    speech.format = audio::Format::kPcm;
    speech.sample_rate = 16000;
    speech.whole = true;
    Result<std::shared_ptr<speech::Speech>> started = co_await service.Start(std::move(speech));
    if (!started) co_return http::ProblemResponse(started.error(), request);
    const std::shared_ptr<speech::Speech> spoken = *started;
    dialects::AbandonOnCancel(request, *spoken);
    Result<std::string> audio = co_await service.Collect(spoken);
    if (!audio) co_return http::ProblemResponse(audio.error(), request);
    http::Response response = dialects::AudioResponse(spoken);
    response.on_done = nullptr;
    response.body = *std::move(audio);
    co_return response;
}

Task<void> Begin(engines::Engines* all, http::Server* server) {
    co_await all->Start();
    std::printf("%d\n", server->port());
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    log::Configure(log::Level::kWarning, log::Format::kJson, "");
    asio::io_context loop(1);
    asio::thread_pool dsp(std::max(1U, std::thread::hardware_concurrency()));
    engines::EngineOptions engine_options;
    engine_options.enable = argc > 1 ? argv[1] : "fake";
    engines::Engines all(loop, engine_options);
    speech::SpeechService service(loop, all, dsp, {});
    http::Router router;
    router.Add(http::Method::kPost, "/speak", http::Handler([&service](http::Request& request) {
                   return Speak(request, service);
               }));
    http::ServerOptions options;
    options.port = 0;
    options.access_log = false;
    http::Server server(loop, router, options);
    if (!server.Listen()) return 1;
    text::WarmUp();
    asio::basic_signal_set<Executor> signals(loop, SIGTERM, SIGINT);
    signals.async_wait([&](ErrorCode, int) { loop.stop(); });
    Spawn(loop.get_executor(), Begin(&all, &server), "begin");
    loop.run();
    dsp.join();
    return 0;
}
