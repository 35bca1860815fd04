#include "base/error.hpp"

namespace vf {

int StatusOf(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::kInvalid: return 400;
        case ErrorKind::kUnauthenticated: return 401;
        case ErrorKind::kPaymentRequired: return 402;
        case ErrorKind::kForbidden: return 403;
        case ErrorKind::kNotFound: return 404;
        case ErrorKind::kMethodNotAllowed: return 405;
        case ErrorKind::kNotAcceptable: return 406;
        case ErrorKind::kRequestTimeout: return 408;
        case ErrorKind::kConflict: return 409;
        case ErrorKind::kGone: return 410;
        case ErrorKind::kLengthRequired: return 411;
        case ErrorKind::kTooLarge: return 413;
        case ErrorKind::kUriTooLong: return 414;
        case ErrorKind::kUnsupportedMediaType: return 415;
        case ErrorKind::kRangeNotSatisfiable: return 416;
        case ErrorKind::kExpectationFailed: return 417;
        case ErrorKind::kUpgradeRequired: return 426;
        case ErrorKind::kRateLimited: return 429;
        case ErrorKind::kHeadersTooLarge: return 431;
        case ErrorKind::kInternal: return 500;
        case ErrorKind::kNotImplemented: return 501;
        case ErrorKind::kUnavailable: return 503;
        case ErrorKind::kDeadline: return 504;
        case ErrorKind::kVersionNotSupported: return 505;
        case ErrorKind::kInsufficientStorage: return 507;
    }
    return 500;
}

std::string Error::param() const {
    if (fields_.empty()) return {};
    const std::string& path = fields_.front().path;
    return path.starts_with('/') ? path.substr(1) : path;
}

}  // namespace vf
