// Bodies that are still being made while they are sent.
#include <gmock/gmock.h>

#include "http/test_server.hpp"

namespace vf::http {
namespace {

using std::chrono::seconds;

class HttpStream : public testing::Test {
protected:
    HttpStream() {
        pipe_ = std::make_shared<BytePipe>(server_.executor(), 1 << 16);
        pipe_->OnAbandon([this] { abandoned_.set_value(); });
        const auto add = [this](const char* path, std::optional<std::uint64_t> length) {
            auto pipe = pipe_;
            server_.Add(Method::kGet, path, [pipe, length](Request&) -> Task<Response> {
                auto make = [](std::shared_ptr<BytePipe> p,
                               std::optional<std::uint64_t> l) -> Task<Response> {
                    co_return StreamResponse("audio/wav", p, l);
                };
                return make(pipe, length);
            });
        };
        add("/chunked", std::nullopt);
        add("/sized", 6);
    }
    void Write(std::string text) {
        server_.Run([&] { pipe_->WriteNow(text); });
    }
    void Finish() {
        server_.Run([&] { pipe_->Finish(); });
    }
    void Fail() {
        server_.Run([&] { pipe_->Fail(Error()); });
    }
    bool WasAbandoned() {
        return abandoned_.get_future().wait_for(seconds(10)) == std::future_status::ready;
    }

    std::promise<void> abandoned_;
    TestServer server_;
    std::shared_ptr<BytePipe> pipe_;
};

TEST_F(HttpStream, SendsChunksAsTheyComeAndKeepsTheConnection) {
    Client client(server_.port());
    client.Send("GET /chunked HTTP/1.1\r\nHost: t\r\n\r\n");
    while (client.input.find("\r\n\r\n") == std::string::npos && client.Fill()) {
    }  // the head comes before there is any byte of the body
    Write("abc");
    while (client.input.find("3\r\nabc\r\n") == std::string::npos && client.Fill()) {
    }
    Write("de");
    Finish();
    const Reply reply = client.Read();
    EXPECT_EQ(reply.body, "abcde");
    EXPECT_TRUE(reply.is_whole);
    EXPECT_EQ(client.Get("/nothing").status, 404);
}

TEST_F(HttpStream, ReadyChunksLeaveWithTheHead) {
    Write("abc");
    Write("def");
    Finish();
    Client client(server_.port());
    const Reply reply = client.Get("/sized");
    EXPECT_EQ(reply.Header("Content-Length"), "6");
    EXPECT_EQ(reply.body, "abcdef");
    EXPECT_EQ(client.Get("/nothing").status, 404);
}

TEST_F(HttpStream, OldVersionGetsABodyUntilTheEnd) {
    Write("abc");
    Finish();
    Client client(server_.port());
    client.Send("GET /chunked HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const Reply reply = client.Read();
    EXPECT_EQ(reply.Header("Transfer-Encoding"), "");
    EXPECT_EQ(reply.Header("Connection"), "close");
    EXPECT_EQ(reply.body, "abc");
    EXPECT_TRUE(reply.is_whole);
}

TEST_F(HttpStream, AFailedBodyNeverLooksComplete) {
    Client client(server_.port());
    client.Send("GET /chunked HTTP/1.1\r\nHost: t\r\n\r\n");
    Write("abc");
    while (client.input.find("3\r\nabc\r\n") == std::string::npos && client.Fill()) {
    }
    Fail();
    const Reply reply = client.Read();
    EXPECT_FALSE(reply.is_whole);
    EXPECT_EQ(client.input.find("0\r\n\r\n"), std::string::npos);
}

TEST_F(HttpStream, AFailedBodyOfTheOldVersionIsReset) {
    Client client(server_.port());
    client.Send("GET /chunked HTTP/1.0\r\n\r\n");
    Write("abc");
    while (client.input.find("\r\n\r\nabc") == std::string::npos && client.Fill()) {
    }
    Fail();
    client.ReadToEnd();
    EXPECT_TRUE(client.was_reset);
}

TEST_F(HttpStream, ABodyShorterThanItsLengthEndsTheConnection) {
    Write("abc");
    Finish();
    Client client(server_.port());
    EXPECT_FALSE(client.Get("/sized").is_whole);
}

TEST_F(HttpStream, ABodyLongerThanItsLengthIsCutAndEndsTheConnection) {
    Write("abcdefg");
    Finish();
    Client client(server_.port());
    client.Get("/sized");
    EXPECT_TRUE(client.IsClosedByServer());
}

TEST_F(HttpStream, HeadAbandonsTheBody) {
    Client client(server_.port());
    client.Send("HEAD /chunked HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(client.Read(true).status, 200);
    EXPECT_TRUE(WasAbandoned());
    EXPECT_EQ(client.Get("/nothing").status, 404);
}

TEST_F(HttpStream, AResetAbandonsTheBody) {
    Client client(server_.port());
    client.Send("GET /chunked HTTP/1.1\r\nHost: t\r\n\r\n");
    while (client.input.find("\r\n\r\n") == std::string::npos && client.Fill()) {
    }
    client.Reset();
    EXPECT_TRUE(WasAbandoned());
}

TEST_F(HttpStream, AHalfCloseDoesNot) {
    Client client(server_.port());
    client.Send("GET /chunked HTTP/1.1\r\nHost: t\r\n\r\n");
    client.FinishWriting();
    while (client.input.find("\r\n\r\n") == std::string::npos && client.Fill()) {
    }
    Write("abc");
    Finish();
    EXPECT_EQ(client.Read().body, "abc");
}

TEST_F(HttpStream, AClientThatDoesNotReadIsReset) {
    Client client(server_.port());
    client.Send("GET /chunked HTTP/1.1\r\nHost: t\r\n\r\n");
    while (client.input.find("\r\n\r\n") == std::string::npos && client.Fill()) {
    }
    const std::string block(1 << 20, 'a');
    for (int i = 0; i < 16; ++i) Write(block);  // more than both socket buffers hold
    server_.Run([] {});
    std::future<void> abandoned = abandoned_.get_future();
    for (int i = 0; i < 40; ++i) {
        server_.Advance(seconds(2));
        if (abandoned.wait_for(seconds(0)) == std::future_status::ready) break;
    }
    EXPECT_EQ(abandoned.wait_for(seconds(0)), std::future_status::ready);
    client.ReadToEnd();
    EXPECT_TRUE(client.was_reset);
}

TEST_F(HttpStream, AResetCancelsAHandlerAtWork) {
    auto started = std::make_shared<std::promise<void>>();
    auto cancelled = std::make_shared<std::promise<void>>();
    auto gate = pipe_;
    server_.Add(Method::kGet, "/works", [=](Request& request) -> Task<Response> {
        request.cancel->OnCancel([cancelled, gate] {
            cancelled->set_value();
            gate->Finish();
        });
        started->set_value();
        auto wait = [](std::shared_ptr<BytePipe> pipe) -> Task<Response> {
            co_await pipe->WaitReady();
            co_return Response();
        };
        return wait(gate);
    });
    Client client(server_.port());
    client.Send("GET /works HTTP/1.1\r\nHost: t\r\n\r\n");
    started->get_future().wait();
    server_.Run([] {});
    client.Reset();
    EXPECT_EQ(cancelled->get_future().wait_for(seconds(10)), std::future_status::ready);
}

}  // namespace
}  // namespace vf::http
