// The outbound client against our own server, and against servers that misbehave.
#include "http/client.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include "http/test_server.hpp"

namespace vf::http {
namespace {

using std::chrono::milliseconds;

// A listening socket that is told what to do with each connection.
class RawServer {
public:
    using Talk = std::function<void(int fd)>;
    explicit RawServer(Talk talk) : talk_(std::move(talk)) {
        fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(fd_, 16), 0);
        socklen_t size = sizeof address;
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] {
            for (;;) {
                const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
                if (fd < 0) return;
                ++accepted;
                talk_(fd);
                ::close(fd);
            }
        });
    }
    ~RawServer() {
        ::shutdown(fd_, SHUT_RDWR);
        thread_.join();
        ::close(fd_);
    }
    std::string Url() const { return fmt::format("http://127.0.0.1:{}/", port_); }
    std::atomic<int> accepted = 0;

private:
    Talk talk_;
    int fd_ = -1;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

void ReadHead(int fd) {
    std::string head;
    char c = 0;
    while (!head.ends_with("\r\n\r\n") && ::recv(fd, &c, 1, 0) == 1) head += c;
}

void SendAll(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

void Reset(int fd) {
    const linger now{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

class ClientTest : public testing::Test {
protected:
    std::string Url(const std::string& path) {
        return fmt::format("http://127.0.0.1:{}{}", server.port(), path);
    }
    ClientRequest Get(const std::string& path) {
        ClientRequest request;
        request.url = Url(path);
        return request;
    }
    Result<ClientResponse> Send(ClientRequest request) {
        return RunTask(loop, client.Send(std::move(request)));
    }
    std::string CodeOf(ClientRequest request) {
        const auto answer = Send(std::move(request));
        return answer ? std::to_string(answer->status) : answer.error().code();
    }
    void AddEcho() {
        for (const Method method : {Method::kPost, Method::kPut, Method::kDelete, Method::kGet}) {
            server.Add(method, "/echo", QuickHandler([](Request& request) {
                           Response response(201, "text/plain", request.body);
                           response.headers.Add("X-Method", MethodName(request.method));
                           response.headers.Add("X-Type", request.headers.Get("Content-Type"));
                           response.headers.Add("X-Own", request.headers.Get("X-Own"));
                           response.headers.Add("X-Target", request.target);
                           return response;
                       }));
        }
    }
    void AddHuge(std::uint64_t bytes) {
        server.Add(Method::kGet, "/huge",
                   Handler([this, bytes](Request&) { return Huge(this, bytes); }));
    }
    static Task<Response> Huge(ClientTest* self, std::uint64_t bytes) {
        auto pipe = std::make_shared<BytePipe>(self->server.executor(), 64 * 1024);
        Spawn(self->server.executor(), Produce(self, pipe, bytes), "huge");
        co_return StreamResponse("application/octet-stream", pipe);
    }
    static Task<void> Produce(ClientTest* self, std::shared_ptr<BytePipe> pipe,
                              std::uint64_t bytes) {
        while (bytes > 0) {
            std::string chunk(std::min<std::uint64_t>(bytes, 64 * 1024), 'x');
            bytes -= chunk.size();
            self->produced += chunk.size();
            const bool is_taken = co_await pipe->Write(std::move(chunk));
            if (!is_taken) {
                self->was_abandoned = true;
                co_return;
            }
        }
        pipe->Finish();
    }

    std::atomic<std::uint64_t> produced = 0;
    std::atomic<bool> was_abandoned = false;
    TestServer server;
    asio::io_context loop{1};
    HttpClient client{loop};
};

TEST_F(ClientTest, SendsMethodHeadersAndBody) {
    AddEcho();
    for (const Method method : {Method::kPost, Method::kPut, Method::kDelete, Method::kGet}) {
        ClientRequest request = Get("/echo?b=2&a=%2F");
        request.method = method;
        request.body = "the body";
        request.headers.Add("X-Own", "mine");
        request.headers.Add("Content-Type", "text/x-own");
        const auto answer = Send(std::move(request));
        ASSERT_TRUE(answer) << answer.error().message();
        EXPECT_EQ(answer->status, 201);
        EXPECT_EQ(answer->body, method == Method::kGet ? answer->body : "the body");
        EXPECT_EQ(answer->headers.Get("X-Method"), MethodName(method));
        EXPECT_EQ(answer->headers.Get("x-type"), "text/x-own");
        EXPECT_EQ(answer->headers.Get("X-Own"), "mine");
        EXPECT_EQ(answer->headers.Get("X-Target"), "/echo?b=2&a=%2F");
    }
    EXPECT_EQ(server.connections(), 1U);  // kept
    EXPECT_EQ(client.running(), 0U);
}

TEST_F(ClientTest, AHeadRequestHasNoBody) {
    AddEcho();
    ClientRequest request = Get("/echo");
    request.method = Method::kHead;
    EXPECT_EQ(CodeOf(std::move(request)), "201");
}

TEST_F(ClientTest, StatusesOfErrorsAreAnswers) {
    EXPECT_EQ(CodeOf(Get("/nothing")), "404");
}

TEST_F(ClientTest, DoesNotFollowRedirects) {
    server.Add(Method::kGet, "/from", QuickHandler([](Request&) {
                   Response response(302, "text/plain", std::string());
                   response.headers.Add("Location", "/to");
                   return response;
               }));
    const auto answer = Send(Get("/from"));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 302);
    EXPECT_EQ(answer->headers.Get("Location"), "/to");
}

TEST_F(ClientTest, AnAnswerBeyondItsBoundIsRefused) {
    AddHuge(8 << 20);
    ClientRequest request = Get("/huge");
    request.max_response_bytes = 1 << 20;
    EXPECT_EQ(CodeOf(std::move(request)), "response_too_large");
    ClientRequest large = Get("/huge");
    large.max_response_bytes = 8 << 20;
    EXPECT_EQ(CodeOf(std::move(large)), "200");
}

TEST_F(ClientTest, HeadersBeyondTheirBoundAreRefused) {
    const RawServer raw([](int fd) {
        ReadHead(fd);
        SendAll(fd, "HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < 20; ++i) SendAll(fd, "X-Long: " + std::string(5000, 'x') + "\r\n");
        SendAll(fd, "Content-Length: 0\r\n\r\n");
    });
    ClientRequest request;
    request.url = raw.Url();
    EXPECT_EQ(CodeOf(std::move(request)), "response_too_large");
}

Task<std::string> ReadAll(HttpClient* client, ClientRequest request, int pause_after) {
    const auto answer = co_await client->Send(std::move(request));
    if (!answer) co_return answer.error().code();
    std::uint64_t total = 0;
    for (int i = 0;; ++i) {
        if (i == pause_after) co_await Sleep(milliseconds(150));
        const std::optional<std::string> chunk = co_await answer->pipe->Read();
        if (!chunk) break;
        total += chunk->size();
    }
    if (answer->pipe->failed()) co_return answer->pipe->error()->code();
    co_return std::to_string(total);
}

TEST_F(ClientTest, AStreamedAnswerWaitsForItsReader) {
    AddHuge(32 << 20);
    ClientRequest request = Get("/huge");
    request.stream_response = true;
    request.max_response_bytes = 64 << 20;
    request.idle_timeout = milliseconds(1000);
    EXPECT_EQ(RunTask(loop, ReadAll(&client, std::move(request), 3)), std::to_string(32 << 20));
}

Task<std::uint64_t> ReadOneAndAbandon(HttpClient* client, ClientRequest request) {
    const auto answer = co_await client->Send(std::move(request));
    if (!answer) co_return 0;
    const std::optional<std::string> chunk = co_await answer->pipe->Read();
    answer->pipe->Abandon();
    co_return chunk->size();
}

TEST_F(ClientTest, AbandoningTheAnswerEndsTheTransfer) {
    constexpr std::uint64_t kMuch = 4ULL << 30U;
    AddHuge(kMuch);
    ClientRequest request = Get("/huge");
    request.stream_response = true;
    request.max_response_bytes = kMuch;
    EXPECT_GT(RunTask(loop, ReadOneAndAbandon(&client, std::move(request))), 0U);
    EXPECT_EQ(client.running(), 0U);
    for (int i = 0; i < 500 && !was_abandoned; ++i) ::usleep(10'000);
    EXPECT_TRUE(was_abandoned);
    EXPECT_LT(produced.load(), 64ULL << 20U);  // bounded by pipes and socket buffers
}

TEST_F(ClientTest, AnAnswerThatBreaksOffFails) {
    const RawServer raw([](int fd) {
        ReadHead(fd);
        SendAll(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        Reset(fd);
    });
    ClientRequest request;
    request.url = raw.Url();
    EXPECT_EQ(CodeOf(request), "connection_broken");
    request.stream_response = true;
    EXPECT_EQ(RunTask(loop, ReadAll(&client, std::move(request), -1)), "connection_broken");
}

TEST_F(ClientTest, AResetOrGarbageInsteadOfAnAnswerFails) {
    std::atomic<bool> is_garbage = false;
    const RawServer raw([&](int fd) {
        ReadHead(fd);
        if (is_garbage) SendAll(fd, "SMTP ready\r\n\r\n");
        if (!is_garbage) Reset(fd);
    });
    ClientRequest request;
    request.url = raw.Url();
    EXPECT_EQ(CodeOf(request), "connection_broken");
    is_garbage = true;
    EXPECT_EQ(CodeOf(request), "connection_broken");
}

TEST_F(ClientTest, ASilentServerMeetsTheDeadline) {
    std::promise<void> done;
    std::shared_future<void> wait = done.get_future().share();
    const RawServer raw([wait](int fd) {
        ReadHead(fd);
        wait.wait();
    });
    ClientRequest request;
    request.url = raw.Url();
    request.deadline = milliseconds(100);
    EXPECT_EQ(CodeOf(std::move(request)), "request_timeout");
    EXPECT_EQ(client.running(), 0U);
    done.set_value();
}

TEST_F(ClientTest, NobodyListening) {
    std::string url;
    {
        const RawServer gone([](int) {});
        url = gone.Url();
    }
    ClientRequest request;
    request.url = url;
    const auto answer = Send(std::move(request));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), "connect_failed");
    EXPECT_EQ(answer.error().kind(), ErrorKind::kUnavailable);
}

TEST_F(ClientTest, RefusesWhatIsNoUrlAndHeadersThatSplit) {
    for (const char* url :
         {"", "no url", "ftp://127.0.0.1/", "file:///etc/passwd", "http://user:pass@127.0.0.1/",
          "http://", "http://127.0.0.1/a b", "http://127.0.0.1/\r\nX: y", "http://127.0.0.1:99999/",
          "gopher://127.0.0.1/", "//127.0.0.1/"}) {
        ClientRequest request;
        request.url = url;
        EXPECT_EQ(CodeOf(std::move(request)), "invalid_url") << url;
    }
    ClientRequest split = Get("/");
    split.headers.Add("X-Own", "a\r\nX-Other: b");
    EXPECT_EQ(CodeOf(std::move(split)), "invalid_header");
}

TEST_F(ClientTest, UrlsOfUsersReachNoInnerAddress) {
    AddEcho();
    EXPECT_EQ(CodeOf(Get("/echo")),
              "201");  // leaves a connection to be used again, but not by this
    for (const std::string host :
         {"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0"}) {
        ClientRequest request;
        request.url = fmt::format("http://{}:{}/echo", host, server.port());
        request.addresses = AddressPolicy::kPublicOnly;
        EXPECT_EQ(CodeOf(std::move(request)), "address_refused") << host;
    }
}

bool IsPublic(const std::string& text) {
    sockaddr_in6 six{};
    if (::inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1) {
        six.sin6_family = AF_INET6;
        return IsPublicAddress(reinterpret_cast<const sockaddr&>(six));
    }
    sockaddr_in four{};
    EXPECT_EQ(::inet_pton(AF_INET, text.c_str(), &four.sin_addr), 1) << text;
    four.sin_family = AF_INET;
    return IsPublicAddress(reinterpret_cast<const sockaddr&>(four));
}

TEST(IsPublicAddress, TellsWhatTheInternetMayHave) {
    for (const char* inner : {"0.0.0.0",
                              "10.1.2.3",
                              "100.64.0.1",
                              "100.127.255.255",
                              "127.0.0.1",
                              "127.255.255.254",
                              "169.254.169.254",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.0.0.8",
                              "192.0.2.1",
                              "192.168.1.1",
                              "198.18.0.1",
                              "198.19.255.255",
                              "203.0.113.9",
                              "224.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "::ffff:10.0.0.1",
                              "::ffff:8.8.8.8",
                              "::127.0.0.1",
                              "64:ff9b::a00:1",
                              "fc00::1",
                              "fd00:ec2::254",
                              "fe80::1",
                              "ff02::1",
                              "2001::1",
                              "2001:db8::1",
                              "2002:7f00:1::1",
                              "3fff::1",
                              "100::1"}) {
        EXPECT_FALSE(IsPublic(inner)) << inner;
    }
    for (const char* outer :
         {"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
          "172.15.0.1", "172.32.0.1", "192.167.1.1", "192.169.1.1", "223.255.255.255",
          "2606:4700::1111", "2a00:1450::1", "2001:4860::8888"}) {
        EXPECT_TRUE(IsPublic(outer)) << outer;
    }
}

Task<Result<ClientResponse>> Upload(HttpClient* client, ClientRequest request, std::uint64_t bytes,
                                    bool is_failing) {
    const Executor executor = co_await asio::this_coro::executor;
    auto pipe = std::make_shared<BytePipe>(executor, 64 * 1024);
    request.method = Method::kPut;
    request.body_pipe = pipe;
    auto produce = [](std::shared_ptr<BytePipe> out, std::uint64_t left, bool fails) -> Task<void> {
        while (left > 0) {
            std::string chunk(std::min<std::uint64_t>(left, 100'000), 'u');
            left -= chunk.size();
            const bool is_taken = co_await out->Write(std::move(chunk));
            if (!is_taken) co_return;
        }
        if (fails) out->Fail(Error());
        if (!fails) out->Finish();
    };
    Spawn(executor, produce(pipe, bytes, is_failing), "produce");
    co_return co_await client->Send(std::move(request));
}

TEST_F(ClientTest, ABodyFromAPipeHasItsLength) {
    RouteOptions options;
    options.max_body = 16 << 20;
    server.Add(Method::kPut, "/size", QuickHandler([](Request& request) {
                   Response response = TextResponse(200, std::to_string(request.body.size()));
                   response.headers.Add("X-Length", request.headers.Get("Content-Length"));
                   return response;
               }),
               options);
    constexpr std::uint64_t kBytes = 5'000'000;
    ClientRequest request = Get("/size");
    request.body_length = kBytes;
    const auto answer = RunTask(loop, Upload(&client, request, kBytes, false));
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(answer->body, std::to_string(kBytes));
    EXPECT_EQ(answer->headers.Get("X-Length"), std::to_string(kBytes));

    for (const auto& [bytes, fails] : {std::pair<std::uint64_t, bool>{kBytes - 1, false},
                                       {kBytes + 1, false},
                                       {kBytes / 2, true}}) {
        const auto broken = RunTask(loop, Upload(&client, request, bytes, fails));
        ASSERT_FALSE(broken) << bytes;
        EXPECT_EQ(broken.error().code(), "request_body_broken") << bytes;
    }
    EXPECT_EQ(client.running(), 0U);
}

TEST_F(ClientTest, AHundredAtOnce) {
    AddEcho();
    struct Count {
        int left = 100;
        int right = 0;
    };
    Count count;
    auto one = [](HttpClient* sender, ClientRequest request, Count* counted) -> Task<void> {
        const std::string sent = request.body;
        const auto answer = co_await sender->Send(std::move(request));
        if (answer && answer->body == sent) ++counted->right;
        --counted->left;
    };
    for (int i = 0; i < 100; ++i) {
        ClientRequest request = Get("/echo");
        request.method = Method::kPost;
        request.body = std::string(static_cast<std::size_t>(i) * 1000, 'a') + std::to_string(i);
        Spawn(loop.get_executor(), one(&client, std::move(request), &count), "one");
    }
    loop.run();
    EXPECT_EQ(count.left, 0);
    EXPECT_EQ(count.right, 100);
    EXPECT_LE(server.connections(), 32U);
}

TEST_F(ClientTest, BeyondItsExchangesItIsBusy) {
    AddEcho();
    ClientOptions options;
    options.exchanges = 0;
    HttpClient full(loop, options);
    const auto answer = RunTask(loop, full.Send(Get("/echo")));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), "client_busy");
}

TEST_F(ClientTest, ClosingOrCancellingEndsWhatRuns) {
    std::promise<void> done;
    std::shared_future<void> wait = done.get_future().share();
    const RawServer raw([wait](int fd) {
        ReadHead(fd);
        wait.wait();
    });
    ClientRequest request;
    request.url = raw.Url();
    request.cancel = std::make_shared<CancelFlag>();
    auto cancel = [](std::shared_ptr<CancelFlag> flag, HttpClient* closing) -> Task<void> {
        co_await Sleep(milliseconds(20));
        if (flag) flag->Cancel();
        if (closing) closing->Close();
    };
    Spawn(loop.get_executor(), cancel(request.cancel, nullptr), "cancel");
    EXPECT_EQ(CodeOf(request), "request_cancelled");
    request.cancel = nullptr;
    Spawn(loop.get_executor(), cancel(nullptr, &client), "close");
    EXPECT_EQ(CodeOf(request), "client_closed");
    EXPECT_EQ(CodeOf(request), "client_closed");
    done.set_value();
}

TEST_F(ClientTest, AnUntrustedCertificateIsRefused) {
    const RawServer raw([](int fd) {
        char c = 0;
        [[maybe_unused]] const ssize_t n = ::recv(fd, &c, 1, 0);
        SendAll(fd, "no TLS here");
    });
    ClientRequest request;
    request.url = "https" + raw.Url().substr(4);
    EXPECT_EQ(CodeOf(std::move(request)), "tls_failed");
}

}  // namespace
}  // namespace vf::http
