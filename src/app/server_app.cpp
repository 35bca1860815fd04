#include "app/server_app.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <thread>

#include "app/database_setup.hpp"
#include "app/ground.hpp"
#include "app/install_paths.hpp"
#include "app/system_routes.hpp"
#include "base/log.hpp"
#include "base/unavailable.hpp"
#include "dialects/cartesia/cartesia_routes.hpp"
#include "dialects/deepgram/deepgram_routes.hpp"
#include "dialects/elevenlabs/elevenlabs_routes.hpp"
#include "dialects/models/models_routes.hpp"
#include "dialects/native/native_routes.hpp"
#include "dialects/native/preview.hpp"
#include "dialects/native/stream_socket.hpp"
#include "dialects/native/voice_routes.hpp"
#include "dialects/openai/openai_routes.hpp"
#include "dialects/speech_response.hpp"
#include "http/server.hpp"
#include "http/static_files.hpp"
#include "neural/neural.hpp"
#include "pg/data_dir_lock.hpp"
#include "pg/private_cluster.hpp"
#include "speech/speech_service.hpp"
#include "text/normalise.hpp"
#include "text/split.hpp"

namespace vf::app {
namespace {

// Scripts, styles and requests of the page come from this server only; nothing may frame it.
constexpr const char* kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

constexpr std::chrono::seconds kDatabaseRetry{1};
constexpr std::chrono::seconds kDatabaseWait{10};  // for both kinds of connections

// Everything the page may load comes from this server; files change only with a new version.
http::StaticFiles LoadPage(const std::filesystem::path& folder) {
    http::StaticOptions options;
    options.content_security_policy = kPagePolicy;
    Result<http::StaticFiles> files = http::StaticFiles::Load(folder, std::move(options));
    if (!files) throw std::runtime_error(files.error().message());
    return *std::move(files);
}

// The address to tell a person.
std::string AddressOf(const http::ServerOptions& options, std::uint16_t port) {
    if (port == 0) return "unix:" + options.unix_socket;
    std::string host = options.host;
    if (host == "0.0.0.0" || host == "::") host = "127.0.0.1";
    if (host.find(':') != std::string::npos) host = "[" + host + "]";
    return fmt::format("{}://{}:{}", options.tls_certificate.empty() ? "http" : "https", host,
                       port);
}

std::size_t DspThreads(const AppSettings& settings) {
    if (settings.speech.dsp_threads > 0) {
        return static_cast<std::size_t>(settings.speech.dsp_threads);
    }
    return std::max(1U, std::thread::hardware_concurrency());
}

std::shared_ptr<const std::string> ReadFile(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("an installed file is missing: " + path.string());
    return std::make_shared<const std::string>(std::istreambuf_iterator<char>(file),
                                               std::istreambuf_iterator<char>());
}

native::PreviewSentences LoadPreviewSentences(const std::filesystem::path& path) {
    Result<native::PreviewSentences> sentences = native::PreviewSentences::Read(*ReadFile(path));
    if (!sentences) throw std::runtime_error(path.string() + ": " + sentences.error().message());
    return *std::move(sentences);
}

using SignalSet = asio::basic_signal_set<Executor>;

}  // namespace

// Members in the order of their making; what stands below uses what stands above.
struct ServerApp::Impl {
    explicit Impl(const AppSettings& s)
        : settings(s), paths(FindInstallPaths()), dsp(DspThreads(s)), engines(loop, s.engines),
          models(loop, slow, engines, s.data_dir, s.models), access(loop, s.access),
          ground(loop, slow, s, access),
          speech(loop, engines, dsp, s.speech, ground.metering(), &ground.vendors()),
          stream_socket{loop.get_executor(), speech, access, s.sockets, ground.dictionaries()},
          cartesia{
              loop.get_executor(),   speech,   engines.catalogue(), access, ground.idempotency(),
              ground.dictionaries(), s.sockets},
          deepgram{
              loop.get_executor(),   speech,   engines.catalogue(), access, ground.idempotency(),
              ground.dictionaries(), s.sockets},
          previews(engines, speech, LoadPreviewSentences(paths.voices / "previews.tsv"),
                   s.previews),
          page(LoadPage(paths.page)),
          system{readiness, engines, ground, access, ReadFile(paths.openapi), page},
          elevenlabs(router, {speech, engines, access, ground.idempotency(), ground.dictionaries(),
                              ground.history(), ground.voice_settings(),
                              [this] { return ground.database(); }, s.speech.max_concurrent,
                              loop.get_executor(), s.sockets}),
          server(loop, router, s.http) {
        SystemRoutes::Add(router, system);
        ground.AddRoutes(router);
        native::AddRoutes(router, speech, access, ground.idempotency(), ground.dictionaries(),
                          ground.blobs());
        native::AddVoiceRoutes(router, speech, previews, access);
        openai::AddRoutes(router, speech, engines.catalogue(), access, ground.idempotency(),
                          ground.dictionaries());
        cartesia::AddRoutes(router, cartesia);
        deepgram::AddRoutes(router, deepgram);
        models::AddRoutes(router, engines.catalogue(), access);
        native::AddStreamSocket(router, stream_socket);
    }

    const AppSettings& settings;
    InstallPaths paths;
    asio::io_context loop{1};
    asio::thread_pool dsp;
    asio::thread_pool slow{2};  // waits for the database's start and stop
    Readiness readiness;
    std::unique_ptr<pg::DataDirLock> lock;
    std::unique_ptr<pg::PrivateCluster> cluster;
    engines::Engines engines;
    neural::Models models;
    identity::Access access;
    Ground ground;
    speech::SpeechService speech;
    native::StreamSocketDeps stream_socket;
    cartesia::Deps cartesia;
    deepgram::Deps deepgram;
    native::Previews previews;
    http::StaticFiles page;
    SystemRoutes system;
    http::Router router;
    elevenlabs::Routes elevenlabs;
    http::Server server;
    SignalSet signals{loop, SIGTERM, SIGINT};
    int exit_code = 0;
    bool stopping = false;

    static Task<void> StartEngines(Impl* self);
    static Task<void> StartDatabase(Impl* self);
    static Task<Result<void>> UseDatabase(Impl* self, std::string url);
    static Task<void> WaitForSignal(Impl* self);
    static Task<void> Stop(Impl* self);

    Task<Result<std::string>> DatabaseUrl();
    void AnnounceWhenReady();
    void Fail(const Error& error);
};

void ServerApp::Impl::Fail(const Error& error) {
    if (stopping) return;
    log::Error("start_failed", {{"code", error.code()}, {"error", error.message()}});
    fmt::print(stderr, "voiceflowd: {}\n", error.message());
    exit_code = 1;
    stopping = true;
    Spawn(loop.get_executor(), Stop(this), "stop");
}

void ServerApp::Impl::AnnounceWhenReady() {
    if (!system.is_ready()) return;
    const std::string address = AddressOf(settings.http, server.port());
    log::Info("ready", {{"address", address},
                        {"voices", engines.catalogue().All().size()},
                        {"version", VOICEFLOW_VERSION}});
    fmt::print("VoiceFlow is ready at {}\n", address);
    std::fflush(stdout);
}

Task<void> ServerApp::Impl::StartEngines(Impl* self) {
    co_await self->engines.Start();
    co_await self->models.Start();
    self->readiness.engines_started = true;
    self->AnnounceWhenReady();
}

// The configured database, or the private cluster that is started for it.
Task<Result<std::string>> ServerApp::Impl::DatabaseUrl() {
    if (!settings.pool.url.empty()) co_return settings.pool.url;
    auto start = [this] { return pg::PrivateCluster::Start(*lock, settings.cluster); };
    Result<std::unique_ptr<pg::PrivateCluster>> started = co_await Offload(slow, std::move(start));
    if (!started) co_return std::move(started).error();
    cluster = *std::move(started);
    co_return cluster->url();
}

// From a url to a database in use. kUnavailable and kDeadline are worth another try.
Task<Result<void>> ServerApp::Impl::UseDatabase(Impl* self, std::string url) {
    auto prepare = [self, url] {
        return PrepareDatabase(self->settings, url, self->ground.keyring());
    };
    Result<PreparedDatabase> prepared = co_await Offload(self->slow, std::move(prepare));
    if (!prepared) co_return std::move(prepared).error();
    if (self->stopping) co_return Result<void>();
    auto database = OpenDatabase(self->loop, self->settings, prepared->urls);
    Result<void> outcome;
    try {
        outcome = co_await EnsurePlans(*database, self->paths);
        if (outcome) {
            co_await database->WaitAvailable(kDatabaseWait);
            co_await self->ground.Start(database);
        }
    } catch (const UnavailableException& e) {
        outcome = e.error;
    } catch (const std::exception& e) {
        outcome = Error(ErrorKind::kInternal, "database_unusable", e.what());
    }
    if (!outcome) database->Close();
    co_return outcome;
}

Task<void> ServerApp::Impl::StartDatabase(Impl* self) {
    Result<std::string> url = co_await self->DatabaseUrl();
    if (!url) {
        self->Fail(url.error());
        co_return;
    }
    for (;;) {
        const Result<void> used = co_await UseDatabase(self, *url);
        if (self->stopping) co_return;
        if (used) break;
        const bool is_away = used.error().kind() == ErrorKind::kUnavailable ||
                             used.error().kind() == ErrorKind::kDeadline;
        if (!is_away) {
            self->Fail(used.error());
            co_return;
        }
        log::Warning("database_unavailable", {{"error", used.error().message()}});
        co_await Sleep(kDatabaseRetry);
    }
    self->readiness.database_started = true;
    self->AnnounceWhenReady();
}

Task<void> ServerApp::Impl::WaitForSignal(Impl* self) {
    co_await self->signals.async_wait(kAwaitTuple);
    if (self->stopping) co_return;
    self->stopping = true;
    co_await Stop(self);
}

Task<void> ServerApp::Impl::Stop(Impl* self) {
    log::Info("stopping", {});
    self->readiness.draining = true;
    self->signals.cancel();
    self->ground.Drain();
    co_await self->server.Drain(self->settings.http.drain_timeout);
    self->models.Stop();
    co_await self->engines.Stop();
    co_await self->ground.Stop();
    if (self->cluster) {
        auto stop = [cluster = self->cluster.get()] { cluster->Stop(); };
        co_await Offload(self->slow, std::move(stop));
    }
    self->loop.stop();
}

ServerApp::ServerApp(const AppSettings& settings) : impl_(std::make_unique<Impl>(settings)) {}

ServerApp::~ServerApp() = default;

std::string ServerApp::Routes() const {
    std::string out;
    for (const http::RouteInfo& route : impl_->router.Routes()) {
        const std::string_view method = route.is_socket ? "WS" : http::MethodName(route.method);
        out += fmt::format("{} {}\n", method, route.pattern);
    }
    return out;
}

int ServerApp::Run() {
    Impl& app = *impl_;
    Result<pg::DataDirLock> lock = pg::DataDirLock::Acquire(app.settings.data_dir);
    if (!lock) {
        fmt::print(stderr, "voiceflowd: {}\n", lock.error().message());
        return 1;
    }
    app.lock = std::make_unique<pg::DataDirLock>(*std::move(lock));
    const Result<void> opened = app.ground.Open();
    if (!opened) {
        fmt::print(stderr, "voiceflowd: {}\n", opened.error().message());
        return 1;
    }
    const Result<void> listening = app.server.Listen();
    if (!listening) {
        fmt::print(stderr, "voiceflowd: {}\n", listening.error().message());
        return 1;
    }
    text::WarmUpNormaliser();
    text::WarmUp();  // on the thread that splits: the first request should not wait for tables
    const Executor executor = app.loop.get_executor();
    Spawn(executor, Impl::WaitForSignal(&app), "signals");
    Spawn(executor, Impl::StartEngines(&app), "start_engines");
    Spawn(executor, Impl::StartDatabase(&app), "start_database");
    app.loop.run();
    app.dsp.join();
    app.slow.join();
    log::Info("stopped", {{"exit_code", app.exit_code}});
    log::Flush();
    return app.exit_code;
}

}  // namespace vf::app
