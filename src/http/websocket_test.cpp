// WebSockets of a real server, against a client that writes every byte itself.
#include "http/websocket.hpp"

#include "http/test_server.hpp"
#include "http/websocket_reader.hpp"

namespace vf::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = SocketEvent::Kind;

constexpr const char* kUpgradeFields =
    "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

class SocketClient : public Client {
public:
    explicit SocketClient(std::uint16_t port, const std::string& path = "/echo",
                          const std::string& fields = "")
        : Client(port) {
        Send("GET " + path + " HTTP/1.1\r\nHost: t\r\n" + kUpgradeFields + fields + "\r\n");
        std::size_t end = 0;
        while ((end = input.find("\r\n\r\n")) == std::string::npos && Fill()) {
        }
        head = input.substr(0, end);
        input.erase(0, end + 4);
    }

    // Masked with zeros: the payload stands as it is.
    static std::string Frame(int opcode, const std::string& payload) {
        std::string out;
        AppendFrameHead(out, static_cast<Opcode>(opcode), payload.size());
        out[1] = static_cast<char>(out[1] | 0x80);
        return out + std::string(4, '\0') + payload;
    }
    bool SendText(const std::string& text) { return Send(Frame(0x1, text)); }

    struct Got {
        int opcode = 0;  // 0: the connection has ended
        std::string payload;
        int code() const {
            if (payload.size() < 2) return 1005;
            return static_cast<unsigned char>(payload[0]) << 8 |
                   static_cast<unsigned char>(payload[1]);
        }
    };
    Got Receive() {
        const auto byte = [this](std::size_t at) {
            return static_cast<std::uint64_t>(static_cast<unsigned char>(input[at]));
        };
        if (!Have(2)) return {};
        std::uint64_t size = byte(1);
        std::size_t head_size = 2;
        if (size >= 126) {
            head_size += size == 126 ? 2 : 8;
            if (!Have(head_size)) return {};
            size = 0;
            for (std::size_t i = 2; i < head_size; ++i) size = size << 8U | byte(i);
        }
        if (!Have(head_size + size)) return {};
        Got got{static_cast<int>(byte(0) & 0xf), input.substr(head_size, size)};
        EXPECT_EQ(byte(0) & 0xf0, 0x80U);
        input.erase(0, head_size + size);
        return got;
    }

    std::string head;

private:
    bool Have(std::size_t size) {
        while (input.size() < size) {
            if (!Fill()) return false;
        }
        return true;
    }
};

Task<void> Echo(std::shared_ptr<WebSocket> socket) {
    for (;;) {
        SocketEvent event = co_await socket->Read(seconds(3600));
        if (event.kind == Kind::kDraining) {
            socket->Close(CloseCode::kGoingAway, "bye");
            break;
        }
        if (event.kind != Kind::kMessage) break;
        if (event.data == "leave") break;
        if (event.data == "bytes") {
            const bool taken = co_await socket->SendBinary("alone");
            if (!taken) break;
            continue;
        }
        if (event.data == "throw") throw std::runtime_error("as asked");
        if (event.data == "refuse") {
            socket->Close(CloseCode::kPolicy, "no");
            break;
        }
        bool taken = false;
        if (event.is_text) {
            taken = co_await socket->Send(std::move(event.data));
        } else {
            taken = co_await socket->Send("binary", std::move(event.data));
        }
        if (!taken) break;
    }
}

ServerOptions Small() {
    ServerOptions options;
    options.ws_max_message = 100'000;
    options.ws_max_sockets = 2;
    return options;
}

class HttpWebSocket : public testing::Test {
protected:
    HttpWebSocket() {
        server_.Run([this] {
            server_.router.AddSocket("/echo", &Echo);
            RouteOptions options;
            options.guard.early = [](Request& request) -> std::optional<Result<void>> {
                if (request.headers.Get("X-Key") == "late") return std::nullopt;
                if (request.headers.Get("X-Key") == "good") return Result<void>();
                return Result<void>(Error(ErrorKind::kUnauthenticated, "no_key", "No."));
            };
            options.guard.late = [](Request&) { return Late(); };
            server_.router.AddSocket("/guarded", &Echo, options);
            RouteOptions named;
            named.subprotocols = {"token", "bearer"};
            server_.router.AddSocket("/named", &Echo, named);
        });
    }
    static Task<Result<void>> Late() { co_return Error(ErrorKind::kForbidden, "wrong_key", "No."); }
    void Expect(const std::string& bytes, int code) {
        SocketClient client(server_.port());
        client.Send(bytes);
        const auto got = client.Receive();
        EXPECT_EQ(got.opcode, 0x8);
        EXPECT_EQ(got.code(), code);
        client.Send(SocketClient::Frame(0x8, ""));
        EXPECT_EQ(client.Receive().opcode, 0);
    }

    TestServer server_{Small()};
};

TEST_F(HttpWebSocket, IsUpgradedAndEchoesMessages) {
    SocketClient client(server_.port());
    EXPECT_TRUE(client.head.starts_with("HTTP/1.1 101 Switching Protocols\r\n")) << client.head;
    EXPECT_NE(client.head.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
              std::string::npos);  // the example of RFC 6455
    EXPECT_NE(client.head.find("Connection: Upgrade"), std::string::npos);
    EXPECT_EQ(client.head.find("Sec-WebSocket-Extensions"), std::string::npos);
    for (const std::size_t size : {0U, 125U, 126U, 65535U, 65536U, 100'000U}) {
        client.SendText(std::string(size, 'x'));
        const auto got = client.Receive();
        EXPECT_EQ(got.opcode, 0x1);
        EXPECT_EQ(got.payload.size(), size);
    }
    client.Send(SocketClient::Frame(0x2, "\xff"));
    EXPECT_EQ(client.Receive().payload, "binary");
    const auto binary = client.Receive();
    EXPECT_EQ(binary.opcode, 0x2);
    EXPECT_EQ(binary.payload, "\xff");
    client.Send(SocketClient::Frame(0x9, "are you there"));
    const auto pong = client.Receive();
    EXPECT_EQ(pong.opcode, 0xA);
    EXPECT_EQ(pong.payload, "are you there");
}

TEST_F(HttpWebSocket, ClosesWithTheCodesThatBelongThere) {
    const std::string code_1000("\x03\xe8", 2);
    Expect(SocketClient::Frame(0x8, code_1000), 1000);
    Expect(SocketClient::Frame(0x8, ""), 1005);
    Expect(SocketClient::Frame(0x1, "leave"), 1000);
    Expect(SocketClient::Frame(0x1, "throw"), 1011);
    Expect(SocketClient::Frame(0x1, "refuse"), 1008);
    Expect(SocketClient::Frame(0x1, "\xff"), 1007);
    Expect(SocketClient::Frame(0x1, std::string(100'001, 'x')), 1009);
    Expect("\x81\x02hi", 1002);
    Expect("\xff\xff\xff\xff\xff\xff\xff\xff", 1002);
    server_.Run([] {});
    EXPECT_EQ(server_.connections(), 0U);
}

TEST_F(HttpWebSocket, APlainRequestIsToldToUpgrade) {
    Client client(server_.port());
    const Reply plain = client.Get("/echo");
    EXPECT_EQ(plain.status, 426);
    EXPECT_EQ(plain.Header("Upgrade"), "websocket");
    EXPECT_NE(plain.body.find("upgrade_required"), std::string::npos);
    EXPECT_EQ(client.Get("/echo", "Upgrade: websocket\r\nConnection: close-not\r\n").status, 400);
    EXPECT_EQ(client
                  .Get("/echo",
                       "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 8\r\n")
                  .Header("Sec-WebSocket-Version"),
              "13");
    EXPECT_EQ(client
                  .Get("/echo",
                       "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: short\r\n")
                  .status,
              400);
    EXPECT_EQ(client.Post("/echo", "{}").status, 405);
    EXPECT_EQ(client.Get("/other", kUpgradeFields).status, 404);
}

TEST_F(HttpWebSocket, ASubprotocolIsAgreedOnWhereTheRouteKnowsIt) {
    const auto chosen = [this](const std::string& path, const std::string& offered) {
        const std::string field = "Sec-WebSocket-Protocol: ";
        SocketClient client(server_.port(), path, offered.empty() ? "" : field + offered + "\r\n");
        EXPECT_TRUE(client.head.starts_with("HTTP/1.1 101 ")) << client.head;
        const std::size_t at = client.head.find(field);
        if (at == std::string::npos) return std::string();
        const std::size_t value = at + field.size();
        return client.head.substr(value, client.head.find("\r\n", value) - value);
    };
    EXPECT_EQ(chosen("/named", "token, secret"), "token");
    EXPECT_EQ(chosen("/named", "chat, Bearer"), "bearer");
    EXPECT_EQ(chosen("/named", "chat"), "");
    EXPECT_EQ(chosen("/named", ""), "");
    EXPECT_EQ(chosen("/echo", "token"), "");
}

TEST_F(HttpWebSocket, BinaryMessagesStandAlone) {
    SocketClient client(server_.port());
    client.SendText("bytes");
    client.SendText("text");
    const auto binary = client.Receive();
    EXPECT_EQ(binary.opcode, 0x2);
    EXPECT_EQ(binary.payload, "alone");
    EXPECT_EQ(client.Receive().payload, "text");
}

TEST_F(HttpWebSocket, GuardsStandBeforeTheUpgrade) {
    Client client(server_.port());
    EXPECT_EQ(client.Get("/guarded", kUpgradeFields).status, 401);
    EXPECT_EQ(client.Get("/guarded", std::string(kUpgradeFields) + "X-Key: late\r\n").status, 403);
    client.Send("GET /guarded HTTP/1.1\r\nHost: t\r\nX-Key: good\r\n" +
                std::string(kUpgradeFields) + "\r\n" + SocketClient::Frame(0x1, "early"));
    while (client.input.find("early") == std::string::npos && client.Fill()) {
    }
    EXPECT_TRUE(client.input.starts_with("HTTP/1.1 101"));
}

TEST_F(HttpWebSocket, NoMoreThanTheServerMayHave) {
    SocketClient first(server_.port());
    SocketClient second(server_.port());
    const SocketClient third(server_.port());
    EXPECT_TRUE(third.head.starts_with("HTTP/1.1 503")) << third.head;
    first.SendText("leave");
    EXPECT_EQ(first.Receive().code(), 1000);
    first.Send(SocketClient::Frame(0x8, ""));
    EXPECT_EQ(first.Receive().opcode, 0);
    const SocketClient fourth(server_.port());
    EXPECT_TRUE(fourth.head.starts_with("HTTP/1.1 101")) << fourth.head;
}

TEST_F(HttpWebSocket, ASilentClientIsPingedAndThenDropped) {
    SocketClient silent(server_.port());
    SocketClient polite(server_.port());
    server_.Advance(seconds(31));
    EXPECT_EQ(silent.Receive().opcode, 0x9);
    EXPECT_EQ(polite.Receive().opcode, 0x9);
    polite.Send(SocketClient::Frame(0xA, ""));
    polite.SendText("there");
    EXPECT_EQ(polite.Receive().payload, "there");
    server_.Advance(seconds(60));
    EXPECT_EQ(polite.Receive().opcode, 0x9);
    while (silent.Receive().opcode == 0x9) {
    }
    EXPECT_EQ(server_.connections(), 1U);
}

TEST_F(HttpWebSocket, AClientThatNeverClosesIsNotWaitedForLong) {
    SocketClient client(server_.port());
    client.SendText("leave");
    EXPECT_EQ(client.Receive().code(), 1000);
    server_.Advance(seconds(3));
    EXPECT_EQ(client.Receive().opcode, 0);
}

TEST_F(HttpWebSocket, DrainingTellsTheHandler) {
    SocketClient client(server_.port());
    auto drained = server_.Drain(seconds(30));
    EXPECT_EQ(client.Receive().code(), 1001);
    client.Send(SocketClient::Frame(0x8, ""));
    EXPECT_EQ(client.Receive().opcode, 0);
    client.Close();
    EXPECT_EQ(drained.wait_for(seconds(10)), std::future_status::ready);
}

// A handler that writes without end; what it could write is counted.
struct Flood {
    std::atomic<std::size_t> sent = 0;
    std::atomic<bool> ended = false;
    static Task<void> Run(Flood* flood, std::shared_ptr<WebSocket> socket) {
        for (;;) {
            std::string chunk(50'000, 'x');
            const bool taken = co_await socket->Send(std::move(chunk));
            if (!taken) break;
            flood->sent += 50'000;
        }
        flood->ended = true;
    }
};

void WaitFor(const std::function<bool()>& holds) {
    for (int i = 0; i < 10'000 && !holds(); ++i) std::this_thread::sleep_for(milliseconds(1));
    EXPECT_TRUE(holds());
}

TEST(HttpWebSocketFlood, ASlowReaderHoldsNoMoreThanTheBuffer) {
    Flood flood;
    ServerOptions options;
    options.ws_send_buffer = 100'000;
    TestServer server(options);
    server.Run([&] {
        server.router.AddSocket("/flood", [&flood](std::shared_ptr<WebSocket> socket) {
            return Flood::Run(&flood, std::move(socket));
        });
    });
    SocketClient client(server.port(), "/flood");
    // It stops by itself: kernel buffers and ours are full.
    std::size_t before = 1;
    while (before != flood.sent) {
        before = flood.sent;
        std::this_thread::sleep_for(milliseconds(100));
    }
    EXPECT_FALSE(flood.ended);
    while (flood.sent == before && client.Receive().payload.size() == 50'000) {
    }
    EXPECT_GT(flood.sent, before);
    client.Reset();
    WaitFor([&] { return flood.ended.load(); });
}

TEST(HttpWebSocketFlood, AReaderThatStopsIsCutOff) {
    Flood flood;
    TestServer server;
    server.Run([&] {
        server.router.AddSocket("/flood", [&flood](std::shared_ptr<WebSocket> socket) {
            return Flood::Run(&flood, std::move(socket));
        });
    });
    SocketClient client(server.port(), "/flood");
    std::size_t before = 1;
    while (before != flood.sent) {
        before = flood.sent;
        std::this_thread::sleep_for(milliseconds(100));
    }
    server.Advance(seconds(31));
    WaitFor([&] { return flood.ended.load(); });
    EXPECT_EQ(server.connections(), 0U);
}

// Takes one message and then waits for the end of the socket.
Task<void> Lazy(std::shared_ptr<WebSocket> socket) {
    const SocketEvent first = co_await socket->Read(seconds(3600));
    EXPECT_EQ(first.data, "first");
    const SocketEvent none = co_await socket->Read(milliseconds(20));
    EXPECT_EQ(none.kind, Kind::kTimeout);
    const bool taken = co_await socket->Send("ready");
    EXPECT_TRUE(taken);
    bool is_closed = false;
    socket->closed()->OnCancel([&is_closed] { is_closed = true; });
    while (!is_closed) co_await Sleep(milliseconds(1));
}

TEST(HttpWebSocketFlood, UnreadMessagesAreBoundedAndAResetIsNoticed) {
    TestServer server;
    server.Run([&] { server.router.AddSocket("/lazy", &Lazy); });
    SocketClient client(server.port(), "/lazy");
    client.SendText("first");
    EXPECT_EQ(client.Receive().payload, "ready");
    timeval soon{1, 0};
    ::setsockopt(client.fd(), SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
    const std::string message = SocketClient::Frame(0x1, std::string(60'000, 'x'));
    std::size_t sent = 0;
    while (sent < 2000 && client.Send(message)) ++sent;
    EXPECT_LT(sent, 1000U);
    client.Reset();
    WaitFor([&] { return server.connections() == 0; });
}

}  // namespace
}  // namespace vf::http
