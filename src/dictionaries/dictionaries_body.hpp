#pragma once
// Bodies of the native routes, in and out. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "dictionaries/dictionaries.hpp"

namespace vf::dictionaries {

// {"id","name","description","version_id","version","rule_count","created_by","created_at",
//  "archived_at"}
json::object ToJson(const Dictionary& dictionary);
json::object ToJson(const Version& version);
json::array RulesJson(const Rules& rules);
// All closed; every wrong member is named.
Result<NewDictionary> ReadNewDictionary(std::string_view body);
Result<DictionaryChange> ReadChange(std::string_view body);
Result<Rules> ReadRules(std::string_view body);                         // {"rules": […]}
Result<std::vector<DictionaryId>> ReadDefaults(std::string_view body);  // {"dictionaries": […]}

}  // namespace vf::dictionaries
