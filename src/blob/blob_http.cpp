#include "blob/blob_http.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/rfc3339.hpp"
#include "base/utf8.hpp"
#include "blob/sigv4.hpp"
#include "http/headers.hpp"

namespace vf::blob {
namespace {

// All digits; a number too large for 64 bits is as large as can be.
std::optional<std::uint64_t> Number(std::string_view text) {
    const bool is_digits =
        !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    if (!is_digits) return std::nullopt;
    std::uint64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec == std::errc::result_out_of_range) return UINT64_MAX;
    return number;
}

}  // namespace

RangeOf ParseRange(std::string_view header, std::uint64_t bytes) {
    RangeOf result;
    const std::string_view text = http::Trim(header);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos ||
        !http::EqualsIgnoringCase(text.substr(0, equals), "bytes")) {
        return result;
    }
    const std::string_view spec = http::Trim(text.substr(equals + 1));
    const std::size_t dash = spec.find('-');
    if (dash == std::string_view::npos) return result;
    const auto first = Number(spec.substr(0, dash));
    const auto last = Number(spec.substr(dash + 1));
    const bool has_last = dash + 1 < spec.size();
    if ((dash > 0 && !first) || (has_last && !last) || (!first && !last)) return result;
    if (first && last && *last < *first) return result;
    result.kind = RangeOf::Kind::kUnsatisfiable;
    if (first ? *first >= bytes : *last == 0 || bytes == 0) return result;
    result.kind = RangeOf::Kind::kRange;
    if (first) {
        result.range = {*first, std::min(last.value_or(bytes - 1), bytes - 1)};
    } else {
        result.range = {bytes - std::min(*last, bytes), bytes - 1};
    }
    return result;
}

RangeOf RangeFor(const http::Request& request, const BlobInfo& info) {
    if (!request.headers.Has("Range")) return {};
    // A date never matches: the entity tag is the stronger proof, and we send no Last-Modified.
    const std::string_view condition = http::Trim(request.headers.Get("If-Range"));
    if (request.headers.Has("If-Range") && condition != Etag(info)) return {};
    return ParseRange(request.headers.Get("Range"), info.bytes);
}

std::string ContentDisposition(const BlobInfo& info) {
    const std::string name = info.name.empty() ? info.id.Wire() : info.name;
    std::string plain;
    std::string full;
    for (std::string_view rest = name; !rest.empty();) {
        const std::size_t size = std::max<std::size_t>(1, Utf8SequenceLength(rest));
        const char c = rest.front();
        const bool is_separator = c == '/' || c == '\\';
        const bool is_plain =
            size == 1 && c >= 0x20 && c < 0x7F && c != '"' && c != '%' && !is_separator;
        plain += is_plain ? c : '_';
        full += is_separator ? "_" : rest.substr(0, size);
        rest.remove_prefix(size);
    }
    // No name that starts with dots: neither "..", nor a hidden file.
    for (std::string* one : {&plain, &full}) {
        const std::size_t dots = std::min(one->find_first_not_of('.'), one->size());
        one->replace(0, dots, dots, '_');
    }
    return fmt::format("attachment; filename=\"{}\"; filename*=UTF-8''{}", plain,
                       UriEncode(full, false));
}

std::string Etag(const BlobInfo& info) {
    return '"' + info.sha256 + '"';
}

json::value ToJson(const BlobInfo& info) {
    json::value expires;
    if (info.expires_at) expires = Rfc3339(*info.expires_at);
    return json::object{{"id", info.id.Wire()},
                        {"name", info.name},
                        {"content_type", info.content_type},
                        {"bytes", info.bytes},
                        {"sha256", info.sha256},
                        {"live", info.live},
                        {"created_at", Rfc3339(info.created_at)},
                        {"expires_at", std::move(expires)}};
}

}  // namespace vf::blob
