#pragma once
// Errors as data. An Error says what kind of outcome it is (mapped to an HTTP status in one place,
// http/problem.hpp), a stable code for programs, and a sentence for people that names what was
// wrong, where, and what to do. Nothing internal (paths, SQL, addresses) goes into `message`:
// internals belong in the log.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vf {

enum class ErrorKind {
    kInvalid,               // 400: the request is wrong; sending it again will not help
    kUnauthenticated,       // 401
    kPaymentRequired,       // 402: allowance used up
    kForbidden,             // 403
    kNotFound,              // 404: also for what belongs to somebody else
    kMethodNotAllowed,      // 405
    kNotAcceptable,         // 406
    kRequestTimeout,        // 408: the client was too slow
    kConflict,              // 409
    kGone,                  // 410: was there, and is expired
    kLengthRequired,        // 411
    kTooLarge,              // 413: the body, never the text
    kUriTooLong,            // 414
    kUnsupportedMediaType,  // 415
    kRangeNotSatisfiable,   // 416
    kExpectationFailed,     // 417
    kUpgradeRequired,       // 426: the path speaks another protocol
    kRateLimited,           // 429
    kHeadersTooLarge,       // 431
    kInternal,              // 500
    kNotImplemented,        // 501
    kUnavailable,           // 503: try again later
    kDeadline,              // 504: we were too slow
    kVersionNotSupported,   // 505: of HTTP
    kInsufficientStorage,   // 507: no room for what must be kept
};

// The HTTP status of a kind.
int StatusOf(ErrorKind kind);

// One wrong field of a request body or query. `path` is a JSON pointer ("/speed", "/voice/id") for
// bodies, or the bare name for query, path and header parameters.
struct FieldError {
    std::string path;
    std::string code;     // "required", "out_of_range", "unknown_member", "wrong_type", ...
    std::string message;  // a sentence for people
};

class Error {
public:
    Error() = default;
    Error(ErrorKind kind, std::string code, std::string message)
        : kind_(kind), code_(std::move(code)), message_(std::move(message)) {}
    Error(ErrorKind kind, std::string code, std::string message, std::vector<FieldError> fields)
        : kind_(kind), code_(std::move(code)), message_(std::move(message)),
          fields_(std::move(fields)) {}

    ErrorKind kind() const { return kind_; }
    int status() const { return StatusOf(kind_); }
    const std::string& code() const { return code_; }
    const std::string& message() const { return message_; }
    const std::vector<FieldError>& fields() const { return fields_; }
    // The first wrong field's name without the leading slash, or "" (OpenAI's `param`).
    std::string param() const;

    // Seconds after which a retry makes sense; sent as Retry-After.
    std::optional<std::chrono::seconds> retry_after() const { return retry_after_; }
    Error&& RetryAfter(std::chrono::seconds wait) && {
        retry_after_ = wait;
        return std::move(*this);
    }

private:
    ErrorKind kind_ = ErrorKind::kInternal;
    std::string code_ = "internal_error";
    std::string message_ = "Something went wrong on our side.";
    std::vector<FieldError> fields_;
    std::optional<std::chrono::seconds> retry_after_;
};

}  // namespace vf
