#pragma once
// The HTTP/1.1 server: listens on TCP (optionally with TLS) and on a Unix socket and answers by a
// Router. Runs wholly on the io_context's one thread. The server and the router must live until the
// io_context has stopped.
//
// Protocol: RFC 9110 and 9112. What is malformed gets 400 and a closed connection; there is no
// leniency in framing, so that no proxy in front can be made to see other requests than we do.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/settings.hpp"
#include "base/task.hpp"
#include "http/router.hpp"

namespace vf::http {

struct ServerOptions {
    std::string host = "127.0.0.1";  // an address or "localhost"; "" for no TCP
    std::int64_t port = 8080;        // 0: any free one
    std::string unix_socket;         // a path; "" for none
    std::string tls_certificate;     // PEM file with the chain; with tls_key turns TLS on for TCP
    std::string tls_key;

    std::uint64_t max_header_bytes = 16 * 1024;  // request line and header fields
    std::uint64_t max_target_bytes = 8 * 1024;
    std::int64_t max_headers = 100;
    std::uint64_t max_body = 1024 * 1024;  // where a route says nothing else
    // Bodies beyond 64 KiB that are read or answered at once, by their announced lengths (those of
    // unknown length count as long as they may be); more get 503.
    std::uint64_t max_body_memory = 1024ULL * 1024 * 1024;
    std::int64_t max_connections = 16384;

    std::chrono::milliseconds header_timeout{10'000};  // first byte to end of the header
    std::chrono::milliseconds body_timeout{20'000};    // without a byte, and on top of the rate
    std::uint64_t min_body_rate = 1024;                // bytes per second, on average
    std::chrono::milliseconds idle_timeout{75'000};    // between requests
    std::chrono::milliseconds write_timeout{30'000};   // the client takes no byte
    std::chrono::milliseconds drain_timeout{8'000};

    // WebSockets.
    std::int64_t ws_max_sockets = 4096;                  // open at once; more get 503
    std::uint64_t ws_max_message = 1024 * 1024;          // bytes of a client's message
    std::uint64_t ws_send_buffer = 256 * 1024;           // bytes that wait for a slow client
    std::chrono::milliseconds ws_ping_interval{30'000};  // of silence before a ping
    std::chrono::milliseconds ws_pong_timeout{60'000};   // after that for an answer

    bool access_log = true;
};

// Section "http".
void DeclareSettings(SettingsSchema& schema, ServerOptions& options);

class ServerCore;

class Server {
public:
    Server(asio::io_context& loop, Router& router, ServerOptions options);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Opens the sockets and starts to accept. Errors are sentences for the operator: address in
    // use, no right, bad certificate.
    Result<void> Listen();
    // The TCP port that is open; 0 without TCP.
    std::uint16_t port() const;

    void StopAccepting();
    // Stops accepting, closes idle connections, lets running requests finish (their responses say
    // "Connection: close") and closes the rest when `limit` has passed.
    Task<void> Drain(std::chrono::milliseconds limit);

    std::size_t connections() const;

    // Time for the deadlines; the server looks at them four times a second through Tick().
    using Clock = std::function<std::chrono::steady_clock::time_point()>;
    void UseClockForTest(Clock clock);
    void Tick();

private:
    std::shared_ptr<ServerCore> core_;
};

}  // namespace vf::http
