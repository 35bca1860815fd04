#include "http/request.hpp"

#include <algorithm>

#include "http/target.hpp"

namespace vf::http {
namespace {

constexpr std::string_view kMethodNames[kMethodCount] = {"GET",   "HEAD",   "POST",   "PUT",
                                                         "PATCH", "DELETE", "OPTIONS"};

// Calls `take(name, value)` with each still encoded pair until it returns false.
template <class Take>
void ForEachPair(std::string_view query, Take take) {
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (pair.empty()) continue;
        const std::size_t equals = std::min(pair.find('='), pair.size());
        const std::string_view value =
            equals == pair.size() ? std::string_view() : pair.substr(equals + 1);
        if (!take(pair.substr(0, equals), value)) return;
    }
}

}  // namespace

std::string_view MethodName(Method method) {
    return kMethodNames[static_cast<std::size_t>(method)];
}

std::optional<Method> ParseMethod(std::string_view name) {
    for (std::size_t i = 0; i < kMethodCount; ++i) {
        if (kMethodNames[i] == name) return static_cast<Method>(i);
    }
    return std::nullopt;
}

std::string_view Request::PathParam(std::string_view name) const {
    for (const auto& [key, value] : path_params) {
        if (key == name) return value;
    }
    return {};
}

std::optional<std::string> Request::QueryParam(std::string_view name) const {
    std::optional<std::string> found;
    ForEachPair(Query(), [&](std::string_view key, std::string_view value) {
        const std::optional<std::string> decoded = PercentDecode(key, true);
        if (!decoded || *decoded != name) return true;
        found = PercentDecode(value, true);
        return false;
    });
    return found;
}

std::vector<std::pair<std::string, std::string>> Request::QueryParams() const {
    std::vector<std::pair<std::string, std::string>> out;
    ForEachPair(Query(), [&](std::string_view key, std::string_view value) {
        out.emplace_back(PercentDecode(key, true).value_or(""),
                         PercentDecode(value, true).value_or(""));
        return true;
    });
    return out;
}

std::string_view Request::Query() const {
    const std::size_t mark = target.find('?');
    return mark == std::string::npos ? std::string_view()
                                     : std::string_view(target).substr(mark + 1);
}

std::string_view Request::MediaType() const {
    return media_type;
}

}  // namespace vf::http
