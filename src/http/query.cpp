#include "http/query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace vf::http {

QueryReader::QueryReader(const Request& request, std::initializer_list<std::string_view> known) {
    for (auto& [name, value] : request.QueryParams()) {
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            Fail(name, "unknown_parameter", "is not a parameter of this route.");
        } else if (!values_.emplace(name, value).second) {
            Fail(name, "duplicate_parameter", "stands twice.");
        }
    }
}

std::optional<std::string> QueryReader::Text(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) return std::nullopt;
    return found->second;
}

std::int64_t QueryReader::Integer(const std::string& name, std::int64_t absent, std::int64_t least,
                                  std::int64_t most) {
    const std::optional<std::string> text = Text(name);
    if (!text) return absent;
    std::int64_t number = 0;
    const char* end = text->data() + text->size();
    const auto [stop, problem] = std::from_chars(text->data(), end, number);
    if (problem != std::errc() || stop != end || number < least || number > most) {
        Fail(name, "out_of_range", fmt::format("must be between {} and {}.", least, most));
        return absent;
    }
    return number;
}

void QueryReader::Fail(const std::string& name, std::string code, std::string message) {
    wrong_.push_back({name, std::move(code), std::move(message)});
}

std::optional<Error> QueryReader::Wrong() const {
    if (wrong_.empty()) return std::nullopt;
    std::string message =
        "The query parameter \"" + wrong_.front().path + "\" " + wrong_.front().message;
    return Error(ErrorKind::kInvalid, "invalid_request", std::move(message), wrong_);
}

}  // namespace vf::http
