#pragma once
// The outbound HTTP client: libcurl's multi interface driven by the loop, without threads of its
// own (libcurl starts one while it looks up a name).
//
// HTTP/1.1 over TCP and TLS (verified against the system's certificates). It follows no redirect,
// uses no proxy, keeps no cookie and sends no credentials by itself. Connections are kept and used
// again, apart for each AddressPolicy. Every wait has a deadline, every answer a bound.
// On the loop; not thread-safe. One client serves the whole process.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/byte_pipe.hpp"
#include "base/cancel.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "http/headers.hpp"
#include "http/request.hpp"

struct sockaddr;

namespace vf::http {

// Which addresses a request may connect to. Checked on the address itself, right before connecting,
// so that neither a redirect nor a name that changes its address gets past it.
enum class AddressPolicy {
    kAny,         // for endpoints that the operator configured
    kPublicOnly,  // for URLs from users: no private, loopback, link-local (cloud metadata), unique
                  // local, shared, multicast or reserved address, nor one of those inside IPv6
};

// True for an IPv4 or IPv6 address that anybody on the internet may have.
bool IsPublicAddress(const sockaddr& address);

struct ClientRequest {
    Method method = Method::kGet;
    std::string url;  // http or https, ASCII, escaped; sent as it is, without user and password
    Headers headers;
    std::string body;
    std::shared_ptr<const std::string> shared_body;  // instead of `body`, without a copy
    // Instead of both: exactly `body_length` bytes from a pipe. A pipe that fails or ends short
    // ends the exchange (request_body_broken); it is abandoned when the exchange ends early.
    std::shared_ptr<BytePipe> body_pipe;
    std::uint64_t body_length = 0;

    AddressPolicy addresses = AddressPolicy::kAny;
    std::chrono::milliseconds connect_timeout{5000};
    // Until the whole answer is there; when it is streamed, until its head is.
    std::chrono::milliseconds deadline{30'000};
    // The longest time without a byte either way, counted in whole seconds; a streamed answer whose
    // reader waits is not counted.
    std::chrono::milliseconds idle_timeout{30'000};
    std::uint64_t max_response_bytes = 1ULL << 20U;  // of the body
    // The answer's body comes in ClientResponse::pipe, and Send() returns with its head.
    bool stream_response = false;
    // Ends the exchange when cancelled: request_cancelled.
    std::shared_ptr<CancelFlag> cancel;
};

struct ClientResponse {
    int status = 0;  // of any kind: 404 and 500 are answers too
    Headers headers;
    std::string body;
    // Set when streamed. Bounded; abandoning it ends the transfer. Fails with the errors of Send()
    // when the body breaks off.
    std::shared_ptr<BytePipe> pipe;
};

struct ClientOptions {
    std::size_t connections = 128;          // at once, to all hosts
    std::size_t connections_per_host = 32;  // exchanges beyond wait
    std::size_t exchanges = 4096;           // running and waiting; beyond: client_busy
    std::string ca_file;                    // PEM; empty: the system's
};

class ClientCore;

class HttpClient {
public:
    HttpClient(asio::io_context& loop, ClientOptions options = {});
    // Fails what is running. The loop must still exist.
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    // Errors, whose messages name the host and no more of the URL:
    //   kUnavailable  connect_failed, name_not_found, tls_failed, connection_broken (before or
    //                 within the answer), client_busy, client_closed, request_cancelled
    //   kDeadline     request_timeout
    //   kInvalid      invalid_url, invalid_header, address_refused, request_body_broken
    //   kTooLarge     response_too_large (also when its headers exceed 64 KiB)
    Task<Result<ClientResponse>> Send(ClientRequest request);

    std::size_t running() const;
    // Fails what is running with client_closed, closes every connection. Safe to repeat.
    void Close();

private:
    std::shared_ptr<ClientCore> core_;
};

}  // namespace vf::http
