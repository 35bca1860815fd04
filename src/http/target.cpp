#include "http/target.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace vf::http {
namespace {

int HexValue(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool HasControl(std::string_view text) {
    return std::ranges::any_of(
        text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Error InvalidPath(std::string message) {
    return {ErrorKind::kInvalid, "invalid_path", std::move(message)};
}

// Appends one decoded segment; most have no escape and are plain ASCII.
Result<void> AddSegment(std::string_view raw, TargetParts& parts) {
    if (raw.empty()) return {};
    std::string segment;
    if (raw.find('%') == std::string_view::npos) {
        segment = raw;
    } else {
        std::optional<std::string> decoded = PercentDecode(raw, false);
        if (!decoded) return InvalidPath("The path has a percent sign without two hex digits.");
        if (HasControl(*decoded)) return InvalidPath("The path has an encoded control character.");
        if (Utf8FindInvalid(*decoded)) return InvalidPath("The path is not valid UTF-8.");
        segment = std::move(*decoded);
    }
    if (segment == "." || segment == "..") {
        return InvalidPath("The path has a \".\" or \"..\" segment; send it resolved.");
    }
    parts.path += '/';
    parts.path += segment;
    parts.segments.push_back(std::move(segment));
    return {};
}

Result<void> CheckQuery(std::string_view query) {
    if (query.find('%') == std::string_view::npos) return {};
    const std::optional<std::string> decoded = PercentDecode(query, true);
    if (!decoded) {
        return Error(ErrorKind::kInvalid, "invalid_query",
                     "The query has a percent sign without two hex digits.");
    }
    if (decoded->find('\0') != std::string::npos || Utf8FindInvalid(*decoded)) {
        return Error(ErrorKind::kInvalid, "invalid_query",
                     "The query is not valid UTF-8 without null characters.");
    }
    return {};
}

}  // namespace

std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            if (text.size() - i < 3) return std::nullopt;
            const int high = HexValue(text[i + 1]);
            const int low = HexValue(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            out += static_cast<char>(high << 4 | low);
            i += 2;
        } else if (text[i] == '+' && plus_is_space) {
            out += ' ';
        } else {
            out += text[i];
        }
    }
    return out;
}

Result<void> ParseTarget(std::string_view target, TargetParts& parts) {
    parts.path.clear();
    parts.segments.clear();
    const std::size_t mark = target.find('?');
    std::string_view path = target.substr(0, mark);
    parts.query = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
    if (path == "*") {
        parts.path = "*";
        return {};
    }
    if (!path.starts_with('/')) return InvalidPath("The path must start with \"/\".");
    while (!path.empty()) {
        path.remove_prefix(1);  // the slash
        const std::size_t end = std::min(path.find('/'), path.size());
        Result<void> added = AddSegment(path.substr(0, end), parts);
        if (!added) return added;
        path.remove_prefix(end);
    }
    if (parts.path.empty()) parts.path = "/";
    return CheckQuery(parts.query);
}

Result<TargetParts> ParseTarget(std::string_view target) {
    TargetParts parts;
    Result<void> parsed = ParseTarget(target, parts);
    if (!parsed) return std::move(parsed).error();
    return parts;
}

}  // namespace vf::http
