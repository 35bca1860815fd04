#pragma once
// Thrown when something that a request cannot do without is away for now (the database, a cache):
// caught once at the edge and answered with `error`, which is of kind kUnavailable and should carry
// a retry_after.

#include <stdexcept>
#include <utility>

#include "base/error.hpp"

namespace vf {

struct UnavailableException : std::runtime_error {
    explicit UnavailableException(Error why)
        : std::runtime_error(why.message()), error(std::move(why)) {}
    Error error;
};

}  // namespace vf
