#pragma once
// What a connection may be. Pure. Errors are kInvalid and name the member.

#include <string>
#include <vector>

#include "base/result.hpp"
#include "vendors/vendors.hpp"

namespace vf::vendors {

Error WrongMember(const char* member, const char* code, std::string message);

Result<void> CheckName(const std::string& name);
Result<void> CheckKey(const std::string& key);
Result<void> CheckModel(const std::string& model);
Result<void> CheckPrice(const std::optional<Price>& price);
Result<void> CheckFallback(const std::optional<int>& fallback);
Result<void> CheckVoices(const std::vector<VendorVoice>& voices, std::int64_t most);
// http or https, a host, no user, query or fragment; without the slashes at its end.
Result<std::string> CheckUrl(std::string url, bool allow_plain);

}  // namespace vf::vendors
