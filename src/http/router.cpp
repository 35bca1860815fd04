#include "http/router.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>

#include "base/ids.hpp"

namespace vf::http {
namespace {

// In the order in which they are tried.
enum class ParamType : std::size_t { kInt, kUuid, kAny, kPath };
constexpr std::size_t kParamTypes = 4;

struct Segment {
    bool is_param = false;
    ParamType type = ParamType::kAny;
    std::string text;  // literal, or the parameter's name
};

[[noreturn]] void Malformed(const std::string& pattern, const char* why) {
    throw std::logic_error("route pattern " + pattern + ": " + why);
}

Segment ParseSegment(const std::string& pattern, std::string_view text) {
    if (!text.starts_with('{')) {
        if (text.find_first_of("{}") != std::string_view::npos) Malformed(pattern, "stray brace");
        return {false, ParamType::kAny, std::string(text)};
    }
    if (!text.ends_with('}')) Malformed(pattern, "a parameter must fill its segment");
    text = text.substr(1, text.size() - 2);
    const std::size_t colon = std::min(text.find(':'), text.size());
    const std::string_view type = text.substr(std::min(colon + 1, text.size()));
    Segment segment{true, ParamType::kAny, std::string(text.substr(0, colon))};
    if (segment.text.empty()) Malformed(pattern, "a parameter needs a name");
    if (type == "int") {
        segment.type = ParamType::kInt;
    } else if (type == "uuid") {
        segment.type = ParamType::kUuid;
    } else if (type == "path") {
        segment.type = ParamType::kPath;
    } else if (colon != text.size()) {
        Malformed(pattern, "unknown parameter type");
    }
    return segment;
}

std::vector<Segment> ParsePattern(const std::string& pattern) {
    if (!pattern.starts_with('/')) Malformed(pattern, "must start with a slash");
    std::vector<Segment> segments;
    std::string_view rest(pattern);
    while (!rest.empty()) {
        rest.remove_prefix(1);
        const std::size_t end = std::min(rest.find('/'), rest.size());
        if (end > 0) {
            if (!segments.empty() && segments.back().is_param &&
                segments.back().type == ParamType::kPath) {
                Malformed(pattern, "a path parameter must be the last segment");
            }
            segments.push_back(ParseSegment(pattern, rest.substr(0, end)));
        }
        rest.remove_prefix(end);
    }
    return segments;
}

bool IsInt(std::string_view text) {
    constexpr std::string_view kMax = "9223372036854775807";
    if (text.empty() || text.size() > kMax.size()) return false;
    if (!std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) return false;
    return text.size() < kMax.size() || text <= kMax;
}

bool Fits(ParamType type, std::string_view text) {
    switch (type) {
        case ParamType::kInt: return IsInt(text);
        case ParamType::kUuid: return Uuid::Parse(text).has_value();
        case ParamType::kAny:
        case ParamType::kPath: return true;
    }
    return false;
}

}  // namespace

struct Router::Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::array<std::unique_ptr<Node>, kParamTypes> params;
    std::array<std::unique_ptr<Route>, kMethodCount> routes;
    // Names of the parameters on the way here, per method: two routes may name them differently.
    std::array<std::vector<std::string>, kMethodCount> names;

    bool has_routes() const {
        return std::ranges::any_of(routes, [](const auto& route) { return route != nullptr; });
    }
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

Route& Router::Insert(Method method, std::string pattern, RouteOptions options) {
    Node* node = root_.get();
    std::vector<std::string> names;
    for (Segment& segment : ParsePattern(pattern)) {
        std::unique_ptr<Node>& next = segment.is_param
                                          ? node->params[static_cast<std::size_t>(segment.type)]
                                          : node->literals[segment.text];
        if (!next) next = std::make_unique<Node>();
        node = next.get();
        if (!segment.is_param) continue;
        if (std::ranges::find(names, segment.text) != names.end()) {
            Malformed(pattern, "two parameters of one name");
        }
        names.push_back(std::move(segment.text));
    }
    const auto index = static_cast<std::size_t>(method);
    if (node->routes[index]) Malformed(pattern, "is there already");
    if (!options.errors) options.errors = ProblemResponse;
    routes_.push_back({method, pattern, false});
    node->names[index] = std::move(names);
    node->routes[index] = std::make_unique<Route>(
        Route{method, std::move(pattern), {}, {}, {}, std::move(options), nullptr});
    return *node->routes[index];
}

void Router::Add(Method method, std::string pattern, Handler handler, RouteOptions options) {
    Insert(method, std::move(pattern), std::move(options)).handler = std::move(handler);
}

void Router::Add(Method method, std::string pattern, QuickHandler handler, RouteOptions options) {
    Insert(method, std::move(pattern), std::move(options)).quick = std::move(handler);
}

void Router::AddSocket(std::string pattern, SocketHandler handler, RouteOptions options) {
    Insert(Method::kGet, std::move(pattern), std::move(options)).socket = std::move(handler);
    routes_.back().is_socket = true;
}

void Router::AddAll(Method method, const std::vector<std::string>& patterns, const Handler& handler,
                    const RouteOptions& options) {
    for (const std::string& pattern : patterns) Add(method, pattern, handler, options);
}

void Router::ErrorsUnder(std::string prefix, ErrorFormat format) {
    while (prefix.ends_with('/')) prefix.pop_back();
    const auto shorter = std::ranges::find_if(
        formats_, [&](const auto& item) { return item.first.size() < prefix.size(); });
    formats_.emplace(shorter, std::move(prefix), format);  // the longest stands first
}

void Router::Mount(std::string segment) {
    mounts_.push_back(std::move(segment));
}

const std::pair<std::string, ErrorFormat>* Router::FormatOf(std::string_view path) const {
    for (const auto& item : formats_) {
        const std::string& prefix = item.first;
        if (path.starts_with(prefix) &&
            (path.size() == prefix.size() || path[prefix.size()] == '/')) {
            return &item;
        }
    }
    return nullptr;
}

ErrorFormat Router::ErrorsFor(std::string_view path) const {
    for (const std::string& mount : mounts_) {
        if (!path.starts_with('/') || !path.substr(1).starts_with(mount + "/")) continue;
        if (const auto* found = FormatOf(path.substr(mount.size() + 1))) return found->second;
    }
    const auto* found = FormatOf(path);
    return found ? found->second : ProblemResponse;
}

std::vector<RouteInfo> Router::Routes() const {
    return routes_;
}

Router::Match Router::Find(Method method, const std::vector<std::string>& segments) {
    Match match;
    std::vector<std::string> values;
    Walk(*root_, segments, 0, method, values, match);
    if (match.allowed == 0 && segments.size() > 1 &&
        std::ranges::find(mounts_, segments.front()) != mounts_.end()) {
        values.clear();
        Walk(*root_, segments, 1, method, values, match);
    }
    return match;
}

// Tries the branches in order of precision. The most precise path that has any route is the
// resource: a method that it lacks is not looked for in less precise ones. True: found.
bool Router::Walk(Node& node, const std::vector<std::string>& segments, std::size_t at,
                  Method method, std::vector<std::string>& values, Match& match) {
    if (at == segments.size()) {
        for (std::size_t i = 0; i < kMethodCount; ++i) {
            if (node.routes[i]) match.allowed |= 1U << i;
        }
        if (match.allowed == 0) return false;
        auto index = static_cast<std::size_t>(method);
        if (!node.routes[index] && method == Method::kHead) {
            index = static_cast<std::size_t>(Method::kGet);
        }
        if (!node.routes[index]) return true;
        match.route = node.routes[index].get();
        for (std::size_t i = 0; i < values.size(); ++i) {
            match.params.emplace_back(node.names[index][i], values[i]);
        }
        return true;
    }
    const std::string& segment = segments[at];
    if (const auto literal = node.literals.find(segment); literal != node.literals.end()) {
        if (Walk(*literal->second, segments, at + 1, method, values, match)) return true;
    }
    for (std::size_t type = 0; type < kParamTypes; ++type) {
        if (!node.params[type] || !Fits(static_cast<ParamType>(type), segment)) continue;
        std::size_t next = at + 1;
        values.push_back(segment);
        if (static_cast<ParamType>(type) == ParamType::kPath) {
            for (; next < segments.size(); ++next) values.back() += '/' + segments[next];
        }
        if (Walk(*node.params[type], segments, next, method, values, match)) return true;
        values.pop_back();
    }
    return false;
}

std::string AllowHeader(unsigned allowed) {
    if (allowed & 1U << static_cast<unsigned>(Method::kGet)) {
        allowed |= 1U << static_cast<unsigned>(Method::kHead);
    }
    allowed |= 1U << static_cast<unsigned>(Method::kOptions);
    std::string out;
    for (std::size_t i = 0; i < kMethodCount; ++i) {
        if (!(allowed & 1U << i)) continue;
        if (!out.empty()) out += ", ";
        out += MethodName(static_cast<Method>(i));
    }
    return out;
}

}  // namespace vf::http
