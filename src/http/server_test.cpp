// The server seen from a socket: routing, bodies, limits, times.
#include <gmock/gmock.h>
#include <zlib.h>

#include "base/metrics.hpp"
#include "base/unavailable.hpp"
#include "http/test_server.hpp"

namespace vf::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

Response VendorError(const Error& error, const Request&) {
    return TextResponse(error.status(), "vendor:" + error.code());
}

Task<Response> Echo(Request& request) {
    co_return TextResponse(200, request.body);
}

void AddRoutes(Router& router) {
    router.Add(Method::kGet, "/quick", [](Request&) { return TextResponse(200, "ok"); });
    router.Add(Method::kPost, "/any", Handler(Echo));
    RouteOptions options;
    options.max_body = 2000;
    options.consumes = {"application/json"};
    options.produces = {"text/plain", "audio/wav"};
    options.errors = VendorError;
    options.guard.early = [](Request& request) -> Result<void> {
        if (request.headers.Get("X-Key") == "bad") {
            return Error(ErrorKind::kUnauthenticated, "bad_key", "No.");
        }
        return {};
    };
    router.Add(Method::kPost, "/vendor/json", Handler(Echo), options);
    router.Add(Method::kGet, "/vendor/{id:int}/x", [](Request& request) {
        return TextResponse(200, "int " + std::string(request.PathParam("id")));
    });
    router.Add(Method::kGet, "/vendor/{name}/x", [](Request& request) {
        return TextResponse(200, "any " + std::string(request.PathParam("name")));
    });
    router.Add(Method::kGet, "/query", [](Request& request) {
        return TextResponse(200, request.QueryParam("a b").value_or("(none)"));
    });
    router.Add(Method::kGet, "/json",
               [](Request&) { return JsonResponse(200, json::value(std::string(5000, 'x'))); });
    router.Add(Method::kGet, "/throws",
               [](Request&) -> Response { throw std::runtime_error("secret of the house"); });
    router.Add(Method::kGet, "/away", [](Request&) -> Task<Response> {
        throw UnavailableException(
            Error(ErrorKind::kUnavailable, "database_away", "Try again.").RetryAfter(seconds(3)));
        co_return Response();
    });
    router.ErrorsUnder("/vendor", VendorError);
}

class HttpServer : public testing::Test {
protected:
    void Start(ServerOptions options = {}) {
        server_ = std::make_unique<TestServer>(std::move(options));
        server_->Run([this] { AddRoutes(server_->router); });
    }
    void SetUp() override { Start(); }
    std::unique_ptr<TestServer> server_;
};

TEST_F(HttpServer, KeepsTheConnectionAndSaysTheUsualHeaders) {
    Client client(server_->port());
    for (int i = 0; i < 3; ++i) {
        const Reply reply = client.Get("/quick", "X-Request-Id: my-id.1_\r\n");
        EXPECT_EQ(reply.status, 200);
        EXPECT_EQ(reply.body, "ok");
        EXPECT_EQ(reply.Header("X-Request-Id"), "my-id.1_");
        EXPECT_EQ(reply.Header("X-Content-Type-Options"), "nosniff");
        EXPECT_THAT(reply.Header("Date"), HasSubstr("GMT"));
        EXPECT_EQ(reply.Header("Connection"), "");
    }
    EXPECT_THAT(client.Get("/quick", "X-Request-Id: a\"b\r\n").Header("X-Request-Id"),
                testing::StartsWith("req_"));
    EXPECT_EQ(client.Get("/quick", "Connection: Close\r\n").Header("Connection"), "close");
    EXPECT_TRUE(client.IsClosedByServer());
}

TEST_F(HttpServer, SpeaksTheOldVersion) {
    Client client(server_->port());
    client.Send("GET /quick HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(client.Read().Header("Connection"), "keep-alive");
    client.Send("GET /quick HTTP/1.0\r\n\r\n");
    EXPECT_EQ(client.Read().Header("Connection"), "close");
    EXPECT_TRUE(client.IsClosedByServer());
}

TEST_F(HttpServer, AnswersPipelinedRequestsInOrder) {
    Client client(server_->port());
    std::string bytes;
    for (int i = 0; i < 100; ++i) {
        const std::string body = std::to_string(i);
        bytes += "POST /any HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body.size()) +
                 "\r\n\r\n" + body + "GET /quick HTTP/1.1\r\nHost: t\r\n\r\n";
    }
    client.Send(bytes);
    client.FinishWriting();  // a half-closed client still gets its answers
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(client.Read().body, std::to_string(i));
        EXPECT_EQ(client.Read().body, "ok");
    }
    EXPECT_TRUE(client.IsClosedByServer());
}

TEST_F(HttpServer, RoutesByPathAndMethod) {
    Client client(server_->port());
    EXPECT_EQ(client.Get("//quick/").body, "ok");
    EXPECT_EQ(client.Get("http://other/quick").body, "ok");
    EXPECT_EQ(client.Get("/vendor/12/x").body, "int 12");
    EXPECT_EQ(client.Get("/vendor/99999999999999999999/x").body, "any 99999999999999999999");
    EXPECT_EQ(client.Get("/vendor/a%2Fb%20%C3%A4/x").body, "any a/b \xc3\xa4");
    EXPECT_EQ(client.Get("/query?x=1&a+b=c%26d&a%20b=e").body, "c&d");
    EXPECT_EQ(client.Get("/query?x").body, "(none)");

    const Reply missing = client.Get("/nothing");
    EXPECT_EQ(missing.status, 404);
    EXPECT_THAT(missing.body, HasSubstr(R"("type":"/errors/not_found")"));
    EXPECT_THAT(missing.body, HasSubstr(missing.Header("X-Request-Id")));
    EXPECT_EQ(client.Get("/vendor/nothing").body, "vendor:not_found");
    EXPECT_EQ(client.Get("/vendorx").Header("Content-Type"), "application/problem+json");

    const Reply method = client.Post("/quick", "{}");
    EXPECT_EQ(method.status, 405);
    EXPECT_EQ(method.Header("Allow"), "GET, HEAD, OPTIONS");
    client.Send("OPTIONS /any HTTP/1.1\r\nHost: t\r\n\r\n");
    const Reply options = client.Read();
    EXPECT_EQ(options.status, 204);
    EXPECT_EQ(options.Header("Allow"), "POST, OPTIONS");
    EXPECT_EQ(options.Header("Content-Length"), "");
    client.Send("BREW /quick HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(client.Read().status, 501);
    EXPECT_EQ(client.Get("/quick").status, 200);
}

TEST_F(HttpServer, HeadHasTheHeadersOfGetAndNoBody) {
    Client client(server_->port());
    for (const char* path : {"/quick", "/json", "/nothing"}) {
        const Reply get = client.Get(path, "X-Request-Id: a\r\n");
        client.Send("HEAD " + std::string(path) +
                    " HTTP/1.1\r\nHost: t\r\nX-Request-Id: a\r\n\r\n");
        const Reply head = client.Read(true);
        EXPECT_EQ(head.Header("Content-Length"), get.Header("Content-Length"));
        EXPECT_EQ(head.Header("Content-Type"), get.Header("Content-Type"));
        EXPECT_EQ(head.status, get.status);
    }
    EXPECT_EQ(client.Get("/quick").body, "ok");
}

TEST_F(HttpServer, ChecksTheFormOfABody) {
    Client client(server_->port());
    const std::string json = "Content-Type: application/json; charset=utf-8\r\n";
    EXPECT_EQ(client.Post("/vendor/json", "{}", json).body, "{}");
    EXPECT_EQ(client.Post("/vendor/json", "{}", "Content-Type: text/plain\r\n").body,
              "vendor:unsupported_media_type");
    EXPECT_EQ(client.Post("/vendor/json", "{}", "").status, 415);
    EXPECT_EQ(client.Post("/vendor/json", "{}", json + "Accept: image/png, */*;q=0\r\n").status,
              406);
    EXPECT_EQ(client.Post("/vendor/json", "{}", json + "Accept: audio/*;q=0.1\r\n").status, 200);
    EXPECT_EQ(client.Post("/vendor/json", "{}", json + "X-Key: bad\r\n").body, "vendor:bad_key");
    EXPECT_EQ(client.Post("/vendor/json", std::string(2000, 'a'), json).status, 200);
    EXPECT_EQ(client.Post("/vendor/json", std::string(2001, 'a'), json).body,
              "vendor:body_too_large");
    client.Send("POST /vendor/json HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(client.Read().body, "vendor:length_required");
    client.Send("POST /any HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(client.Read().status, 200);
    client.Send("POST /vendor/json HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n" + json +
                "\r\n7d0\r\n" + std::string(2000, 'b') + "\r\n1\r\nc\r\n0\r\n\r\n");
    EXPECT_EQ(client.Read().body, "vendor:body_too_large");
    EXPECT_TRUE(client.IsClosedByServer());
}

TEST_F(HttpServer, TheAnswerToAHugeBodyArrivesWhileItIsStillSent) {
    Client client(server_->port());
    const std::string body(10'000'000, 'a');
    const Reply reply = client.Post("/any", body);
    EXPECT_EQ(reply.status, 413);
    EXPECT_EQ(reply.Header("Connection"), "close");
    EXPECT_TRUE(reply.is_whole);
}

TEST_F(HttpServer, AsksForTheBodyOnlyWhenItWillBeRead) {
    Client client(server_->port());
    const std::string expect = "Expect: 100-continue\r\nContent-Type: application/json\r\n";
    client.Send("POST /vendor/json HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n" + expect + "\r\n");
    EXPECT_EQ(client.Read().status, 100);
    client.Send("{}");
    EXPECT_EQ(client.Read().body, "{}");
    client.Send("POST /vendor/json HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nX-Key: bad\r\n" +
                expect + "\r\n");
    EXPECT_EQ(client.Read().status, 401);
    EXPECT_TRUE(client.IsClosedByServer());
    Client other(server_->port());
    EXPECT_EQ(
        other.Post("/vendor/json", "{}", "Content-Type: application/json\r\nExpect: x\r\n").body,
        "vendor:expectation_failed");
}

TEST_F(HttpServer, ExceptionsShowTheRequestIdAndNothingElse) {
    Client client(server_->port());
    const Reply failed = client.Get("/throws", "X-Request-Id: r1\r\n");
    EXPECT_EQ(failed.status, 500);
    EXPECT_THAT(failed.body, HasSubstr("r1"));
    EXPECT_THAT(failed.body, Not(HasSubstr("secret")));
    const Reply away = client.Get("/away");
    EXPECT_EQ(away.status, 503);
    EXPECT_EQ(away.Header("Retry-After"), "3");
    EXPECT_THAT(away.body, HasSubstr("database_away"));
}

std::string Gunzip(std::string data) {
    z_stream stream{};
    inflateInit2(&stream, 15 + 16);
    std::string out(1 << 20, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(data.data());
    stream.avail_in = static_cast<uInt>(data.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    inflateEnd(&stream);
    return out;
}

TEST_F(HttpServer, CompressesTextWhenAllowed) {
    Client client(server_->port());
    const Reply plain = client.Get("/json");
    EXPECT_EQ(plain.Header("Content-Encoding"), "");
    EXPECT_EQ(plain.Header("Vary"), "Accept-Encoding");
    const Reply small = client.Get("/json", "Accept-Encoding: br, gzip;q=0.5\r\n");
    EXPECT_EQ(small.Header("Content-Encoding"), "gzip");
    EXPECT_LT(small.body.size(), 200U);
    EXPECT_EQ(Gunzip(small.body), plain.body);
    EXPECT_EQ(client.Get("/json", "Accept-Encoding: gzip;q=0, *\r\n").Header("Content-Encoding"),
              "");
    EXPECT_EQ(client.Get("/quick", "Accept-Encoding: gzip\r\n").Header("Content-Encoding"), "");
}

TEST_F(HttpServer, SlowHeadersAndBodiesGet408) {
    Client header(server_->port());
    header.Send("GET /quick HTTP/1.1\r\nHo");
    Client body(server_->port());
    body.Send(
        "POST /vendor/json HTTP/1.1\r\nHost: t\r\nContent-Length: 99\r\n"
        "Content-Type: application/json\r\n\r\nab");
    Client idle(server_->port());
    EXPECT_EQ(idle.Get("/quick").status, 200);
    Client fresh(server_->port());
    while (server_->connections() < 4) {
    }
    server_->Advance(seconds(9));
    EXPECT_EQ(server_->connections(), 4U);
    header.Send("st: t\r\n");  // a byte now and then does not help
    server_->Advance(seconds(2));
    EXPECT_EQ(header.Read().status, 408);
    EXPECT_TRUE(header.IsClosedByServer());
    EXPECT_TRUE(fresh.IsClosedByServer());  // never said anything
    server_->Advance(seconds(10));
    EXPECT_EQ(body.Read().body, "vendor:body_timeout");
    EXPECT_EQ(idle.Get("/quick").status, 200);
    server_->Advance(seconds(80));
    EXPECT_TRUE(idle.IsClosedByServer());
}

TEST_F(HttpServer, ABodyBelowTheLeastRateGets408) {
    Client client(server_->port());
    client.Send("POST /any HTTP/1.1\r\nHost: t\r\nContent-Length: 99\r\n\r\n");
    Reply reply;
    for (int i = 0; i < 30 && reply.status == 0; ++i) {
        client.Send("a");
        Client other(server_->port());
        EXPECT_EQ(other.Get("/quick").status, 200);  // the byte has been read by now
        server_->Advance(seconds(1));
        pollfd state{client.fd(), POLLIN, 0};
        if (::poll(&state, 1, 0) == 1) reply = client.Read();
    }
    EXPECT_EQ(reply.status, 408);
}

TEST_F(HttpServer, LargeBodiesShareABound) {
    ServerOptions options;
    options.max_body = 2 << 20;
    options.max_body_memory = 3 << 20;
    Start(options);
    const std::string body(2 << 20, 'a');
    const std::string head = "POST /any HTTP/1.1\r\nHost: t\r\n";
    const std::string length = "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    Client one(server_->port());
    one.Send(head + length);
    one.Send(std::string_view(body).substr(1));
    Client two(server_->port());
    EXPECT_EQ(two.Post("/any", "small").status, 200);
    Client three(server_->port());
    three.Send(head + length);
    const Reply refused = three.Read();
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.Header("Retry-After"), "1");
    EXPECT_THAT(refused.body, HasSubstr("server_busy"));
    Client chunked(server_->port());
    chunked.Send(head + "Transfer-Encoding: chunked\r\n\r\n");
    EXPECT_EQ(chunked.Read().status, 503) << "it may become as long as any";
    one.Send("a");
    EXPECT_EQ(one.Read().status, 200);
    Client four(server_->port());
    EXPECT_EQ(four.Post("/any", body).status, 200) << "the first one's share is free again";
    {
        Client gone(server_->port());
        gone.Send(head + length);
        EXPECT_EQ(two.Post("/any", "small").status, 200);
    }
    int status = 0;
    for (int tries = 0; status != 200 && tries < 10'000; ++tries) {
        status = Client(server_->port()).Post("/any", body).status;
    }
    EXPECT_EQ(status, 200) << "and that of one who left";
}

TEST_F(HttpServer, RefusesConnectionsBeyondTheLimit) {
    ServerOptions options;
    options.max_connections = 2;
    Start(options);
    Client one(server_->port());
    Client two(server_->port());
    EXPECT_EQ(one.Get("/quick").status, 200);
    EXPECT_EQ(two.Get("/quick").status, 200);
    Client three(server_->port());
    const Reply reply = three.Get("/quick");
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.Header("Retry-After"), "1");
    EXPECT_TRUE(reply.is_whole);
    EXPECT_TRUE(three.IsClosedByServer());
    EXPECT_EQ(one.Get("/quick").status, 200);
}

TEST_F(HttpServer, DrainsRunningRequestsAndClosesIdleOnes) {
    auto gate = std::make_shared<BytePipe>(server_->executor(), 10);
    server_->Add(Method::kGet, "/waits", [gate](Request&) -> Task<Response> {
        auto wait = [](std::shared_ptr<BytePipe> pipe) -> Task<Response> {
            co_await pipe->WaitReady();
            co_return TextResponse(200, "done");
        };
        return wait(gate);
    });
    Client idle(server_->port());
    EXPECT_EQ(idle.Get("/quick").status, 200);
    Client busy(server_->port());
    busy.Send("GET /waits HTTP/1.1\r\nHost: t\r\n\r\n");
    while (server_->connections() < 2) {
    }
    server_->Run([] {});
    std::future<void> ended = server_->Drain(seconds(60));
    EXPECT_TRUE(idle.IsClosedByServer());
    EXPECT_EQ(ended.wait_for(seconds(0)), std::future_status::timeout);
    server_->Run([&] { gate->Finish(); });
    const Reply reply = busy.Read();
    EXPECT_EQ(reply.body, "done");
    EXPECT_EQ(reply.Header("Connection"), "close");
    EXPECT_TRUE(busy.IsClosedByServer());
    EXPECT_EQ(ended.wait_for(seconds(10)), std::future_status::ready);
}

TEST_F(HttpServer, DrainGivesUpAtItsLimit) {
    auto gate = std::make_shared<BytePipe>(server_->executor(), 10);
    auto cancelled = std::make_shared<std::atomic<bool>>(false);
    server_->Add(Method::kGet, "/waits", [gate, cancelled](Request& r) -> Task<Response> {
        r.cancel->OnCancel([cancelled] { *cancelled = true; });
        auto wait = [](std::shared_ptr<BytePipe> pipe) -> Task<Response> {
            co_await pipe->WaitReady();
            co_return Response();
        };
        return wait(gate);
    });
    Client busy(server_->port());
    busy.Send("GET /waits HTTP/1.1\r\nHost: t\r\n\r\n");
    while (server_->connections() < 1) {
    }
    server_->Run([] {});
    EXPECT_EQ(server_->Drain(milliseconds(10)).wait_for(seconds(10)), std::future_status::ready);
    EXPECT_TRUE(busy.IsClosedByServer());
    EXPECT_TRUE(*cancelled);
    server_->Run([&] { gate->Finish(); });
}

TEST_F(HttpServer, CountsRequestsByRoutePattern) {
    Client client(server_->port());
    client.Get("/vendor/secret-name/x");
    client.Get("/some/unknown/path");
    const std::string text = metrics::Render();
    EXPECT_THAT(text, HasSubstr(R"(route="/vendor/{name}/x",status="200")"));
    EXPECT_THAT(text, HasSubstr(R"(route="none",status="404")"));
    EXPECT_THAT(text, Not(HasSubstr("secret-name")));
    EXPECT_THAT(text, HasSubstr("voiceflow_request_latency_seconds_bucket"));
}

}  // namespace
}  // namespace vf::http
