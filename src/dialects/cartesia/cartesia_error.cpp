#include "dialects/cartesia/cartesia_error.hpp"

#include "http/problem.hpp"

namespace vf::cartesia {
namespace {

struct Named {
    std::string_view ours;
    const char* theirs;
};

// Codes of ours that Cartesia has another name for.
constexpr Named kNamed[] = {
    {"too_many_concurrent_requests", "concurrency_limited"},
    {"too_many_contexts", "concurrency_limited"},
    {"dictionary_not_found", "pronunciation_dict_not_found"},
    {"feature_not_available", "feature_not_available"},
};

std::string CodeOf(const Error& error) {
    for (const Named& named : kNamed) {
        if (named.ours == error.code()) return named.theirs;
    }
    if (error.kind() == ErrorKind::kPaymentRequired) return "quota_exceeded";
    return error.code();
}

const char* TitleOf(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::kInvalid: return "Invalid request";
        case ErrorKind::kUnauthenticated: return "Unauthorized";
        case ErrorKind::kPaymentRequired: return "Quota exceeded";
        case ErrorKind::kForbidden: return "Forbidden";
        case ErrorKind::kNotFound: return "Not found";
        case ErrorKind::kMethodNotAllowed: return "Method not allowed";
        case ErrorKind::kRequestTimeout: return "Timed out";
        case ErrorKind::kConflict: return "Conflict";
        case ErrorKind::kTooLarge: return "Request too large";
        case ErrorKind::kUnsupportedMediaType: return "Unsupported media type";
        case ErrorKind::kUpgradeRequired: return "Upgrade required";
        case ErrorKind::kRateLimited: return "Too many requests";
        case ErrorKind::kInternal: return "Internal error";
        case ErrorKind::kUnavailable:
        case ErrorKind::kDeadline: return "Service unavailable";
        default: return "Request refused";
    }
}

json::object Body(const Error& error, const std::string& request_id) {
    return {{"error_code", CodeOf(error)},
            {"title", TitleOf(error.kind())},
            {"message", error.message()},
            {"request_id", request_id}};
}

}  // namespace

http::Response ErrorResponse(const Error& error, const http::Request& request) {
    http::Response response = http::JsonResponse(error.status(), Body(error, request.id));
    response.headers.Set("Cartesia-Request-ID", request.id);
    http::SetRetryAfter(response, error);
    return response;
}

json::object ErrorEvent(const Error& error, const std::string& request_id,
                        const std::optional<std::string>& context) {
    json::object event{{"type", "error"}, {"done", true}, {"status_code", error.status()}};
    // Always there: widely used clients read it without looking.
    event["context_id"] = context ? json::value(*context) : json::value();
    for (const auto& member : Body(error, request_id)) event[member.key()] = member.value();
    return event;
}

}  // namespace vf::cartesia
