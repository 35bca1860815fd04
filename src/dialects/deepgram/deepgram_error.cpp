#include "dialects/deepgram/deepgram_error.hpp"

#include "base/json.hpp"
#include "http/problem.hpp"

namespace vf::deepgram {
namespace {

struct Named {
    std::string_view ours;
    const char* theirs;
};

constexpr Named kNamed[] = {
    {"missing_scope", "INSUFFICIENT_PERMISSIONS"},
    {"too_many_concurrent_requests", "TOO_MANY_REQUESTS"},
    {"malformed_json", "INVALID_JSON"},
};
constexpr Named kSocketNamed[] = {
    {"malformed_json", "MESSAGE-0000"}, {"invalid_request", "MESSAGE-0000"},
    {"unknown_type", "MESSAGE-0000"},   {"invalid_message", "DATA-0000"},
    {"invalid_utf8", "DATA-0000"},      {"text_too_long", "BIG-0000"},
    {"idle_timeout", "NET-0001"},       {"missing_api_key", "INVALID_AUTH"},
};

std::string Capitals(std::string text) {
    for (char& c : text) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
}

int StatusOf(const Error& error) {
    return error.code() == "text_too_long" ? 413 : error.status();
}

std::string CodeOf(const Error& error) {
    for (const Named& named : kNamed) {
        if (named.ours == error.code()) return named.theirs;
    }
    switch (error.kind()) {
        case ErrorKind::kUnauthenticated: return "INVALID_AUTH";
        case ErrorKind::kPaymentRequired: return "PAYMENT_REQUIRED";
        case ErrorKind::kRateLimited: return "TOO_MANY_REQUESTS";
        default: return Capitals(error.code());
    }
}

}  // namespace

http::Response ErrorResponse(const Error& error, const http::Request& request) {
    http::Response response =
        http::JsonResponse(StatusOf(error), json::object{{"err_code", CodeOf(error)},
                                                         {"err_msg", error.message()},
                                                         {"request_id", request.id}});
    response.headers.Set("dg-request-id", request.id);
    // Where clients look when a handshake is refused.
    if (StatusOf(error) == 400) response.headers.Set("dg-error", "Bad Request");
    http::SetRetryAfter(response, error);
    return response;
}

std::string SocketErrorCode(const Error& error) {
    for (const Named& named : kSocketNamed) {
        if (named.ours == error.code()) return named.theirs;
    }
    if (error.kind() == ErrorKind::kInternal || error.kind() == ErrorKind::kUnavailable) {
        return "NET-0000";
    }
    return CodeOf(error);
}

}  // namespace vf::deepgram
