#include "dialects/openai/openai_error.hpp"

#include "base/json.hpp"
#include "http/problem.hpp"

namespace vf::openai {
namespace {

const char* TypeOf(int status) {
    if (status == 429) return "rate_limit_exceeded";
    return status >= 500 ? "server_error" : "invalid_request_error";
}

}  // namespace

http::Response ErrorResponse(const Error& error, const http::Request&) {
    json::object body{{"message", error.message()},
                      {"type", TypeOf(error.status())},
                      {"param", nullptr},
                      {"code", error.code()}};
    if (!error.fields().empty()) body["param"] = error.param();
    http::Response response =
        http::JsonResponse(error.status(), json::object{{"error", std::move(body)}});
    http::SetRetryAfter(response, error);
    return response;
}

}  // namespace vf::openai
