#pragma once
// Bodies of /api/vendors, in and out. Pure.

#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"
#include "vendors/vendors.hpp"

namespace vf::vendors {

json::object ToJson(const Connection& connection);
json::object ToJson(const TestResult& result);

// All closed; every wrong member is named.
Result<NewConnection> ReadNewConnection(std::string_view body);
// A member that is null takes away what it names (price, fallback).
Result<ConnectionChange> ReadChange(std::string_view body);

}  // namespace vf::vendors
