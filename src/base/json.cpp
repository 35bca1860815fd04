#include "base/json.hpp"

#include <fmt/format.h>
#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>

#include "base/json_body.hpp"
#include "base/utf8.hpp"

namespace vf::json {
namespace {

using ErrorCode = boost::json::error_code;

// Builds the value while noting members that stand twice, which a DOM parser would merge silently.
// The last one wins in `root`, as everywhere else.
class Handler {
public:
    static constexpr std::size_t max_object_size = 10'000;
    static constexpr std::size_t max_array_size = 100'000;
    static constexpr std::size_t max_key_size = 1'024;
    static constexpr std::size_t max_string_size = 64U << 20U;

    Parsed parsed;

    bool on_document_begin(ErrorCode&) { return true; }
    bool on_document_end(ErrorCode&) { return true; }
    bool on_object_begin(ErrorCode&) {
        Open(object());
        return true;
    }
    bool on_object_end(std::size_t, ErrorCode&) { return Close(); }
    bool on_array_begin(ErrorCode&) {
        Open(array());
        return true;
    }
    bool on_array_end(std::size_t, ErrorCode&) { return Close(); }
    bool on_key_part(std::string_view part, std::size_t, ErrorCode&) {
        text_.append(part);
        return true;
    }
    bool on_key(std::string_view part, std::size_t, ErrorCode&) {
        text_.append(part);
        stack_.back().key = std::exchange(text_, {});
        return true;
    }
    bool on_string_part(std::string_view part, std::size_t, ErrorCode&) {
        text_.append(part);
        return true;
    }
    bool on_string(std::string_view part, std::size_t, ErrorCode&) {
        text_.append(part);
        Put(boost::json::string(std::exchange(text_, {})));
        return true;
    }
    bool on_number_part(std::string_view, ErrorCode&) { return true; }
    bool on_int64(std::int64_t number, std::string_view, ErrorCode&) {
        Put(number);
        return true;
    }
    bool on_uint64(std::uint64_t number, std::string_view, ErrorCode&) {
        Put(number);
        return true;
    }
    bool on_double(double number, std::string_view, ErrorCode&) {
        Put(number);
        return true;
    }
    bool on_bool(bool flag, ErrorCode&) {
        Put(flag);
        return true;
    }
    bool on_null(ErrorCode&) {
        Put(nullptr);
        return true;
    }
    bool on_comment_part(std::string_view, ErrorCode&) { return true; }
    bool on_comment(std::string_view, ErrorCode&) { return true; }

private:
    struct Level {
        value container;
        std::string key;
    };

    void Open(value container) { stack_.push_back(Level{std::move(container), {}}); }

    bool Close() {
        value done = std::move(stack_.back().container);
        stack_.pop_back();
        Put(std::move(done));
        return true;
    }

    void Put(value item) {
        if (stack_.empty()) {
            parsed.root = std::move(item);
            return;
        }
        Level& level = stack_.back();
        if (level.container.is_array()) {
            level.container.get_array().push_back(std::move(item));
            return;
        }
        const auto [at, is_new] =
            level.container.get_object().insert_or_assign(level.key, std::move(item));
        if (!is_new && parsed.duplicates.size() < 20) parsed.duplicates.push_back(Path());
    }

    std::string Path() const {
        std::string path;
        for (const Level& level : stack_) {
            path = level.container.is_array()
                       ? Pointer(path, std::to_string(level.container.get_array().size()))
                       : Pointer(path, level.key);
        }
        return path;
    }

    std::vector<Level> stack_;
    std::string text_;
};

Error Malformed(std::string_view text, std::size_t at, const boost::json::error_code& ec) {
    at = std::min(at, text.size());
    const std::string_view before = text.substr(0, at);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::size_t line_start =
        before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    const std::size_t column = Utf8Count(before.substr(line_start)) + 1;
    if (ec == boost::json::error::too_deep) {
        return Error(ErrorKind::kInvalid, "json_too_deep",
                     fmt::format("The JSON body has more than {} levels (line {}, column {}).",
                                 kMaxDepth, line, column));
    }
    return Error(ErrorKind::kInvalid, "malformed_json",
                 fmt::format("The body is not valid JSON: {} at line {}, column {}.", ec.message(),
                             line, column));
}

}  // namespace

std::string Pointer(std::string_view parent, std::string_view member) {
    std::string out(parent);
    out += '/';
    for (const char c : member) {
        if (c == '~') {
            out += "~0";
        } else if (c == '/') {
            out += "~1";
        } else {
            out += c;
        }
    }
    return out;
}

Error BodyError(std::vector<FieldError> fields) {
    const FieldError& first = fields.front();
    std::string message =
        first.path == "/" ? "The body" : fmt::format("\"{}\"", first.path.substr(1));
    message += " " + first.message;
    return Error(ErrorKind::kInvalid, "invalid_request", std::move(message), std::move(fields));
}

Result<Parsed> Parse(std::string_view text) {
    if (const auto bad = Utf8FindInvalid(text)) {
        return Error(ErrorKind::kInvalid, "invalid_utf8",
                     fmt::format("The body is not valid UTF-8 (byte {}).", *bad));
    }
    boost::json::parse_options options;
    options.max_depth = kMaxDepth;
    boost::json::basic_parser<Handler> parser(options);
    boost::json::error_code ec;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
    if (!ec && used < text.size()) {
        if (text.find_first_not_of(" \t\r\n", used) != std::string_view::npos) {
            ec = boost::json::error::extra_data;
        }
    }
    if (ec) return Malformed(text, used, ec);
    return std::move(parser.handler().parsed);
}

}  // namespace vf::json
