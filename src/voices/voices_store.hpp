#pragma once
// SQL of what teams set for voices.

#include <map>
#include <optional>
#include <string>

#include "pg/database.hpp"
#include "voices/voices.hpp"

namespace vf::voices::store {

Task<std::map<std::string, StoredSettings>> All(pg::TeamDb db, std::int64_t limit);
// False: the team has `most` of other voices already.
Task<bool> Set(pg::TeamTransaction& transaction, std::string voice, StoredSettings settings,
               std::int64_t most);

}  // namespace vf::voices::store
