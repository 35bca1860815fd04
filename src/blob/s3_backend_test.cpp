// The S3 backend against a storage that misbehaves as it is told. That it speaks S3 is shown with a
// real one (tests/api/test_blob_s3.py).
#include "blob/s3_backend.hpp"

#include <fmt/format.h>

#include "http/test_server.hpp"

namespace vf::blob {
namespace {

using http::Method;

struct Answer {
    int status = 200;
    std::string body;
    std::string etag;
};

class S3BackendTest : public testing::Test {
protected:
    S3BackendTest() {
        http::RouteOptions options;
        options.max_body = 16 << 20;
        for (const Method method : {Method::kGet, Method::kPut, Method::kPost, Method::kDelete}) {
            for (const char* path : {"/bucket", "/bucket/{key:path}"}) {
                server.Add(method, path,
                           http::QuickHandler([this](http::Request& r) { return Serve(r); }),
                           options);
            }
        }
    }
    http::Response Serve(const http::Request& request) {
        seen.push_back(fmt::format("{} {} {}", http::MethodName(request.method), request.target,
                                   request.body.size()));
        Answer answer;
        if (!answers.empty()) {
            answer = answers.front();
            answers.erase(answers.begin());
        }
        http::Response response(answer.status, "application/xml", answer.body);
        if (!answer.etag.empty()) response.headers.Add("ETag", answer.etag);
        return response;
    }
    S3Backend& Backend() {
        if (!backend) {
            S3Options options;
            options.endpoint = fmt::format("http://127.0.0.1:{}", server.port());
            options.bucket = "bucket";
            options.keys = {"key", "secret", "us-east-1"};
            options.first_wait = std::chrono::milliseconds(1);
            backend = std::make_unique<S3Backend>(S3Client(client, threads, std::move(options)),
                                                  "p/", 1000);
        }
        return *backend;
    }
    std::string Put(std::string content) {
        auto pipe = std::make_shared<BytePipe>(loop.get_executor(), 1);
        pipe->WriteNow(std::move(content));
        pipe->Finish();
        return CodeOf(RunTask(loop, Backend().Put(id, pipe)));
    }
    static std::string CodeOf(const Result<void>& result) {
        return result ? "ok" : result.error().code();
    }
    // The requests so far, without the key.
    std::vector<std::string> Seen() {
        std::vector<std::string> out;
        server.Run([&] {
            for (std::string line : seen) {
                const std::string key = "/bucket/p/" + id.uuid.Hex();
                const std::size_t at = line.find(key);
                if (at != std::string::npos) line.replace(at, key.size(), "KEY");
                out.push_back(line);
            }
        });
        return out;
    }

    std::vector<Answer> answers;  // the next ones; beyond: 200
    std::vector<std::string> seen;
    http::TestServer server;
    asio::io_context loop{1};
    asio::thread_pool threads{1};
    http::HttpClient client{loop};
    std::unique_ptr<S3Backend> backend;
    const BlobId id = BlobId::New();
    const Answer slow_down{503, "<Error><Code>SlowDown</Code></Error>", ""};
    const Answer begun{200, "<R><UploadId>a b/c</UploadId></R>", ""};
    const Answer part{200, "", "\"etag\""};
    const Answer failed_inside{200, "<?xml?><Error><Code>InternalError</Code></Error>", ""};
};

TEST_F(S3BackendTest, TriesAgainWhenTheStorageIsBusy) {
    answers = {slow_down, {500, "", ""}, {200, "", ""}};
    EXPECT_EQ(Put("small"), "ok");
    EXPECT_EQ(Seen(), (std::vector<std::string>{"PUT KEY 5", "PUT KEY 5", "PUT KEY 5"}));
}

TEST_F(S3BackendTest, GivesUpAfterItsAttempts) {
    answers = std::vector<Answer>(10, slow_down);
    EXPECT_EQ(Put("small"), "blob_storage_unavailable");
    EXPECT_EQ(Seen().size(), 4U);
}

TEST_F(S3BackendTest, DoesNotRepeatWhatIsRefused) {
    answers = {{403, "<Error><Code>AccessDenied</Code></Error>", ""}};
    EXPECT_EQ(Put("small"), "blob_storage_unavailable");
    EXPECT_EQ(Seen().size(), 1U);
}

TEST_F(S3BackendTest, SendsPartsAndCompletes) {
    answers = {begun, part, slow_down, part, part, {200, "<Complete/>", ""}};
    EXPECT_EQ(Put(std::string(2500, 'x')), "ok");
    const std::vector<std::string> lines = Seen();
    ASSERT_EQ(lines.size(), 6U);
    EXPECT_EQ(lines[0], "POST KEY?uploads= 0");
    EXPECT_EQ(lines[1], "PUT KEY?partNumber=1&uploadId=a%20b%2Fc 1000");
    EXPECT_EQ(lines[2], "PUT KEY?partNumber=2&uploadId=a%20b%2Fc 1000");
    EXPECT_EQ(lines[3], lines[2]);
    EXPECT_EQ(lines[4], "PUT KEY?partNumber=3&uploadId=a%20b%2Fc 500");
    EXPECT_TRUE(lines[5].starts_with("POST KEY?uploadId=a%20b%2Fc "));
}

TEST_F(S3BackendTest, A200ThatIsAnErrorIsOne) {
    answers = {begun, part, part, failed_inside, failed_inside, {200, "<Complete/>", ""}};
    EXPECT_EQ(Put(std::string(1500, 'x')), "ok");
    answers = {begun, part, part};
    answers.insert(answers.end(), 4, failed_inside);
    EXPECT_EQ(Put(std::string(1500, 'x')), "blob_storage_unavailable");
    EXPECT_TRUE(Seen().back().starts_with("DELETE KEY?uploadId="));
}

TEST_F(S3BackendTest, ACompletionWhoseAnswerWasLostIsFoundDone) {
    answers = {begun,
               part,
               part,
               {500, "", ""},
               {404, "<Error><Code>NoSuchUpload</Code></Error>", ""},
               {200, "", ""}};
    EXPECT_EQ(Put(std::string(1500, 'x')), "ok");
    EXPECT_EQ(Seen().back(), "HEAD KEY 0");
}

TEST_F(S3BackendTest, AFailedUploadIsAborted) {
    answers = {begun, part, {403, "", ""}, {204, "", ""}};
    EXPECT_EQ(Put(std::string(1500, 'x')), "blob_storage_unavailable");
    EXPECT_EQ(Seen().back(), "DELETE KEY?uploadId=a%20b%2Fc 0");
}

TEST_F(S3BackendTest, ASourceThatBreaksOffStoresNothing) {
    for (const std::size_t size : {std::size_t{10}, std::size_t{1500}}) {
        seen.clear();
        answers = {};
        if (size > 1000) answers = {begun, part};
        auto pipe = std::make_shared<BytePipe>(loop.get_executor(), 1);
        pipe->WriteNow(std::string(size, 'x'));
        pipe->Fail(Error(ErrorKind::kInvalid, "of_the_source", "It broke."));
        EXPECT_EQ(CodeOf(RunTask(loop, Backend().Put(id, pipe))), "of_the_source");
        EXPECT_TRUE(pipe->abandoned());
        for (const std::string& line : Seen()) {
            EXPECT_FALSE(line.starts_with("PUT KEY ")) << line;
            EXPECT_FALSE(line.starts_with("POST KEY?uploadId=")) << line;
        }
    }
}

TEST_F(S3BackendTest, RemovingAlsoAbortsWhatACrashLeft) {
    const std::string key = "p/" + id.uuid.Hex();
    answers = {{204, "", ""},
               {200,
                fmt::format("<L><Upload><Key>{0}</Key><UploadId>one</UploadId></Upload>"
                            "<Upload><Key>{0}x</Key><UploadId>foreign</UploadId></Upload></L>",
                            key),
                ""},
               {204, "", ""}};
    EXPECT_EQ(CodeOf(RunTask(loop, Backend().Remove(id))), "ok");
    const std::vector<std::string> lines = Seen();
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(lines[2], "DELETE KEY?uploadId=one 0");
}

TEST_F(S3BackendTest, ARangeThatIsNotAnsweredAsAskedIsRefused) {
    const auto get = [&](Answer answer, std::uint64_t offset) {
        answers = {std::move(answer)};
        const auto pipe = RunTask(loop, Backend().Get(id, offset, 5));
        if (pipe) (*pipe)->Abandon();
        return pipe ? std::string("ok") : pipe.error().code();
    };
    EXPECT_EQ(get({206, "12345", ""}, 10), "ok");
    EXPECT_EQ(get({200, "12345", ""}, 0), "ok");
    EXPECT_EQ(get({200, "12345", ""}, 10), "blob_storage_unavailable");
    EXPECT_EQ(get({206, "1234", ""}, 10), "blob_storage_unavailable");
    EXPECT_EQ(get({404, "<Error><Code>NoSuchKey</Code></Error>", ""}, 0), "blob_not_found");
    EXPECT_EQ(get({404, "<Error><Code>NoSuchBucket</Code></Error>", ""}, 0),
              "blob_storage_unavailable");
}

TEST_F(S3BackendTest, NobodyThere) {
    S3Options options;
    options.endpoint = "http://127.0.0.1:1";
    options.bucket = "bucket";
    options.first_wait = std::chrono::milliseconds(1);
    backend = std::make_unique<S3Backend>(S3Client(client, threads, std::move(options)), "", 1000);
    EXPECT_EQ(Put("x"), "blob_storage_unavailable");
}

}  // namespace
}  // namespace vf::blob
