// The request line and the header fields.
#include <algorithm>
#include <optional>

#include "http/reader.hpp"
#include "http/reader_syntax.hpp"

namespace vf::http {
namespace {

std::optional<std::uint64_t> ParseLength(std::string_view text) {
    constexpr std::size_t kMaxDigits = 18;  // fits 63 bits
    if (text.empty() || text.size() > kMaxDigits) return std::nullopt;
    std::uint64_t length = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        length = length * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return length;
}

bool ListHas(std::string_view list, std::string_view wanted) {
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(','), list.size());
        if (EqualsIgnoringCase(Trim(list.substr(0, end)), wanted)) return true;
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return false;
}

}  // namespace

bool RequestReader::StartLine(std::string_view line, Event& event) {
    if (line.empty()) {  // one is tolerated: RFC 9112 section 2.2
        if (!skipped_empty_line_) {
            skipped_empty_line_ = true;
            return true;
        }
        event = Malformed("The request does not start with a request line.");
        return false;
    }
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) {
        event = Malformed("The request line is not \"METHOD target HTTP/1.1\".");
        return false;
    }
    const std::string_view method = line.substr(0, first);
    const std::string_view target = line.substr(first + 1, last - first - 1);
    const std::string_view version = line.substr(last + 1);
    if (!IsToken(method) || method.size() > kMaxMethod) {
        event = Malformed("The request's method is not a short token.");
        return false;
    }
    if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.' ||
        version[5] < '0' || version[5] > '9' || version[7] < '0' || version[7] > '9') {
        event = Malformed("The request line does not end with an HTTP version.");
        return false;
    }
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
        event = Fail(ErrorKind::kVersionNotSupported, "http_version_not_supported",
                     "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
        return false;
    }
    head_.minor_version = version[7] - '0';
    head_.method = method;
    if (!SetTarget(target, event)) return false;
    has_target_ = true;
    state_ = State::kFields;
    return true;
}

bool RequestReader::SetTarget(std::string_view target, Event& event) {
    if (target.empty() || !std::ranges::all_of(target, IsTargetChar)) {
        event = Malformed("The request target has a character that must be percent-encoded.");
        return false;
    }
    if (target.size() > limits_.target_bytes) {
        event = Fail(ErrorKind::kUriTooLong, "uri_too_long",
                     "The request target is longer than " + std::to_string(limits_.target_bytes) +
                         " bytes.");
        return false;
    }
    if (target[0] == '/' || (target == "*" && head_.method == "OPTIONS")) {
        head_.target = target;
        return true;
    }
    const std::string scheme = LowerCase(target.substr(0, 8));
    const std::size_t skip = scheme == "https://" ? 8 : scheme.starts_with("http://") ? 7 : 0;
    if (skip == 0) {
        if (head_.method == "CONNECT") {
            event = Fail(ErrorKind::kNotImplemented, "method_not_implemented",
                         "The method CONNECT is not known here.");
        } else {
            event = Malformed("The request target is neither a path nor an http URL.");
        }
        return false;
    }
    const std::string_view rest = target.substr(skip);
    const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
    authority_ = rest.substr(0, end);
    if (authority_.empty() || !std::ranges::all_of(authority_, IsHostChar)) {
        event = Malformed("The request target has no valid host.");
        return false;
    }
    head_.target = rest.substr(end);
    if (!head_.target.starts_with('/')) head_.target.insert(0, 1, '/');
    return true;
}

bool RequestReader::Field(std::string_view line, Event& event) {
    if (line[0] == ' ' || line[0] == '\t') {
        event = Malformed("A header line starts with a space; folded lines are not accepted.");
        return false;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
        event = Malformed("A header line is not \"Name: value\".");
        return false;
    }
    if (state_ == State::kTrailers) return true;  // nothing here needs trailers
    if (head_.headers.size() >= limits_.headers) {
        event = Fail(
            ErrorKind::kHeadersTooLarge, "too_many_headers",
            "The request has more than " + std::to_string(limits_.headers) + " header fields.");
        return false;
    }
    head_.headers.Add(line.substr(0, colon), Trim(line.substr(colon + 1)));
    return true;
}

bool RequestReader::EndOfFields(Event& event) {
    if (!CheckHost(event) || !CheckFraming(event)) return false;
    const std::string connection = head_.headers.Joined("Connection");
    head_.keep_alive = head_.minor_version == 1 ? !ListHas(connection, "close")
                                                : ListHas(connection, "keep-alive");
    state_ = State::kDecide;
    event = Event::kHead;
    return false;
}

bool RequestReader::CheckHost(Event& event) {
    const std::size_t hosts = head_.headers.Count("Host");
    if (hosts > 1) {
        event = Malformed("The request has more than one Host.");
        return false;
    }
    if (hosts == 0 && head_.minor_version == 1) {
        event = Malformed("The request has no Host.");
        return false;
    }
    if (!std::ranges::all_of(head_.headers.Get("Host"), IsHostChar)) {
        event = Malformed("The Host is not valid.");
        return false;
    }
    if (!authority_.empty()) head_.headers.Set("Host", authority_);
    return true;
}

bool RequestReader::CheckFraming(Event& event) {
    const std::size_t lengths = head_.headers.Count("Content-Length");
    if (head_.headers.Has("Transfer-Encoding")) {
        if (lengths > 0) {
            event = Malformed("Content-Length and Transfer-Encoding exclude each other.");
            return false;
        }
        return CheckTransferCoding(event);
    }
    if (lengths == 0) return true;
    if (lengths > 1) {
        event = Malformed("The request has more than one Content-Length.");
        return false;
    }
    const std::optional<std::uint64_t> length = ParseLength(head_.headers.Get("Content-Length"));
    if (!length) {
        event = Malformed("The Content-Length is not a number.");
        return false;
    }
    head_.has_length = true;
    head_.content_length = *length;
    return true;
}

bool RequestReader::CheckTransferCoding(Event& event) {
    if (head_.minor_version == 0) {
        event = Malformed("HTTP/1.0 knows no Transfer-Encoding.");
        return false;
    }
    const std::string codings = head_.headers.Joined("Transfer-Encoding");
    if (EqualsIgnoringCase(codings, "chunked")) {
        head_.is_chunked = true;
        return true;
    }
    std::string_view list = codings;
    std::size_t chunked = 0;
    bool chunked_is_last = false;
    bool is_malformed = list.empty();
    for (bool more = !list.empty(); more;) {
        const std::size_t end = std::min(list.find(','), list.size());
        const std::string_view coding = Trim(list.substr(0, end));
        chunked_is_last = EqualsIgnoringCase(coding, "chunked");
        chunked += chunked_is_last ? 1 : 0;
        is_malformed = is_malformed || !IsToken(coding.substr(0, coding.find(';')));
        more = end < list.size();
        if (more) list.remove_prefix(end + 1);
    }
    if (is_malformed || chunked > 1 || (chunked == 1 && !chunked_is_last)) {
        event =
            Malformed("The Transfer-Encoding is not valid: \"chunked\" stands once, at its end.");
    } else {
        event = Fail(ErrorKind::kNotImplemented, "transfer_coding_not_implemented",
                     "The only transfer coding known here is \"chunked\".");
    }
    return false;
}

}  // namespace vf::http
