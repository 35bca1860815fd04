#pragma once
// The exception for "this request cannot go on because something we stand on is away". Caught once
// at the HTTP edge, which answers with `error` (503 or 504 with Retry-After), and once per job.

#include <stdexcept>
#include <utility>

#include "base/error.hpp"

namespace vf {

struct UnavailableException : std::runtime_error {
    explicit UnavailableException(Error e) : std::runtime_error(e.code()), error(std::move(e)) {}
    Error error;
};

}  // namespace vf
