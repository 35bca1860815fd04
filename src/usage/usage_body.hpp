#pragma once
// How usage is written: JSON, and CSV that a spreadsheet opens without running anything.

#include <string>
#include <string_view>

#include "base/json.hpp"
#include "usage/usage_service.hpp"

namespace vf::usage {

json::object ToJson(const UsageRow& row);
json::object ToJson(const Sums& sums);
json::object ToJson(const Period& period);
json::object ToJson(const Stats& stats);

// RFC 4180: CRLF, quotes where needed. A field that a spreadsheet would take for a formula (it
// starts with = + - @, tab or carriage return) gets an apostrophe in front.
std::string CsvField(std::string_view text);
std::string ToCsv(const std::vector<UsageRow>& rows);
std::string ToCsv(std::string_view by, const std::vector<Group>& groups);

}  // namespace vf::usage
