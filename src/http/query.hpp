#pragma once
// Reads the query parameters of a request and collects every wrong one: unknown, twice, malformed.
//
//   QueryReader query(request, {"limit", "cursor", "state"});
//   const std::int64_t limit = query.Integer("limit", 100, 1, 1000);
//   std::optional<JobId> cursor = query.Id<JobId>("cursor");
//   if (auto wrong = query.Wrong()) co_return ProblemResponse(*wrong, request);

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "http/request.hpp"

namespace vf::http {

class QueryReader {
public:
    QueryReader(const Request& request, std::initializer_list<std::string_view> known);

    std::optional<std::string> Text(const std::string& name) const;
    std::int64_t Integer(const std::string& name, std::int64_t absent, std::int64_t least,
                         std::int64_t most);
    // One of the ids that this server writes, e.g. a cursor.
    template <class IdType>
    std::optional<IdType> Id(const std::string& name) {
        const std::optional<std::string> text = Text(name);
        if (!text) return std::nullopt;
        const std::optional<IdType> id = IdType::Parse(*text);
        if (!id) Fail(name, "invalid_id", "is not an id of this kind.");
        return id;
    }
    void Fail(const std::string& name, std::string code, std::string message);

    // Everything that was wrong, as one kInvalid "invalid_request".
    std::optional<Error> Wrong() const;

private:
    std::map<std::string, std::string> values_;
    std::vector<FieldError> wrong_;
};

}  // namespace vf::http
