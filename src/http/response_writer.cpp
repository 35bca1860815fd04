#include "http/response_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "http/gzip.hpp"
#include "http/negotiate.hpp"
#include "http/reader_syntax.hpp"

namespace vf::http {
namespace {

constexpr std::size_t kMinGzip = 1024;
// Compressing holds the loop: about 3 ms for this much.
constexpr std::size_t kMaxGzip = 256 * 1024;
constexpr int kFastLevel = 1;

bool IsOurs(std::string_view name) {
    static constexpr std::array<std::string_view, 6> kOurs = {
        "Content-Length", "Transfer-Encoding",      "Connection",
        "Date",           "X-Content-Type-Options", "X-Request-Id"};
    return std::ranges::any_of(
        kOurs, [&](std::string_view ours) { return EqualsIgnoringCase(name, ours); });
}

void AppendValue(std::string& out, std::string_view value) {
    if (std::ranges::none_of(value, IsForbiddenControl)) {
        out += value;
        return;
    }
    for (const char c : value) out += IsForbiddenControl(c) ? ' ' : c;
}

void AppendNumber(std::string& out, std::uint64_t number) {
    const fmt::format_int text(number);
    out.append(text.data(), text.size());
}

}  // namespace

void AppendResponseHead(std::string& out, const Response& response, const HeadOptions& options) {
    if (response.status == 200) {
        out += "HTTP/1.1 200 OK\r\nDate: ";
    } else {
        out += "HTTP/1.1 ";
        AppendNumber(out, static_cast<std::uint64_t>(response.status));
        out += ' ';
        out += ReasonPhrase(response.status);
        out += "\r\nDate: ";
    }
    out += options.date;
    for (const auto [name, value] : response.headers) {
        if (!IsToken(name) || IsOurs(name)) continue;
        out += "\r\n";
        out += name;
        out += ": ";
        AppendValue(out, value);
    }
    if (options.framing == BodyFraming::kLength) {
        out += "\r\nContent-Length: ";
        AppendNumber(out, options.length);
    } else if (options.framing == BodyFraming::kChunked) {
        out += "\r\nTransfer-Encoding: chunked";
    }
    out += "\r\nX-Request-Id: ";
    out += options.request_id;
    out += "\r\nX-Content-Type-Options: nosniff";
    if (options.upgrade) {
        out += "\r\nConnection: Upgrade";
    } else if (!options.keep_alive) {
        out += "\r\nConnection: close";
    } else if (options.minor_version == 0) {
        out += "\r\nConnection: keep-alive";
    }
    out += "\r\n\r\n";
}

void CompressBody(Response& response, const Request& request) {
    auto* text = std::get_if<std::string>(&response.body);
    if (!text || text->size() < kMinGzip || text->size() > kMaxGzip) return;
    // A strong ETag names exact bytes, and so does a range; an encoded body is encoded already.
    if (response.headers.Has("Content-Encoding") || response.headers.Has("ETag") ||
        response.headers.Has("Content-Range") ||
        !IsCompressible(response.headers.Get("Content-Type"))) {
        return;
    }
    response.headers.Add("Vary", "Accept-Encoding");
    if (!AcceptsGzip(request.headers.Joined("Accept-Encoding"))) return;
    std::string small = Gzip(*text, kFastLevel);
    if (small.empty() || small.size() >= text->size()) return;
    *text = std::move(small);
    response.headers.Add("Content-Encoding", "gzip");
}

void AppendChunkSize(std::string& out, std::size_t size) {
    fmt::format_to(std::back_inserter(out), "{:x}\r\n", size);
}

}  // namespace vf::http
