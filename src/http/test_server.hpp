#pragma once
// For tests: a server on a free port whose loop runs on a thread of its own, and a client made of
// one blocking socket that sees every byte.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "http/server.hpp"

namespace vf::http {

class TestServer {
public:
    explicit TestServer(ServerOptions options = {}, bool access_log = false) {
        options.port = 0;
        options.access_log = access_log;
        Start(std::move(options));
    }
    ~TestServer() {
        Run([this] { server_.reset(); });
        work_.reset();
        loop_.stop();
        thread_.join();
    }

    template <class... Args>
    void Add(Args&&... args) {
        Run([&] { router.Add(std::forward<Args>(args)...); });
    }
    std::uint16_t port() const { return port_; }
    asio::io_context& loop() { return loop_; }
    Executor executor() { return loop_.get_executor(); }
    std::size_t connections() {
        std::size_t count = 0;
        Run([&] { count = server_->connections(); });
        return count;
    }

    // Runs `fn` on the loop and waits for it.
    template <class Fn>
    void Run(Fn fn) {
        std::promise<void> done;
        asio::post(loop_, [&] {
            fn();
            done.set_value();
        });
        done.get_future().wait();
    }

    // Moves the server's clock and lets it look at the deadlines.
    void Advance(std::chrono::milliseconds step) {
        Run([&] {
            now_ += step;
            server_->Tick();
        });
    }

    // Starts a drain; the future is ready when it has ended.
    std::future<void> Drain(std::chrono::milliseconds limit) {
        auto ended = std::make_shared<std::promise<void>>();
        auto body = [](Server* server, std::chrono::milliseconds wait,
                       std::shared_ptr<std::promise<void>> promise) -> Task<void> {
            co_await server->Drain(wait);
            promise->set_value();
        };
        asio::post(loop_, [this, body, limit, ended] {
            Spawn(executor(), body(server_.get(), limit, ended), "drain");
        });
        return ended->get_future();
    }

private:
    void Start(ServerOptions options) {
        server_ = std::make_unique<Server>(loop_, router, std::move(options));
        server_->UseClockForTest([this] { return now_; });
        const Result<void> listening = server_->Listen();
        EXPECT_TRUE(listening.ok()) << listening.error().message();
        port_ = server_->port();
        thread_ = std::thread([this] { loop_.run(); });
    }

    asio::io_context loop_{1};

public:
    Router router;  // touched on the loop only; its handlers may hold timers of the loop

private:
    std::optional<asio::executor_work_guard<Executor>> work_{
        asio::make_work_guard(loop_.get_executor())};
    std::chrono::steady_clock::time_point now_ = std::chrono::steady_clock::now();  // loop only
    std::unique_ptr<Server> server_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

struct Reply {
    int status = 0;
    std::string head;  // with the status line, without the empty line
    std::string body;  // chunks decoded
    bool is_whole = false;

    std::string Header(std::string_view name) const {
        std::string_view rest(head);
        while (!rest.empty()) {
            const std::string_view line = rest.substr(0, rest.find("\r\n"));
            rest.remove_prefix(std::min(line.size() + 2, rest.size()));
            const std::size_t colon = line.find(": ");
            if (colon != std::string_view::npos &&
                EqualsIgnoringCase(line.substr(0, colon), name)) {
                return std::string(line.substr(colon + 2));
            }
        }
        return {};
    }
};

class Client {
public:
    explicit Client(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        Connect(AF_INET, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    explicit Client(const std::string& unix_path) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        unix_path.copy(address.sun_path, sizeof address.sun_path - 1);
        Connect(AF_UNIX, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    ~Client() { Close(); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    int fd() const { return fd_; }
    void Close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }
    void Reset() {
        const linger now{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        Close();
    }
    void FinishWriting() { ::shutdown(fd_, SHUT_WR); }

    // False when the server has closed.
    bool Send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }

    // Reads more; false at the end, on a reset, or after ten seconds.
    bool Fill() {
        char buffer[65536];
        pollfd state{fd_, POLLIN, 0};
        if (::poll(&state, 1, 10'000) != 1) {
            ADD_FAILURE() << "no answer in time";
            return false;
        }
        const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
        was_reset = n < 0;
        if (n <= 0) return false;
        input.append(buffer, static_cast<std::size_t>(n));
        return true;
    }
    std::string ReadToEnd() {
        while (Fill()) {
        }
        return std::exchange(input, {});
    }
    bool IsClosedByServer() { return !Fill() && input.empty(); }

    Reply Read(bool is_head = false) {
        Reply reply;
        std::size_t end = 0;
        while ((end = input.find("\r\n\r\n")) == std::string::npos) {
            if (!Fill()) return reply;
        }
        reply.head = input.substr(0, end);
        input.erase(0, end + 4);
        reply.status = std::atoi(reply.head.c_str() + 9);
        if (is_head || reply.status == 204 || reply.status == 304 || reply.status == 100) {
            reply.is_whole = true;
        } else if (reply.Header("Transfer-Encoding") == "chunked") {
            ReadChunks(reply);
        } else if (const std::string length = reply.Header("Content-Length"); !length.empty()) {
            const auto size = static_cast<std::size_t>(std::stoul(length));
            while (input.size() < size && Fill()) {
            }
            reply.is_whole = input.size() >= size;
            reply.body = input.substr(0, size);
            input.erase(0, size);
        } else {
            reply.body = ReadToEnd();
            reply.is_whole = !was_reset;
        }
        return reply;
    }

    Reply Get(const std::string& target, const std::string& fields = {}) {
        Send("GET " + target + " HTTP/1.1\r\nHost: test\r\n" + fields + "\r\n");
        return Read();
    }
    Reply Post(const std::string& target, const std::string& body,
               const std::string& fields = "Content-Type: application/json\r\n") {
        Send("POST " + target + " HTTP/1.1\r\nHost: test\r\nContent-Length: " +
             std::to_string(body.size()) + "\r\n" + fields + "\r\n" + body);
        return Read();
    }

    std::string input;
    bool was_reset = false;

private:
    void Connect(int family, const sockaddr* address, socklen_t size) {
        fd_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(::connect(fd_, address, size), 0);
    }
    void ReadChunks(Reply& reply) {
        for (;;) {
            std::size_t end = 0;
            while ((end = input.find("\r\n")) == std::string::npos) {
                if (!Fill()) return;
            }
            std::size_t size = 0;
            std::from_chars(input.data(), input.data() + end, size, 16);
            while (input.size() < end + 2 + size + 2) {
                if (!Fill()) return;
            }
            reply.body.append(input, end + 2, size);
            input.erase(0, end + 2 + size + 2);
            if (size == 0) {
                reply.is_whole = true;
                return;
            }
        }
    }

    int fd_ = -1;
};

}  // namespace vf::http
