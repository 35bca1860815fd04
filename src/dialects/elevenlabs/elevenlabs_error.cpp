#include "dialects/elevenlabs/elevenlabs_error.hpp"

#include <array>
#include <charconv>
#include <string_view>

#include "base/json.hpp"
#include "http/problem.hpp"

namespace vf::elevenlabs {
namespace {

struct Named {
    std::string_view ours;
    int status;
    const char* type;
    const char* theirs;
};

// Codes of ours that have another name, or another status, there.
constexpr Named kNamed[] = {
    {"text_empty", 400, "validation_error", "empty_text"},
    {"empty_text", 400, "validation_error", "empty_text"},
    {"text_not_speakable", 400, "validation_error", "invalid_text"},
    {"invalid_utf8", 400, "validation_error", "invalid_text"},
    {"alignment_failed", 400, "validation_error", "invalid_text"},
    {"invalid_audio", 400, "validation_error", "invalid_audio"},
    {"audio_too_long", 400, "validation_error", "audio_too_long"},
    {"voice_not_found", 404, "not_found", "voice_not_found"},
    {"language_not_supported", 400, "validation_error", "invalid_parameters"},
    {"invalid_language", 400, "validation_error", "invalid_parameters"},
    {"out_of_range", 400, "validation_error", "invalid_parameters"},
    {"too_many_dictionaries", 400, "validation_error", "invalid_parameters"},
    {"malformed_json", 400, "invalid_request", "malformed_json"},
    {"json_too_deep", 400, "invalid_request", "malformed_json"},
    {"malformed_multipart", 400, "invalid_request", "bad_request"},
    {"bad_request", 400, "invalid_request", "bad_request"},
    {"dictionary_not_found", 404, "not_found", "pronunciation_dictionary_not_found"},
    {"dictionary_version_not_found", 404, "not_found",
     "pronunciation_dictionary_version_not_found"},
    {"dictionary_exists", 409, "conflict", "resource_already_exists"},
    {"too_many_concurrent_requests", 429, "rate_limit_error", "concurrent_limit_exceeded"},
    {"conflicting_credentials", 401, "authentication_error", "invalid_authorization_header"},
    {"missing_api_key", 401, "authentication_error", "missing_api_key"},
    {"feature_not_available", 403, "authorization_error", "feature_not_available"},
    {"voice_access_denied", 403, "authorization_error", "voice_access_denied"},
    {"missing_scope", 403, "authorization_error", "insufficient_permissions"},
};

const char* TypeOf(int status) {
    switch (status) {
        case 401: return "authentication_error";
        case 402: return "payment_required";
        case 403: return "authorization_error";
        case 404: return "not_found";
        case 409: return "conflict";
        case 429: return "rate_limit_error";
        case 400: return "validation_error";
        default: break;
    }
    if (status == 500) return "internal_error";
    return status > 500 ? "service_unavailable" : "invalid_request";
}

// "/rules/3/alias" as ["body", "rules", 3, "alias"]; a parameter's bare name as ["query", name].
json::array LocationOf(std::string_view path) {
    json::array out;
    if (!path.starts_with('/')) return {"query", std::string(path)};
    out.emplace_back("body");
    while (path.size() > 1) {
        path.remove_prefix(1);
        const std::string_view step = path.substr(0, path.find('/'));
        int index = 0;
        const auto [end, ec] = std::from_chars(step.data(), step.data() + step.size(), index);
        if (!step.empty() && ec == std::errc() && end == step.data() + step.size()) {
            out.emplace_back(index);
        } else {
            out.emplace_back(std::string(step));
        }
        path.remove_prefix(step.size());
    }
    return out;
}

const char* ValidationType(std::string_view code) {
    if (code == "required") return "missing";
    if (code == "wrong_type") return "type_error";
    return "value_error";
}

bool IsValidation(const Error& error) {
    return error.kind() == ErrorKind::kInvalid && error.code() == "invalid_request" &&
           !error.fields().empty();
}

http::Response ValidationResponse(const Error& error) {
    json::array detail;
    for (const FieldError& field : error.fields()) {
        detail.push_back(json::object{{"loc", LocationOf(field.path)},
                                      {"msg", field.message},
                                      {"type", ValidationType(field.code)}});
    }
    return http::JsonResponse(422, json::object{{"detail", std::move(detail)}});
}

}  // namespace

VendorError VendorErrorOf(const Error& error) {
    for (const Named& named : kNamed) {
        if (named.ours == error.code()) return {named.status, named.type, named.theirs};
    }
    const int status = error.status();
    switch (error.kind()) {
        case ErrorKind::kUnauthenticated: return {status, TypeOf(status), "invalid_api_key"};
        case ErrorKind::kPaymentRequired: return {status, TypeOf(status), "insufficient_credits"};
        case ErrorKind::kForbidden: return {status, TypeOf(status), "forbidden"};
        case ErrorKind::kTooLarge: return {status, TypeOf(status), "request_too_large"};
        case ErrorKind::kUnsupportedMediaType:
            return {status, TypeOf(status), "invalid_content_type"};
        case ErrorKind::kRateLimited: return {status, TypeOf(status), "rate_limit_exceeded"};
        case ErrorKind::kInternal: return {status, TypeOf(status), "internal_error"};
        case ErrorKind::kUnavailable:
        case ErrorKind::kDeadline: return {status, TypeOf(status), "service_unavailable"};
        default: return {status, TypeOf(status), error.code()};
    }
}

http::Response ErrorResponse(const Error& error, const http::Request& request) {
    if (IsValidation(error)) return ValidationResponse(error);
    const VendorError vendor = VendorErrorOf(error);
    json::object detail{{"type", vendor.type},        {"code", vendor.code},
                        {"message", error.message()}, {"status", vendor.code},
                        {"request_id", request.id},   {"param", nullptr}};
    if (!error.fields().empty()) detail["param"] = error.param();
    http::Response response =
        http::JsonResponse(vendor.status, json::object{{"detail", std::move(detail)}});
    response.headers.Set("x-trace-id", request.id);
    http::SetRetryAfter(response, error);
    return response;
}

}  // namespace vf::elevenlabs
