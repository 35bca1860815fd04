#pragma once
// AWS Signature Version 4 as S3 wants it: the path is encoded once and keeps its slashes, the query
// is sorted by encoded name and value with "=" always there, the payload's hash is a header.
// (Amazon S3 API reference, "Authenticating Requests: AWS Signature Version 4".) Pure functions.

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vf::blob {

struct Sigv4Keys {
    std::string access_key;
    std::string secret_key;
    std::string region;
    std::string service = "s3";
};

struct Sigv4Request {
    std::string method;  // "GET"
    std::string host;    // with the port, when it is not the scheme's own
    std::string path;    // decoded, starts with "/"
    std::vector<std::pair<std::string, std::string>> query;    // decoded
    std::vector<std::pair<std::string, std::string>> headers;  // to be signed too; not Host
    std::string payload_sha256;                                // hexadecimal, or "UNSIGNED-PAYLOAD"
};

using SignTime = std::chrono::system_clock::time_point;

// RFC 3986: everything but letters, digits and -._~ as %XX; a slash stays when `keep_slash`.
std::string UriEncode(std::string_view text, bool keep_slash);
// "a=1&b=": encoded, sorted.
std::string CanonicalQuery(std::vector<std::pair<std::string, std::string>> query);
std::string Sha256Hex(std::string_view bytes);

// The headers to send: those of the request and X-Amz-Date, X-Amz-Content-Sha256, Authorization.
std::vector<std::pair<std::string, std::string>> SignHeaders(const Sigv4Request& request,
                                                             const Sigv4Keys& keys, SignTime time);

// "<encoded path>?<query with the signature>" for whoever has no keys, valid for `expires` (at most
// 7 days). The payload stays unsigned.
std::string Presign(Sigv4Request request, const Sigv4Keys& keys, SignTime time,
                    std::chrono::seconds expires);

}  // namespace vf::blob
