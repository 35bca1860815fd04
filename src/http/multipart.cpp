#include "http/multipart.hpp"

#include <algorithm>
#include <optional>

#include "http/headers.hpp"
#include "http/negotiate.hpp"

namespace vf::http {
namespace {

Error Malformed(std::string message) {
    return {ErrorKind::kInvalid, "malformed_multipart", std::move(message)};
}

// The value of one parameter of a header such as `form-data; name="a"; filename="b"`. Quoted
// strings may hold escaped quotes; browsers write %22 instead, which stays as it is (RFC 7578
// section 2).
std::optional<std::string> Parameter(std::string_view header, std::string_view wanted) {
    std::size_t at = std::min(header.find(';'), header.size());
    while (at < header.size()) {
        ++at;
        const std::size_t equals = header.find_first_of("=;", at);
        if (equals == std::string_view::npos) return std::nullopt;
        const std::string_view name = Trim(header.substr(at, equals - at));
        at = equals;
        if (header[equals] == ';') continue;
        ++at;
        while (at < header.size() && (header[at] == ' ' || header[at] == '\t')) ++at;
        std::string value;
        if (at < header.size() && header[at] == '"') {
            for (++at; at < header.size() && header[at] != '"'; ++at) {
                if (header[at] == '\\' && at + 1 < header.size() &&
                    (header[at + 1] == '"' || header[at + 1] == '\\')) {
                    ++at;
                }
                value += header[at];
            }
            if (at >= header.size()) return std::nullopt;  // never closed
            at = std::min(header.find(';', at), header.size());
        } else {
            const std::size_t end = std::min(header.find(';', at), header.size());
            value = Trim(header.substr(at, end - at));
            at = end;
        }
        if (EqualsIgnoringCase(name, wanted)) return value;
    }
    return std::nullopt;
}

Result<Part> ParsePart(std::string_view text, const MultipartLimits& limits) {
    Part part;
    part.media_type = "text/plain";
    std::string_view rest = text;
    std::string disposition;
    for (;;) {
        const std::size_t end = rest.find("\r\n");
        const std::size_t used = text.size() - rest.size();
        if (std::min(end, rest.size()) + used > limits.header_bytes) {
            return Error(ErrorKind::kTooLarge, "part_headers_too_large",
                         "The header of a part is too large.");
        }
        if (end == std::string_view::npos) return Malformed("A part has no end of its header.");
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(end + 2);
        if (line.empty()) break;
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) {
            return Malformed("A part's header has a line without a colon.");
        }
        const std::string_view name = line.substr(0, colon);
        if (EqualsIgnoringCase(name, "Content-Disposition")) {
            disposition = Trim(line.substr(colon + 1));
        } else if (EqualsIgnoringCase(name, "Content-Type")) {
            part.media_type = MediaTypeWithoutParameters(line.substr(colon + 1));
        }
    }
    if (MediaTypeWithoutParameters(disposition) != "form-data") {
        return Malformed("A part lacks \"Content-Disposition: form-data\".");
    }
    part.name = Parameter(disposition, "name").value_or("");
    if (part.name.empty()) return Malformed("A part has no name.");
    part.filename = Parameter(disposition, "filename").value_or("");
    part.data = rest;
    return part;
}

bool ValidBoundary(std::string_view boundary) {
    constexpr std::size_t kMaxBoundary = 70;  // RFC 2046 section 5.1.1
    return !boundary.empty() && boundary.size() <= kMaxBoundary &&
           std::ranges::all_of(boundary, [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

Result<std::vector<Part>> ParseMultipart(std::string_view content_type, std::string_view body,
                                         const MultipartLimits& limits) {
    if (MediaTypeWithoutParameters(content_type) != "multipart/form-data") {
        return Malformed("The Content-Type is not multipart/form-data.");
    }
    const std::string boundary = Parameter(content_type, "boundary").value_or("");
    if (!ValidBoundary(boundary)) return Malformed("The Content-Type has no valid boundary.");
    const std::string delimiter = "\r\n--" + boundary;
    std::vector<Part> parts;
    // The first delimiter may stand at the very start, without a line end before it.
    std::size_t at = 0;
    if (body.starts_with(std::string_view(delimiter).substr(2))) {
        at = delimiter.size() - 2;
    } else {
        at = body.find(delimiter);
        if (at == std::string_view::npos) return Malformed("The body has no boundary.");
        at += delimiter.size();
    }
    for (;;) {
        const std::string_view after = body.substr(at);
        if (after.starts_with("--")) return parts;
        const std::size_t line_end = after.find("\r\n");
        if (line_end == std::string_view::npos || !Trim(after.substr(0, line_end)).empty()) {
            return Malformed("A boundary is not followed by a line end.");
        }
        at += line_end + 2;
        // A part without a header starts with its empty line, a part without data may end there.
        const std::size_t end = body.find(delimiter, at);
        if (end == std::string_view::npos) return Malformed("The last boundary is missing.");
        if (parts.size() == limits.parts) {
            return Error(ErrorKind::kTooLarge, "too_many_parts", "The form has too many parts.");
        }
        Result<Part> part = ParsePart(body.substr(at, end - at), limits);
        if (!part) return std::move(part).error();
        parts.push_back(std::move(*part));
        at = end + delimiter.size();
    }
}

}  // namespace vf::http
