// What is refused on the wire, as data: each request alone on a connection, its status, and that
// the connection is closed afterwards.
#include <random>

#include "http/reader.hpp"

#include "http/test_server.hpp"

namespace vf::http {
namespace {

struct BadRequest {
    const char* name;
    std::string bytes;
    int status;
};

const std::string kHost = "Host: test\r\n";

std::vector<BadRequest> BadRequests() {
    using namespace std::string_literals;
    const std::string post = "POST /echo HTTP/1.1\r\n" + kHost;
    const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
    return {
        {"LengthAndChunked",
         post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"ChunkedAndLength",
         post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400},
        {"TwoLengths", post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc", 400},
        {"TwoEqualLengths", post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab", 400},
        {"LengthList", post + "Content-Length: 2, 2\r\n\r\nab", 400},
        {"LengthPlus", post + "Content-Length: +2\r\n\r\nab", 400},
        {"LengthMinus", post + "Content-Length: -2\r\n\r\nab", 400},
        {"LengthHex", post + "Content-Length: 0x2\r\n\r\nab", 400},
        {"LengthEmpty", post + "Content-Length:\r\n\r\n", 400},
        {"LengthHuge", post + "Content-Length: 99999999999999999999\r\n\r\n", 400},
        {"ChunkedNotLast", post + "Transfer-Encoding: chunked, gzip\r\n\r\n", 400},
        {"ChunkedTwice", post + "Transfer-Encoding: chunked, chunked\r\n\r\n", 400},
        {"ChunkedTwoFields",
         post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"CodingEmpty", post + "Transfer-Encoding:\r\n\r\n", 400},
        {"CodingEmptyElement", post + "Transfer-Encoding: chunked,\r\n\r\n", 400},
        {"CodingUnknown", post + "Transfer-Encoding: gzip\r\n\r\n", 501},
        {"CodingIdentity", post + "Transfer-Encoding: identity\r\n\r\n", 501},
        {"CodingXchunked", post + "Transfer-Encoding: xchunked\r\n\r\n", 501},
        {"CodingGzipChunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
        {"CodingVerticalTab",
         post + "Transfer-Encoding: \x0b"
                "chunked\r\n\r\n",
         400},
        {"CodingInOldVersion", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"ObsFold", "GET /quick HTTP/1.1\r\n" + kHost + "X-A: 1\r\n 2\r\n\r\n", 400},
        {"ObsFoldTab", "GET /quick HTTP/1.1\r\n" + kHost + "X-A: 1\r\n\t2\r\n\r\n", 400},
        {"FoldedFirst", "GET /quick HTTP/1.1\r\n Host: test\r\n\r\n", 400},
        {"SpaceBeforeColon", "GET /quick HTTP/1.1\r\nHost : test\r\n\r\n", 400},
        {"NoColon", "GET /quick HTTP/1.1\r\n" + kHost + "X-A\r\n\r\n", 400},
        {"EmptyName", "GET /quick HTTP/1.1\r\n" + kHost + ": a\r\n\r\n", 400},
        {"NameWithBrace", "GET /quick HTTP/1.1\r\n" + kHost + "X{: a\r\n\r\n", 400},
        {"BareLf", "GET /quick HTTP/1.1\nHost: test\n\n", 400},
        {"BareLfInFields", "GET /quick HTTP/1.1\r\nHost: test\nX-A: b\r\n\r\n", 400},
        {"BareLfAtEnd", "GET /quick HTTP/1.1\r\nHost: test\r\n\n", 400},
        {"BareCr", "GET /quick HTTP/1.1\r\n" + kHost + "X-A: b\rX-B: c\r\n\r\n", 400},
        {"BareCrWithoutEnd", "GET /quick HTTP/1.1\rHost: test\r\r", 400},
        {"NulInValue", "GET /quick HTTP/1.1\r\n" + kHost + "X-A: a\0b\r\n\r\n"s, 400},
        {"NulInName", "GET /quick HTTP/1.1\r\n" + kHost + "X\0A: a\r\n\r\n"s, 400},
        {"ControlInValue", "GET /quick HTTP/1.1\r\n" + kHost + "X-A: a\x01\r\n\r\n", 400},
        {"DeleteInValue", "GET /quick HTTP/1.1\r\n" + kHost + "X-A: a\x7f\r\n\r\n", 400},
        {"MethodWithColon", "GE:T /quick HTTP/1.1\r\n" + kHost + "\r\n", 400},
        {"MethodTooLong", std::string(40, 'A') + " / HTTP/1.1\r\n" + kHost + "\r\n", 400},
        {"MethodUnknown", "BREW /quick HTTP/1.1\r\n" + kHost + "Connection: close\r\n\r\n", 501},
        {"Connect", "CONNECT test:80 HTTP/1.1\r\n" + kHost + "\r\n", 501},
        {"TargetWithSpace", "GET /a b HTTP/1.1\r\n" + kHost + "\r\n", 400},
        {"TargetWithTab", "GET /a\tb HTTP/1.1\r\n" + kHost + "\r\n", 400},
        {"TargetBeyondAscii", "GET /\xc3\xa4 HTTP/1.1\r\n" + kHost + "\r\n", 400},
        {"TargetWithFragment", "GET /quick#a HTTP/1.1\r\n" + kHost + "\r\n", 400},
        {"TargetWithoutSlash", "GET quick HTTP/1.1\r\n" + kHost + "\r\n", 400},
        {"TargetStarForGet", "GET * HTTP/1.1\r\n" + kHost + "\r\n", 400},
        {"TargetMissing", "GET HTTP/1.1\r\n" + kHost + "\r\n", 400},
        {"TargetFtp", "GET ftp://test/ HTTP/1.1\r\n" + kHost + "\r\n", 400},
        {"TargetWithUser", "GET http://a@test/ HTTP/1.1\r\n" + kHost + "\r\n", 400},
        {"HostMissing", "GET /quick HTTP/1.1\r\n\r\n", 400},
        {"HostTwice", "GET /quick HTTP/1.1\r\n" + kHost + kHost + "\r\n", 400},
        {"HostWithSlash", "GET /quick HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"HostWithUser", "GET /quick HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
        {"HostWithSpace", "GET /quick HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
        {"VersionMissing", "GET /quick\r\n" + kHost + "\r\n", 400},
        {"VersionLower", "GET /quick http/1.1\r\n" + kHost + "\r\n", 400},
        {"VersionTwoDigits", "GET /quick HTTP/1.10\r\n" + kHost + "\r\n", 400},
        {"VersionTwo", "GET /quick HTTP/2.0\r\n" + kHost + "\r\n", 505},
        {"VersionOneTwo", "GET /quick HTTP/1.2\r\n" + kHost + "\r\n", 505},
        {"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        {"TlsHello", "\x16\x03\x01\x02\x00\x01\x00\x01"s, 400},
        {"EmptyLines", "\r\n\r\nGET /quick HTTP/1.1\r\n" + kHost + "\r\n", 400},
        {"HeaderOf64K",
         "GET /quick HTTP/1.1\r\n" + kHost + "X: " + std::string(65536, 'a') + "\r\n\r\n", 431},
        {"HeaderWithoutEnd", "GET /quick HTTP/1.1\r\n" + kHost + "X: " + std::string(65536, 'a'),
         431},
        {"HeaderOf17KInFields",
         [] {
             std::string bytes = "GET /quick HTTP/1.1\r\n" + kHost;
             for (int i = 0; i < 17; ++i) bytes += "X: " + std::string(1020, 'a') + "\r\n";
             return bytes + "\r\n";
         }(),
         431},
        {"TooManyFields",
         [] {
             std::string bytes = "GET /quick HTTP/1.1\r\n" + kHost;
             for (int i = 0; i < 101; ++i) bytes += "X: a\r\n";
             return bytes + "\r\n";
         }(),
         431},
        {"TargetOf9K", "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n" + kHost + "\r\n", 414},
        {"TargetWithoutEnd", "GET /" + std::string(20000, 'a'), 414},
        {"ChunkSizeNotHex", chunked + "g\r\n", 400},
        {"ChunkSizeEmpty", chunked + "\r\n", 400},
        {"ChunkSizeSigned", chunked + "-1\r\n", 400},
        {"ChunkSizePrefixed", chunked + "0x1\r\na\r\n0\r\n\r\n", 400},
        {"ChunkSizeSpace", chunked + "1 \r\na\r\n0\r\n\r\n", 400},
        {"ChunkSizeOverflow", chunked + "10000000000000001\r\na\r\n", 400},
        {"ChunkSizeHuge", chunked + "fffffff\r\n", 413},
        {"ChunkTooLong", chunked + "1\r\nab\r\n0\r\n\r\n", 400},
        {"ChunkBareLf", chunked + "1\na\r\n0\r\n\r\n", 400},
        {"ChunkEndBareLf", chunked + "1\r\na\n0\r\n\r\n", 400},
        {"ChunkExtensionLong", chunked + "1;" + std::string(500, 'a') + "\r\na\r\n", 400},
        {"TrailerFolded", chunked + "0\r\nX: a\r\n b\r\n\r\n", 400},
        {"TrailerWithoutColon", chunked + "0\r\nX\r\n\r\n", 400},
        {"PathBadEscape", "GET /%zz HTTP/1.1\r\n" + kHost + "Connection: close\r\n\r\n", 400},
        {"PathNul", "GET /a%00b HTTP/1.1\r\n" + kHost + "Connection: close\r\n\r\n", 400},
        {"PathInvalidUtf8", "GET /%ff HTTP/1.1\r\n" + kHost + "Connection: close\r\n\r\n", 400},
        {"PathDots", "GET /a/../b HTTP/1.1\r\n" + kHost + "Connection: close\r\n\r\n", 400},
        {"PathEncodedDots", "GET /%2e%2E/b HTTP/1.1\r\n" + kHost + "Connection: close\r\n\r\n",
         400},
        {"QueryBadEscape", "GET /quick?a=%2 HTTP/1.1\r\n" + kHost + "Connection: close\r\n\r\n",
         400},
    };
}

void AddRoutes(Router& router) {
    router.Add(Method::kGet, "/quick", [](Request&) { return TextResponse(200, "ok"); });
    router.Add(Method::kPost, "/echo", [](Request& request) -> Task<Response> {
        co_return TextResponse(200, request.body);
    });
}

TEST(Framing, RefusesWhatAnotherServerCouldReadDifferently) {
    TestServer server;
    server.Run([&] { AddRoutes(server.router); });
    for (const BadRequest& bad : BadRequests()) {
        SCOPED_TRACE(bad.name);
        Client client(server.port());
        client.Send(bad.bytes);
        const Reply reply = client.Read();
        EXPECT_EQ(reply.status, bad.status);
        EXPECT_EQ(reply.Header("Connection"), "close");
        EXPECT_EQ(reply.Header("Content-Type"), "application/problem+json");
        EXPECT_NE(reply.Header("X-Request-Id"), "");
        EXPECT_TRUE(reply.is_whole);
        EXPECT_TRUE(client.IsClosedByServer()) << client.input;
    }
}

// The same, byte by byte: what arrives late is judged as what arrives at once.
TEST(Framing, RefusesTheSameWhenBytesComeOneByOne) {
    for (const BadRequest& bad : BadRequests()) {
        if (bad.status == 501 || bad.bytes.size() > 10'000) continue;
        if (bad.bytes.find("/%") != std::string::npos || bad.bytes.find("%") != std::string::npos ||
            bad.bytes.find("..") != std::string::npos) {
            continue;  // judged above the reader
        }
        SCOPED_TRACE(bad.name);
        RequestReader reader(RequestReader::Limits{});
        bool failed = false;
        for (const char c : bad.bytes) {
            reader.Feed({&c, 1});
            RequestReader::Event event = reader.Next();
            if (event == RequestReader::Event::kHead) {
                reader.ReadBody(1000);
                event = reader.Next();
            }
            failed = failed || event == RequestReader::Event::kFailed;
        }
        EXPECT_TRUE(failed);
        EXPECT_EQ(reader.error().status(), bad.status);
    }
}

TEST(Framing, ReadsTheSameRequestHoweverItIsCut) {
    const std::string bytes =
        "\r\nPOST http://other:80/a?b=c HTTP/1.1\r\nHost: test\r\nX-A:  a b\t \r\n"
        "Transfer-Encoding: Chunked\r\n\r\n3;x=\"y\"\r\nabc\r\n00A\r\n0123456789\r\n0\r\n"
        "X-Trailer: t\r\n\r\nGET";
    for (std::size_t step = 1; step <= bytes.size(); ++step) {
        RequestReader reader(RequestReader::Limits{});
        RequestReader::Event event = RequestReader::Event::kNeedMore;
        for (std::size_t at = 0; at < bytes.size(); at += step) {
            reader.Feed(std::string_view(bytes).substr(at, step));
            if (event == RequestReader::Event::kComplete) continue;
            event = reader.Next();
            if (event != RequestReader::Event::kHead) continue;
            EXPECT_EQ(reader.head().target, "/a?b=c");
            EXPECT_EQ(reader.head().headers.Get("host"), "other:80");
            EXPECT_EQ(reader.head().headers.Get("x-a"), "a b");
            reader.ReadBody(13);
            event = reader.Next();
        }
        ASSERT_EQ(event, RequestReader::Event::kComplete) << step;
        EXPECT_EQ(reader.body(), "abc0123456789");
    }
}

TEST(Framing, SurvivesGarbage) {
    TestServer server;
    server.Run([&] { AddRoutes(server.router); });
    std::mt19937 random(4711);
    const std::string words[] = {"GET ",
                                 "/quick",
                                 " HTTP/1.1\r\n",
                                 "Host: test\r\n",
                                 "\r\n",
                                 "POST ",
                                 "/echo",
                                 "Content-Length: 5\r\n",
                                 "\r\n\r\n",
                                 ":",
                                 "Transfer-Encoding: chunked\r\n",
                                 "5\r\nhello\r\n",
                                 "0\r\n\r\n"};
    for (int i = 0; i < 1000; ++i) {
        Client client(server.port());
        std::string bytes;
        const int pieces = static_cast<int>(random() % 20);
        for (int k = 0; k < pieces; ++k) {
            if (random() % 4 == 0) {
                for (unsigned n = random() % 30; n > 0; --n) bytes += static_cast<char>(random());
            } else {
                bytes += words[random() % std::size(words)];
            }
        }
        client.Send(bytes);
        client.FinishWriting();
        client.ReadToEnd();
    }
    Client client(server.port());
    EXPECT_EQ(client.Get("/quick").body, "ok");
}

}  // namespace
}  // namespace vf::http
