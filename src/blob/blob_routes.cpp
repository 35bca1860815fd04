#include "blob/blob_routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/describe.hpp>
#include <charconv>

#include "base/json_body.hpp"
#include "base/rfc3339.hpp"
#include "blob/blob_http.hpp"
#include "http/problem.hpp"
#include "http/query.hpp"
#include "http/static_files.hpp"

namespace vf::blob {

struct LinkBody {
    json::Required<std::int64_t> expires_in;
};
BOOST_DESCRIBE_STRUCT(LinkBody, (), (expires_in))

constexpr std::int64_t kLongestLink = 604'800;           // a week
constexpr std::int64_t kLongestLife = 10 * 31'536'000L;  // ten years

void CheckBody(const LinkBody& body, json::Checker& check) {
    check.Range("expires_in", std::optional(*body.expires_in), std::int64_t{1}, kLongestLink);
}

namespace {

using http::Request;
using http::Response;

std::optional<std::int64_t> Integer(std::string_view text) {
    std::int64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) {
        return std::nullopt;
    }
    return number;
}

// For routes without parameters.
std::optional<Error> StrayParameters(const Request& request) {
    return http::QueryReader(request, {}).Wrong();
}

Error NotFound() {
    return {ErrorKind::kNotFound, "blob_not_found", "There is no such stored object."};
}

// An id that is not one of ours is an object that is not there.
std::optional<BlobId> IdOf(const Request& request) {
    return BlobId::Parse(request.PathParam("id"));
}

Result<PutOptions> ReadPut(const Request& request, const Blobs& blobs) {
    http::QueryReader query(request, {"name", "expires_in"});
    PutOptions put;
    put.name = query.Text("name").value_or("");
    const std::int64_t life = query.Integer("expires_in", 0, 1, kLongestLife);
    if (auto wrong = query.Wrong()) return *std::move(wrong);
    if (life > 0) put.expires_at = blobs.now() + std::chrono::seconds(life);
    if (request.headers.Has("Content-Type")) {
        put.content_type = request.headers.Get("Content-Type");
    }
    put.live = request.caller.live;
    if (request.caller.plan) put.storage_bytes = request.caller.plan->storage_bytes;
    return put;
}

Task<Response> Create(Request& request, Blobs& blobs) {
    Result<PutOptions> put = ReadPut(request, blobs);
    if (!put) co_return http::ProblemResponse(put.error(), request);
    std::string content = std::move(request.body);
    const TeamId team = request.caller.team;
    Result<BlobInfo> info = co_await blobs.Put(team, *std::move(put), std::move(content));
    if (!info) co_return http::ProblemResponse(info.error(), request);
    Response response = http::JsonResponse(201, ToJson(*info));
    response.headers.Add("Location", "/api/blobs/" + info->id.Wire());
    co_return response;
}

Task<Response> List(Request& request, Blobs& blobs) {
    http::QueryReader query(request, {"limit", "cursor"});
    const std::int64_t limit = query.Integer("limit", 20, 1, 100);
    const std::optional<BlobId> before = query.Id<BlobId>("cursor");
    if (auto wrong = query.Wrong()) co_return http::ProblemResponse(*wrong, request);
    const TeamId team = request.caller.team;
    const BlobPage page = co_await blobs.List(team, before, limit);
    json::array data;
    for (const BlobInfo& info : page.blobs) data.push_back(ToJson(info));
    json::value next;
    if (page.next) next = page.next->Wire();
    co_return http::JsonResponse(
        200, json::object{{"data", std::move(data)}, {"next_cursor", std::move(next)}});
}

Task<Response> Show(Request& request, Blobs& blobs) {
    if (auto wrong = StrayParameters(request)) co_return http::ProblemResponse(*wrong, request);
    const std::optional<BlobId> id = IdOf(request);
    if (!id) co_return http::ProblemResponse(NotFound(), request);
    const Result<BlobInfo> info = co_await blobs.Find(request.caller.team, *id);
    if (!info) co_return http::ProblemResponse(info.error(), request);
    co_return http::JsonResponse(200, ToJson(*info));
}

Task<Response> Remove(Request& request, Blobs& blobs) {
    if (auto wrong = StrayParameters(request)) co_return http::ProblemResponse(*wrong, request);
    const std::optional<BlobId> id = IdOf(request);
    if (!id) co_return http::ProblemResponse(NotFound(), request);
    const Result<void> done = co_await blobs.Delete(request.caller.team, *id);
    if (!done) co_return http::ProblemResponse(done.error(), request);
    co_return Response(204);
}

Task<Response> MakeLink(Request& request, Blobs& blobs) {
    if (auto wrong = StrayParameters(request)) co_return http::ProblemResponse(*wrong, request);
    const Result<LinkBody> body = json::ReadBody<LinkBody>(request.body, json::Members::kClosed);
    if (!body) co_return http::ProblemResponse(body.error(), request);
    const std::optional<BlobId> id = IdOf(request);
    if (!id) co_return http::ProblemResponse(NotFound(), request);
    const Result<BlobInfo> info = co_await blobs.Find(request.caller.team, *id);
    if (!info) co_return http::ProblemResponse(info.error(), request);
    const Blobs::Link link = blobs.MakeLink(*info, std::chrono::seconds(*body->expires_in));
    co_return http::JsonResponse(
        200, json::object{{"url", link.path}, {"expires_at", Rfc3339(link.expires_at)}});
}

// What a link is for, or why it opens nothing.
Task<Result<BlobInfo>> FindLinked(const Request& request, Blobs& blobs) {
    const http::QueryReader query(request, {"expires", "signature"});
    if (auto wrong = query.Wrong()) co_return *std::move(wrong);
    const std::optional<BlobId> id = IdOf(request);
    if (!id) co_return NotFound();
    const auto expires = Integer(query.Text("expires").value_or(""));
    std::string signature = query.Text("signature").value_or("");
    // What is no number was not signed by us either.
    if (!expires) signature.clear();
    co_return co_await blobs.FindLinked(*id, expires.value_or(0), std::move(signature));
}

// The head of every answer that shows or confirms the content.
void AddContentHead(Response& response, const Request& request, const BlobInfo& info,
                    Clock::time_point now) {
    auto until =
        Clock::from_time_t(Integer(request.QueryParam("expires").value_or("")).value_or(0));
    if (info.expires_at) until = std::min(until, *info.expires_at);
    const auto age = std::chrono::floor<std::chrono::seconds>(until - now).count();
    response.headers.Add("ETag", Etag(info));
    response.headers.Add("Cache-Control",
                         fmt::format("private, max-age={}", std::max<std::int64_t>(age, 0)));
    response.headers.Add("Accept-Ranges", "bytes");
}

Task<Response> Content(Request& request, Blobs& blobs) {
    Result<BlobInfo> info = co_await FindLinked(request, blobs);
    if (!info) co_return http::ProblemResponse(info.error(), request);
    const std::string etag = Etag(*info);
    Response response;
    AddContentHead(response, request, *info, blobs.now());
    if (http::MatchesEtag(request.headers.Joined("If-None-Match"), etag)) {
        response.status = 304;
        co_return response;
    }
    const RangeOf range = RangeFor(request, *info);
    if (range.kind == RangeOf::Kind::kUnsatisfiable) {
        const Error error(
            ErrorKind::kRangeNotSatisfiable, "invalid_range",
            fmt::format("The object has {} bytes; the range lies outside.", info->bytes));
        response = http::ProblemResponse(error, request);
        response.headers.Add("Content-Range", fmt::format("bytes */{}", info->bytes));
        co_return response;
    }
    std::optional<ByteRange> part;
    std::uint64_t length = info->bytes;
    if (range.kind == RangeOf::Kind::kRange) {
        part = range.range;
        length = part->last - part->first + 1;
        response.status = 206;
        response.headers.Add("Content-Range",
                             fmt::format("bytes {}-{}/{}", part->first, part->last, info->bytes));
    }
    response.headers.Add("Content-Type", info->content_type);
    response.headers.Add("Content-Disposition", ContentDisposition(*info));
    // Even where a browser shows it: no scripts, no origin.
    response.headers.Add("Content-Security-Policy", "sandbox; default-src 'none'");
    response.headers.Add("Cross-Origin-Resource-Policy", "cross-origin");
    http::StreamBody body;
    body.length = length;
    if (request.method == http::Method::kHead) {
        response.body = std::move(body);
        co_return response;
    }
    Result<BlobContent> content = co_await blobs.Get(*std::move(info), part);
    if (!content) co_return http::ProblemResponse(content.error(), request);
    body.pipe = content->pipe;
    response.body = std::move(body);
    co_return response;
}

}  // namespace

void AddRoutes(http::Router& router, Blobs& blobs, const identity::Access& access) {
    using http::Method;
    http::RouteOptions read;
    read.guard = access.Guard(Scope::kSpeechRead);
    read.produces = {"application/json"};
    http::RouteOptions write = read;
    write.guard = access.Guard(Scope::kSpeechWrite);
    http::RouteOptions upload = write;
    upload.max_body = blobs.options().max_bytes;
    http::RouteOptions with_json = write;
    with_json.consumes = {"application/json"};
    http::RouteOptions open;  // the signature is the credential

    const auto add = [&](Method method, const std::string& rest, auto handler,
                         const http::RouteOptions& options) {
        router.AddAll(
            method, {"/api/blobs" + rest, "/api/v1/blobs" + rest},
            [&blobs, handler](Request& request) { return handler(request, blobs); }, options);
    };
    add(Method::kPost, "", &Create, upload);
    add(Method::kGet, "", &List, read);
    add(Method::kGet, "/{id}", &Show, read);
    add(Method::kDelete, "/{id}", &Remove, write);
    add(Method::kPost, "/{id}/link", &MakeLink, with_json);
    add(Method::kGet, "/{id}/content", &Content, open);
}

}  // namespace vf::blob
