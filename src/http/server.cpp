#include "http/server.hpp"

#include <fmt/format.h>

#include "http/connection.hpp"
#include "http/server_core.hpp"

namespace vf::http {
namespace {

constexpr std::size_t kScratch = 64 * 1024;
constexpr std::chrono::milliseconds kTick{250};

}  // namespace

ServerCore::ServerCore(asio::io_context& loop, Router& router_, ServerOptions options_)
    : options(std::move(options_)), router(router_), executor(loop.get_executor()),
      clock([] { return std::chrono::steady_clock::now(); }), scratch_(kScratch),
      tick_timer_(executor), all_closed_(executor), now_(clock()) {
    wall_clock_.Update();
}

void ServerCore::Remove(Connection& connection) {
    const std::size_t at = connection.index;
    if (at >= connections_.size() || connections_[at].get() != &connection) return;
    std::swap(connections_[at], connections_.back());
    connections_[at]->index = at;
    const std::shared_ptr<Connection> keep = std::move(connections_.back());
    connections_.pop_back();
    metrics.connections.Decrement();
    if (connections_.empty()) all_closed_.cancel();
}

void ServerCore::Log(const Request& request, Route* route, const AccessEntry& entry) {
    RouteMetrics* counters = &unknown_route_;
    if (route) {
        if (!route->metrics) route->metrics = std::make_shared<RouteMetrics>(route->pattern);
        counters = route->metrics.get();
    }
    counters->Count(request.method, entry.status,
                    std::chrono::duration<double>(entry.duration).count());
    if (options.access_log) access_log_.Write(request, entry, wall_clock_);
}

void ServerCore::ScheduleTick() {
    tick_timer_.expires_after(kTick);
    tick_timer_.async_wait([self = shared_from_this()](ErrorCode error) {
        if (error || self->shut_down_) return;
        self->Tick();
        self->ScheduleTick();
    });
}

void ServerCore::Tick() {
    now_ = clock();
    for (std::size_t i = connections_.size(); i-- > 0;) {
        if (i >= connections_.size()) continue;  // several closed at once
        const std::shared_ptr<Connection> connection = connections_[i];
        connection->OnTick(now_);
    }
    for (const auto& listener : std::vector(listeners_)) {
        if (std::exchange(listener->is_starved, false)) Watch(listener);
    }
}

Task<void> ServerCore::Drain(std::chrono::milliseconds limit) {
    const auto self = shared_from_this();
    draining_ = true;
    StopAccepting();
    for (const auto& connection : std::vector(connections_)) connection->OnDrain();
    all_closed_.expires_after(limit);
    if (!connections_.empty()) co_await all_closed_.async_wait(kAwaitTuple);
    Shutdown();
}

void ServerCore::Shutdown() {
    shut_down_ = true;
    StopAccepting();
    tick_timer_.cancel();
    for (const auto& connection : std::vector(connections_)) connection->CloseForGood();
}

Server::Server(asio::io_context& loop, Router& router, ServerOptions options)
    : core_(std::make_shared<ServerCore>(loop, router, std::move(options))) {}

Server::~Server() {
    core_->Shutdown();
}

Result<void> Server::Listen() {
    return core_->Listen();
}

std::uint16_t Server::port() const {
    return core_->port;
}

void Server::StopAccepting() {
    core_->StopAccepting();
}

Task<void> Server::Drain(std::chrono::milliseconds limit) {
    return core_->Drain(limit);
}

std::size_t Server::connections() const {
    return core_->connections();
}

void Server::UseClockForTest(Clock clock) {
    core_->clock = std::move(clock);
    core_->Tick();
}

void Server::Tick() {
    core_->Tick();
}

void DeclareSettings(SettingsSchema& schema, ServerOptions& options) {
    using std::chrono::milliseconds;
    using std::chrono::minutes;
    constexpr std::uint64_t kKiB = 1024;
    constexpr std::uint64_t kMiB = 1024 * kKiB;
    schema.Text("http.host", options.host,
                {"127.0.0.1", "Address to listen on; empty for no TCP, \"::\" for all."});
    schema.Integer("http.port", options.port, 0, 65535,
                   {"8080", "TCP port to listen on; 0 takes any free one."});
    schema.Text("http.unix_socket", options.unix_socket,
                {"/run/voiceflow/http.sock", "Path of a Unix socket to listen on as well."});
    schema.Text("http.tls_certificate", options.tls_certificate,
                {"/etc/voiceflow/tls.crt", "PEM file with the certificate chain; turns TLS on."});
    schema.Text("http.tls_key", options.tls_key,
                {"/etc/voiceflow/tls.key", "PEM file with the certificate's private key."});
    schema.Bytes("http.max_header_bytes", options.max_header_bytes, kKiB, kMiB,
                 {"16KiB", "Largest request header, request line included."});
    schema.Bytes("http.max_target_bytes", options.max_target_bytes, 256, 64 * kKiB,
                 {"8KiB", "Longest path with query."});
    schema.Integer("http.max_headers", options.max_headers, 10, 1000,
                   {"100", "Most header fields of one request."});
    schema.Bytes("http.max_body", options.max_body, kKiB, 1024 * kMiB,
                 {"1MiB", "Largest request body where a route says nothing else."});
    schema.Bytes("http.max_body_memory", options.max_body_memory, kMiB, 1024 * 1024 * kMiB,
                 {"1GiB", "Larger request bodies held at once; more get 503."});
    schema.Integer("http.max_connections", options.max_connections, 1, 1'000'000,
                   {"16384", "Most open connections; more get 503."});
    schema.Duration("http.header_timeout", options.header_timeout, milliseconds(100), minutes(10),
                    {"10s", "Time for a request's header to arrive."});
    schema.Duration("http.body_timeout", options.body_timeout, milliseconds(100), minutes(10),
                    {"20s", "Longest pause within a request's body, and its start-up time."});
    schema.Bytes("http.min_body_rate", options.min_body_rate, 1, 1024 * kMiB,
                 {"1KiB", "Slowest average rate of a request's body, per second."});
    schema.Duration("http.idle_timeout", options.idle_timeout, milliseconds(100), minutes(60),
                    {"75s", "Time an idle connection is kept open."});
    schema.Duration("http.write_timeout", options.write_timeout, milliseconds(100), minutes(60),
                    {"30s", "Time a client may take no byte of its response."});
    schema.Duration("http.drain_timeout", options.drain_timeout, milliseconds(0), minutes(10),
                    {"8s", "Time running requests get to finish when the server stops."});
    schema.Integer("http.ws_max_sockets", options.ws_max_sockets, 1, 1'000'000,
                   {"4096", "Most open WebSockets; more get 503."});
    schema.Bytes("http.ws_max_message", options.ws_max_message, kKiB, 64 * kMiB,
                 {"1MiB", "Largest message of a WebSocket's client."});
    schema.Bytes("http.ws_send_buffer", options.ws_send_buffer, 4 * kKiB, 64 * kMiB,
                 {"256KiB", "Bytes that wait for a WebSocket's client before its speech waits."});
    schema.Duration("http.ws_ping_interval", options.ws_ping_interval, milliseconds(100),
                    minutes(60), {"30s", "Silence of a WebSocket's client before it is pinged."});
    schema.Duration("http.ws_pong_timeout", options.ws_pong_timeout, milliseconds(100), minutes(60),
                    {"60s", "Time for it to answer before it is taken for gone."});
    schema.Flag("http.access_log", options.access_log,
                {"true", "One line per request in the log."});
}

}  // namespace vf::http
