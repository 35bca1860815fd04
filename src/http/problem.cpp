#include "http/problem.hpp"

#include <string>

namespace vf::http {

void SetRetryAfter(Response& response, const Error& error) {
    if (error.retry_after()) {
        response.headers.Set("Retry-After", std::to_string(error.retry_after()->count()));
    }
}

Response ProblemResponse(const Error& error, const Request& request) {
    const int status = error.status();
    json::object problem;
    problem["type"] = "/errors/" + error.code();
    problem["title"] = ReasonPhrase(status);
    problem["status"] = status;
    problem["detail"] = error.message();
    problem["code"] = error.code();
    problem["request_id"] = request.id;
    if (!error.fields().empty()) {
        json::array& errors = problem["errors"].emplace_array();
        for (const FieldError& field : error.fields()) {
            json::object item;
            item[field.path.starts_with('/') ? "pointer" : "parameter"] = field.path;
            item["code"] = field.code;
            item["message"] = field.message;
            errors.push_back(std::move(item));
        }
    }
    Response response(status, "application/problem+json", json::Print(problem));
    SetRetryAfter(response, error);
    return response;
}

}  // namespace vf::http
