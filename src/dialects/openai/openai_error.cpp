#include "dialects/openai/openai_error.hpp"

#include "base/json.hpp"
#include "http/problem.hpp"

namespace vf::openai {
namespace {

// What OpenAI's clients know: an allowance used up is a 429 of its own type, not worth another try.
bool IsQuota(const Error& error) {
    return error.kind() == ErrorKind::kPaymentRequired;
}

const char* CodeOf(const Error& error) {
    if (IsQuota(error)) return "insufficient_quota";
    return error.code().c_str();
}

const char* TypeOf(const Error& error, int status) {
    if (IsQuota(error)) return "insufficient_quota";
    if (status == 429) return "rate_limit_exceeded";
    return status >= 500 ? "server_error" : "invalid_request_error";
}

}  // namespace

http::Response ErrorResponse(const Error& error, const http::Request&) {
    const int status = IsQuota(error) ? 429 : error.status();
    json::object body{{"message", error.message()},
                      {"type", TypeOf(error, status)},
                      {"param", nullptr},
                      {"code", CodeOf(error)}};
    if (!error.fields().empty()) body["param"] = error.param();
    http::Response response = http::JsonResponse(status, json::object{{"error", std::move(body)}});
    if (IsQuota(error)) response.headers.Set("x-should-retry", "false");
    http::SetRetryAfter(response, error);
    return response;
}

}  // namespace vf::openai
