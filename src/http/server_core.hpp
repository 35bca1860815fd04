#pragma once
// What the connections of one server share: options, router, clocks, counters and the list of
// themselves. Lives until the last connection is gone; used on the loop only.

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "http/access_log.hpp"
#include "http/metrics.hpp"
#include "http/server.hpp"
#include "http/transport.hpp"

namespace vf::http {

class Connection;

using Descriptor = asio::posix::basic_stream_descriptor<Executor>;
using TimePoint = std::chrono::steady_clock::time_point;

class ServerCore : public std::enable_shared_from_this<ServerCore> {
public:
    ServerCore(asio::io_context& loop, Router& router, ServerOptions options);

    Result<void> Listen();
    void StopAccepting();
    Task<void> Drain(std::chrono::milliseconds limit);
    // Closes everything at once.
    void Shutdown();
    void Tick();

    // For connections.
    void Remove(Connection& connection);
    void Log(const Request& request, Route* route, const AccessEntry& entry);
    WallClock& wall_clock() { return wall_clock_; }
    const TimePoint& now() const { return now_; }
    bool draining() const { return draining_; }
    char* scratch() { return scratch_.data(); }
    std::size_t scratch_size() const { return scratch_.size(); }

    const ServerOptions options;
    Router& router;
    const Executor executor;
    ServerMetrics metrics;
    Server::Clock clock;
    std::uint16_t port = 0;
    std::size_t connections() const { return connections_.size(); }
    std::int64_t sockets = 0;      // open WebSockets
    std::uint64_t body_bytes = 0;  // of the larger bodies that connections hold

private:
    struct Listener {
        explicit Listener(const Executor& executor) : descriptor(executor) {}
        Descriptor descriptor;
        bool is_unix = false;
        bool is_starved = false;  // out of file descriptors: tried again by Tick()
    };

    Result<void> ListenTcp();
    Result<void> ListenUnix();
    void Watch(std::shared_ptr<Listener> listener);
    void AcceptAll(const std::shared_ptr<Listener>& listener);
    void Open(int fd, Peer peer);
    void ScheduleTick();

    std::optional<TlsContext> tls_;
    std::vector<std::shared_ptr<Listener>> listeners_;
    std::vector<std::shared_ptr<Connection>> connections_;
    std::vector<char> scratch_;
    WallClock wall_clock_;
    AccessLog access_log_;
    RouteMetrics unknown_route_{"none"};
    SteadyTimer tick_timer_;
    SteadyTimer all_closed_;
    TimePoint now_;
    bool draining_ = false;
    bool shut_down_ = false;
};

}  // namespace vf::http
