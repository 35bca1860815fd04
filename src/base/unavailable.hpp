#pragma once
// The exception for "this request cannot go on because something we stand on is away". Caught once
// at the HTTP edge, which answers with `error` (503 or 504 with Retry-After), and once per job.

#include <chrono>
#include <stdexcept>
#include <utility>

#include "base/error.hpp"

namespace vf {

struct UnavailableException : std::runtime_error {
    explicit UnavailableException(Error e) : std::runtime_error(e.code()), error(std::move(e)) {}
    Error error;
};

// 503 with Retry-After: the server has started and its database has not.
inline Error DatabaseNotUp() {
    return Error(ErrorKind::kUnavailable, "database_unavailable",
                 "The database is not up yet. Try again in a moment.")
        .RetryAfter(std::chrono::seconds(1));
}

}  // namespace vf
