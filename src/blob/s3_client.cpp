#include "blob/s3_client.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/log.hpp"
#include "base/random.hpp"
#include "blob/backend.hpp"

namespace vf::blob {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kHashOnLoop = 16 * 1024;
constexpr milliseconds kLongestWait{10'000};

constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
    {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};

bool IsWorthAnotherTry(const S3Reply& reply) {
    if (reply.status == 429 || reply.status >= 500) return true;
    return reply.code == "SlowDown" || reply.code == "InternalError" ||
           reply.code == "RequestTimeout" || reply.code == "ServiceUnavailable";
}

// Between half of the doubled wait and all of it, or what the storage asks for.
milliseconds WaitBefore(milliseconds first, int attempt, std::string_view retry_after) {
    int seconds = 0;
    std::from_chars(retry_after.data(), retry_after.data() + retry_after.size(), seconds);
    if (seconds > 0) return std::min<milliseconds>(std::chrono::seconds(seconds), kLongestWait);
    const milliseconds whole = std::min(first * (1 << std::min(attempt - 1, 10)), kLongestWait);
    std::array<std::uint8_t, 1> dice{};
    RandomBytes(dice);
    return whole / 2 + whole * dice[0] / 512;
}

// What an operator may look at, by S3's own code.
std::string_view HintFor(const S3Reply& reply) {
    if (reply.code == "SignatureDoesNotMatch") return "is blob.s3_secret_key right?";
    if (reply.code == "InvalidAccessKeyId") return "is blob.s3_access_key right?";
    if (reply.code == "NoSuchBucket") return "does the bucket blob.s3_bucket exist?";
    if (reply.code == "RequestTimeTooSkewed") return "is this machine's clock right?";
    if (reply.code == "AuthorizationHeaderMalformed") return "is blob.s3_region right?";
    if (reply.status == 301 || reply.status == 307) return "are endpoint and region of the bucket?";
    if (reply.status == 401 || reply.status == 403) return "may this key use the bucket?";
    return "";
}

}  // namespace

std::string XmlText(std::string_view xml, std::string_view tag) {
    const std::string open = "<" + std::string(tag) + ">";
    const std::size_t start = xml.find(open);
    if (start == std::string_view::npos) return {};
    const std::size_t from = start + open.size();
    const std::size_t end = xml.find("</" + std::string(tag) + ">", from);
    if (end == std::string_view::npos) return {};
    std::string_view raw = xml.substr(from, end - from);
    std::string out;
    while (!raw.empty()) {
        const auto found = std::ranges::find_if(
            kEntities, [&](const auto& entity) { return raw.starts_with(entity.first); });
        out += found == kEntities.end() ? raw.front() : found->second;
        raw.remove_prefix(found == kEntities.end() ? 1 : found->first.size());
    }
    return out;
}

std::string XmlEscape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto found =
            std::ranges::find_if(kEntities, [&](const auto& entity) { return entity.second == c; });
        if (found == kEntities.end()) out += c;
        if (found != kEntities.end()) out += found->first;
    }
    return out;
}

S3Client::S3Client(http::HttpClient& client, asio::thread_pool& threads, S3Options options)
    : client_(client), threads_(threads), options_(std::move(options)) {
    std::string endpoint = options_.endpoint;
    while (endpoint.ends_with('/')) endpoint.pop_back();
    const std::size_t scheme = endpoint.find("://") + 3;
    host_ = http::LowerCase(endpoint.substr(scheme));
    if (!options_.path_style) host_ = options_.bucket + "." + host_;
    origin_ = endpoint.substr(0, scheme) + host_;
    // Signed as clients send it: the scheme's own port is left out.
    const std::string_view own_port = endpoint.starts_with("https") ? ":443" : ":80";
    if (host_.ends_with(own_port)) host_.resize(host_.size() - own_port.size());
}

http::ClientRequest S3Client::Signed(const S3Call& call, const std::string& payload_sha256) const {
    Sigv4Request to_sign;
    to_sign.method = http::MethodName(call.method);
    to_sign.host = host_;
    to_sign.path = options_.path_style ? "/" + options_.bucket : "";
    if (!call.key.empty() || to_sign.path.empty()) to_sign.path += "/" + call.key;
    to_sign.query = call.query;
    to_sign.headers = call.headers;
    to_sign.payload_sha256 = payload_sha256;

    http::ClientRequest request;
    request.method = call.method;
    request.url = origin_ + UriEncode(to_sign.path, true);
    if (!call.query.empty()) request.url += "?" + CanonicalQuery(call.query);
    for (const auto& [name, value] :
         SignHeaders(to_sign, options_.keys, std::chrono::system_clock::now())) {
        request.headers.Add(name, value);
    }
    request.shared_body = call.body;
    request.stream_response = call.stream_response;
    request.max_response_bytes = call.max_response_bytes;
    request.deadline = options_.timeout;
    request.idle_timeout = options_.timeout;
    return request;
}

Task<Result<S3Reply>> S3Client::Once(const S3Call& call, const std::string& payload_sha256) {
    http::ClientRequest request = Signed(call, payload_sha256);
    Result<http::ClientResponse> answer = co_await client_.Send(std::move(request));
    if (!answer) co_return answer.error();
    S3Reply reply;
    reply.status = answer->status;
    reply.headers = std::move(answer->headers);
    reply.body = std::move(answer->body);
    reply.pipe = std::move(answer->pipe);
    if (reply.pipe && !reply.ok()) {
        for (;;) {
            const std::optional<std::string> chunk = co_await reply.pipe->Read();
            if (!chunk || reply.body.size() > kHashOnLoop) break;
            reply.body += *chunk;
        }
        reply.pipe->Abandon();
        reply.pipe.reset();
    }
    const bool is_error = reply.body.find("<Error>") != std::string::npos;
    if (is_error) reply.code = XmlText(reply.body, "Code");
    if (is_error && reply.code.empty()) reply.code = "Error";
    co_return reply;
}

Task<Result<S3Reply>> S3Client::Call(S3Call call) {
    std::string payload_sha256;
    if (call.body && call.body->size() > kHashOnLoop) {
        auto hash = [body = call.body] { return Sha256Hex(*body); };
        payload_sha256 = co_await Offload(threads_, std::move(hash));
    } else {
        payload_sha256 = Sha256Hex(call.body ? std::string_view(*call.body) : std::string_view());
    }
    for (int attempt = 1;; ++attempt) {
        Result<S3Reply> reply = co_await Once(call, payload_sha256);
        const bool is_final = attempt >= options_.attempts;
        if (reply) reply->attempts = attempt;
        const bool is_worth_it = reply ? IsWorthAnotherTry(*reply)
                                       : reply.error().kind() == ErrorKind::kUnavailable ||
                                             reply.error().kind() == ErrorKind::kDeadline;
        if (reply && (!is_worth_it || is_final)) co_return reply;
        if (!reply && (!is_worth_it || is_final)) {
            log::Error("blob_storage_unreachable", {{"code", reply.error().code()},
                                                    {"error", reply.error().message()},
                                                    {"attempts", attempt}});
            co_return StorageUnavailable();
        }
        const std::string asked(reply ? reply->headers.Get("Retry-After") : "");
        const milliseconds wait = WaitBefore(options_.first_wait, attempt, asked);
        co_await Sleep(wait);
    }
}

Error S3Client::Refused(std::string_view what, const S3Reply& reply) const {
    log::Error("blob_storage_refused", {{"step", what},
                                        {"status", reply.status},
                                        {"code", reply.code},
                                        {"hint", HintFor(reply)},
                                        {"attempts", reply.attempts}});
    return StorageUnavailable();
}

}  // namespace vf::blob
