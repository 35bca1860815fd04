// The parts that need no socket: headers, targets, router, negotiation, multipart, static files.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/settings.hpp"
#include "http/admission.hpp"
#include "http/multipart.hpp"
#include "http/negotiate.hpp"
#include "http/response_writer.hpp"
#include "http/server.hpp"
#include "http/static_files.hpp"
#include "http/target.hpp"

namespace vf::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Headers, KeepOrderAndIgnoreCase) {
    Headers headers{{"A", "1"}, {"B", "2"}, {"a", "3"}};
    EXPECT_EQ(headers.Get("a"), "1");
    EXPECT_EQ(headers.Joined("A"), "1, 3");
    headers.Set("b", headers.Get("A"));  // a view into itself
    EXPECT_EQ(headers.Get("B"), "1");
    headers.Remove("A");
    EXPECT_EQ(headers.size(), 1U);
    EXPECT_FALSE(headers.Has("A"));
    EXPECT_EQ(headers.Get("A"), "");
}

TEST(Target, DecodesSegments) {
    const auto parts = ParseTarget("//a%20b/c%2Fd/?q=%41");
    ASSERT_TRUE(parts);
    EXPECT_THAT(parts->segments, ElementsAre("a b", "c/d"));
    EXPECT_EQ(parts->path, "/a b/c/d");
    EXPECT_EQ(parts->query, "q=%41");
    EXPECT_EQ(ParseTarget("/")->path, "/");
    EXPECT_EQ(ParseTarget("/?a=%zz").error().code(), "invalid_query");
    EXPECT_EQ(ParseTarget("/a/%2e").error().code(), "invalid_path");
    EXPECT_EQ(ParseTarget("/%c0%80").error().code(), "invalid_path");
    EXPECT_EQ(ParseTarget("/%").error().code(), "invalid_path");
}

Response Nothing(Request&) {
    return {};
}

TEST(Router, PrefersThePreciserPattern) {
    Router router;
    for (const char* pattern : {"/a/{x}", "/a/{x:int}", "/a/{x:uuid}", "/a/b", "/a/{rest:path}"}) {
        router.Add(Method::kGet, pattern, QuickHandler(Nothing));
    }
    const auto found = [&](std::vector<std::string> segments) {
        return router.Find(Method::kGet, segments).route->pattern;
    };
    EXPECT_EQ(found({"a", "b"}), "/a/b");
    EXPECT_EQ(found({"a", "9223372036854775807"}), "/a/{x:int}");
    EXPECT_EQ(found({"a", "9223372036854775808"}), "/a/{x}");
    EXPECT_EQ(found({"a", "01932c5a-0000-7000-8000-000000000000"}), "/a/{x:uuid}");
    EXPECT_EQ(found({"a", "c"}), "/a/{x}");
    EXPECT_EQ(found({"a", "c", "d"}), "/a/{rest:path}");
    EXPECT_EQ(router.Find(Method::kGet, {"a", "c", "d"}).params[0].second, "c/d");
    EXPECT_EQ(router.Find(Method::kGet, {"a"}).route, nullptr);
    EXPECT_EQ(router.Find(Method::kGet, {"a"}).allowed, 0U);
}

TEST(Router, TheMostPrecisePathIsTheResource) {
    Router router;
    router.Add(Method::kPost, "/a/add", QuickHandler(Nothing));
    router.Add(Method::kGet, "/a/{x}", QuickHandler(Nothing));
    EXPECT_EQ(router.Find(Method::kPost, {"a", "add"}).route->pattern, "/a/add");
    EXPECT_EQ(router.Find(Method::kGet, {"a", "add"}).route, nullptr);
    EXPECT_EQ(router.Find(Method::kGet, {"a", "b"}).route->pattern, "/a/{x}");
    EXPECT_EQ(AllowHeader(router.Find(Method::kDelete, {"a", "add"}).allowed), "POST, OPTIONS");
    EXPECT_EQ(router.Routes().size(), 2U);
}

TEST(Router, RefusesBadPatterns) {
    Router router;
    router.Add(Method::kGet, "/a/{x}", QuickHandler(Nothing));
    for (const char* pattern :
         {"a", "/{", "/{}", "/{x:what}", "/x{y}", "/{r:path}/b", "/{x}/{x}", "/a/{x}"}) {
        EXPECT_THROW(router.Add(Method::kGet, pattern, QuickHandler(Nothing)), std::logic_error)
            << pattern;
    }
}

TEST(Router, ParametersAreNamedPerMethod) {
    Router router;
    router.Add(Method::kGet, "/a/{x}", QuickHandler(Nothing));
    router.Add(Method::kPut, "/a/{y}", QuickHandler(Nothing));
    EXPECT_EQ(router.Find(Method::kPut, {"a", "1"}).params[0].first, "y");
}

TEST(Negotiate, AcceptWeighsTheMostPreciseRange) {
    EXPECT_TRUE(AcceptsOneOf("", {"audio/wav"}));
    EXPECT_TRUE(AcceptsOneOf("text/html, audio/*;q=0.1", {"audio/wav"}));
    EXPECT_FALSE(AcceptsOneOf("audio/*, audio/wav;q=0", {"audio/wav"}));
    EXPECT_FALSE(AcceptsOneOf("*/*;q=0.000", {"audio/wav"}));
    EXPECT_FALSE(AcceptsOneOf("text/html", {"audio/wav", "audio/mpeg"}));
    EXPECT_TRUE(AcceptsOneOf("AUDIO/WAV; rate=8000", {"audio/wav"}));
}

TEST(Negotiate, GzipWeights) {
    EXPECT_TRUE(AcceptsGzip("gzip"));
    EXPECT_TRUE(AcceptsGzip("br;q=1.0, *;q=0.1"));
    EXPECT_FALSE(AcceptsGzip(""));
    EXPECT_FALSE(AcceptsGzip("br"));
    EXPECT_FALSE(AcceptsGzip("gzip;q=0"));
    EXPECT_FALSE(AcceptsGzip("gzip;q=0.2, identity;q=0.5"));
}

TEST(ResponseHead, NoValueEndsItsLine) {
    Response response(200);
    response.headers.Add("X-A", "a\r\nSet-Cookie: b");
    response.headers.Add("X B", "c");
    response.headers.Add("Content-Length", "99");
    std::string out;
    AppendResponseHead(out, response, {.length = 3, .request_id = "r", .date = "d"});
    EXPECT_THAT(out, HasSubstr("\r\nX-A: a  Set-Cookie: b\r\n"));
    EXPECT_THAT(out, Not(HasSubstr("X B")));
    EXPECT_THAT(out, Not(HasSubstr("99")));
    EXPECT_THAT(out, HasSubstr("\r\nContent-Length: 3\r\n"));
}

TEST(Problem, NamesEveryWrongField) {
    Request request;
    request.id = "req_1";
    const Error error(ErrorKind::kInvalid, "invalid_request", "Two things.",
                      {{"/speed", "out_of_range", "Too fast."}, {"limit", "required", "Missing."}});
    const Response response = ProblemResponse(error, request);
    const std::string& body = std::get<std::string>(response.body);
    EXPECT_EQ(response.status, 400);
    EXPECT_THAT(body, HasSubstr(R"({"pointer":"/speed","code":"out_of_range")"));
    EXPECT_THAT(body, HasSubstr(R"({"parameter":"limit")"));
    EXPECT_THAT(body, HasSubstr(R"("request_id":"req_1")"));
}

TEST(RequestId, OnlyHarmlessCharacters) {
    EXPECT_TRUE(IsRequestId("aZ0._-"));
    EXPECT_TRUE(IsRequestId(std::string(128, 'a')));
    EXPECT_FALSE(IsRequestId(std::string(129, 'a')));
    EXPECT_FALSE(IsRequestId(""));
    EXPECT_FALSE(IsRequestId("a b"));
    EXPECT_FALSE(IsRequestId("a\"b"));
}

constexpr std::string_view kForm = "multipart/form-data; boundary=\"b 1\"";

TEST(Multipart, ReadsFieldsAndFiles) {
    const std::string body =
        "preamble\r\n--b 1\r\nContent-Disposition: form-data; name=text\r\n\r\nhello\r\n--b\r\n"
        "--b 1 \t\r\ncontent-type: Audio/WAV; x=y\r\n"
        "Content-Disposition: form-data; filename=\"a\\\"b;c.wav\"; name=\"file\"\r\n\r\n\r\n"
        "--b 1\r\nContent-Disposition: form-data; name=\"e\"\r\n\r\n\r\n--b 1--\r\nepilogue";
    const auto parts = ParseMultipart(kForm, body);
    ASSERT_TRUE(parts) << parts.error().message();
    ASSERT_EQ(parts->size(), 3U);
    EXPECT_EQ((*parts)[0].name, "text");
    EXPECT_EQ((*parts)[0].data, "hello\r\n--b");
    EXPECT_EQ((*parts)[0].media_type, "text/plain");
    EXPECT_EQ((*parts)[1].filename, "a\"b;c.wav");
    EXPECT_EQ((*parts)[1].media_type, "audio/wav");
    EXPECT_EQ((*parts)[1].data, "");
    EXPECT_EQ((*parts)[2].name, "e");
}

TEST(Multipart, RefusesWhatIsMalformed) {
    const std::string head = "--b 1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n";
    const std::string end = "\r\n--b 1--";
    EXPECT_TRUE(ParseMultipart(kForm, head + end));
    for (const std::string& body :
         {std::string(), std::string("x"), head, head + "\r\n--b 1", head + "\r\n--b 1x\r\n" + end,
          std::string("--b 1\r\n\r\nx") + end,
          std::string("--b 1\r\nContent-Disposition: form-data\r\n\r\n") + end,
          std::string("--b 1\r\nContent-Disposition: form-data; name=\"a\r\n\r\n") + end,
          std::string("--b 1\r\nContent-Disposition: attachment; name=a\r\n\r\n") + end,
          std::string("--b 1\r\nno colon\r\n\r\n") + end}) {
        const auto parts = ParseMultipart(kForm, body);
        ASSERT_FALSE(parts) << body;
        EXPECT_EQ(parts.error().code(), "malformed_multipart");
    }
    EXPECT_FALSE(ParseMultipart("multipart/form-data", head + end));
    EXPECT_FALSE(ParseMultipart("multipart/mixed; boundary=b", head + end));
    EXPECT_FALSE(ParseMultipart("multipart/form-data; boundary=" + std::string(71, 'a'), ""));
}

TEST(Multipart, HasBounds) {
    std::string body;
    for (int i = 0; i < 3; ++i) {
        body += "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n";
    }
    body += "--b--";
    const MultipartLimits two{.parts = 2};
    EXPECT_TRUE(ParseMultipart("multipart/form-data; boundary=b", body));
    EXPECT_EQ(ParseMultipart("multipart/form-data; boundary=b", body, two).error().code(),
              "too_many_parts");
    const std::string large = "--b\r\nX: " + std::string(5000, 'a') + "\r\n\r\n\r\n--b--";
    EXPECT_EQ(ParseMultipart("multipart/form-data; boundary=b", large).error().code(),
              "part_headers_too_large");
}

class StaticFolder : public testing::Test {
protected:
    StaticFolder() {
        std::string name = testing::TempDir() + "static-XXXXXX";
        folder_ = ::mkdtemp(name.data());
        std::filesystem::create_directories(folder_ + "/assets");
        Write("index.html", "<p>" + std::string(2000, 'x'));
        Write("assets/a.js", "1");
        Write(".secret", "no");
        std::filesystem::create_symlink("/etc/hostname", folder_ + "/outside.txt");
    }
    ~StaticFolder() override { std::filesystem::remove_all(folder_); }
    void Write(const std::string& name, const std::string& content) {
        std::ofstream(folder_ + "/" + name) << content;
    }
    std::string folder_;
};

TEST_F(StaticFolder, ServesWithTagsTypesAndGzip) {
    StaticOptions options;
    options.content_security_policy = "default-src 'self'";
    const auto files = StaticFiles::Load(folder_, options);
    ASSERT_TRUE(files);
    Request request;
    const auto page = files->Serve(request, "");
    ASSERT_TRUE(page);
    EXPECT_EQ(page->headers.Get("Content-Type"), "text/html; charset=utf-8");
    EXPECT_EQ(page->headers.Get("Content-Security-Policy"), "default-src 'self'");
    const std::string etag(page->headers.Get("ETag"));
    EXPECT_THAT(etag, testing::MatchesRegex("\"[0-9a-f]+\""));

    request.headers.Set("If-None-Match", "\"other\", W/" + etag);
    const auto same = files->Serve(request, "index.html");
    EXPECT_EQ(same->status, 304);
    EXPECT_EQ(same->headers.Get("ETag"), etag);

    request.headers.Set("Accept-Encoding", "gzip");
    const auto small = files->Serve(request, "");
    EXPECT_EQ(small->status, 200);
    EXPECT_EQ(small->headers.Get("Content-Encoding"), "gzip");
    EXPECT_EQ(small->headers.Get("Vary"), "Accept-Encoding");
    EXPECT_NE(small->headers.Get("ETag"), etag);
    EXPECT_TRUE(files->Serve(request, "assets/a.js"));
    for (const char* path : {".secret", "outside.txt", "../x", "assets", "nothing"}) {
        EXPECT_FALSE(files->Serve(request, path)) << path;
    }
}

TEST_F(StaticFolder, LoadSaysWhatIsWrong) {
    StaticOptions small;
    small.max_bytes = 10;
    EXPECT_THAT(StaticFiles::Load(folder_, small).error().message(), HasSubstr("too large"));
    EXPECT_FALSE(StaticFiles::Load(folder_ + "/none", {}));
}

TEST(HttpSettings, AreDeclaredWithTheirBounds) {
    ServerOptions options;
    SettingsSchema schema;
    DeclareSettings(schema, options);
    const char* environment[] = {"VOICEFLOW_HTTP_PORT=9090"};
    const std::vector<std::string> arguments = {"--http.max_header_bytes=64KiB"};
    ASSERT_TRUE(schema.Load("", environment, arguments));
    EXPECT_EQ(options.port, 9090);
    EXPECT_EQ(options.max_header_bytes, 65536U);
    const std::vector<std::string> wrong = {"--http.port=70000"};
    EXPECT_FALSE(schema.Load("", {}, wrong));
}

}  // namespace
}  // namespace vf::http
