#pragma once
// One bucket of an S3 storage: signed requests, tried again where that helps. Inside src/blob.

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_pipe.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "blob/sigv4.hpp"
#include "http/client.hpp"

namespace vf::blob {

struct S3Options {
    std::string endpoint;  // scheme, host, port
    std::string bucket;
    Sigv4Keys keys;
    bool path_style = true;  // else the bucket is part of the host's name
    std::chrono::milliseconds timeout{30'000};
    int attempts = 4;
    std::chrono::milliseconds first_wait{200};  // doubled for each further attempt
};

struct S3Call {
    http::Method method = http::Method::kGet;
    std::string key;  // "": the bucket itself
    std::vector<std::pair<std::string, std::string>> query;
    std::vector<std::pair<std::string, std::string>> headers;
    std::shared_ptr<const std::string> body;
    bool stream_response = false;
    std::uint64_t max_response_bytes = 1ULL << 20U;
};

struct S3Reply {
    int status = 0;
    std::string code;  // of an error: "NoSuchKey"; "" when there is none
    http::Headers headers;
    std::string body;
    std::shared_ptr<BytePipe> pipe;  // of a streamed success
    int attempts = 1;

    bool ok() const { return status >= 200 && status < 300 && code.empty(); }
};

// The text of the first element `tag`, entities resolved; "" when there is none.
std::string XmlText(std::string_view xml, std::string_view tag);
std::string XmlEscape(std::string_view text);

class S3Client {
public:
    // `client` and `threads` (payloads are hashed there) must outlive it.
    S3Client(http::HttpClient& client, asio::thread_pool& threads, S3Options options);

    // What the storage said last. A call is tried again after 429, 5xx, SlowDown and the like, and
    // when no answer came; kUnavailable "blob_storage_unavailable" when none came at all. A 200
    // whose body is an error counts as one.
    Task<Result<S3Reply>> Call(S3Call call);

    // Logs an answer that should not have been, with what the operator may look at.
    Error Refused(std::string_view what, const S3Reply& reply) const;

private:
    http::ClientRequest Signed(const S3Call& call, const std::string& payload_sha256) const;
    Task<Result<S3Reply>> Once(const S3Call& call, const std::string& payload_sha256);

    http::HttpClient& client_;
    asio::thread_pool& threads_;
    S3Options options_;
    std::string origin_;  // "https://host:port"
    std::string host_;
};

}  // namespace vf::blob
