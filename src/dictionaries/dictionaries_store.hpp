#pragma once
// SQL of the dictionaries. Rules travel as the JSON text of an array (dictionaries_rules.hpp).

#include <optional>
#include <string>
#include <vector>

#include "dictionaries/dictionaries.hpp"
#include "pg/database.hpp"

namespace vf::dictionaries::store {

struct NewVersion {
    VersionId id;
    DictionaryId dictionary;
    std::int64_t number = 0;
    std::string rules;
    std::int64_t rule_count = 0;
    std::string created_by;
};

struct VersionRules {
    VersionId version;
    DictionaryId dictionary;
    std::string rules;
};

Task<std::int64_t> Count(pg::TeamTransaction& transaction);
// Throws QueryError with unique_violation() for a name that is in use.
Task<void> Insert(pg::TeamTransaction& transaction, DictionaryId id, std::string name,
                  std::string description, VersionId latest, std::string created_by);
Task<void> InsertVersion(pg::TeamTransaction& transaction, NewVersion version);
Task<void> SetLatest(pg::TeamTransaction& transaction, DictionaryId id, VersionId latest);
// Locks the dictionary until the transaction ends.
Task<std::optional<Dictionary>> Lock(pg::TeamTransaction& transaction, DictionaryId id);
// Throws as Insert.
Task<void> Update(pg::TeamTransaction& transaction, DictionaryId id, std::string name,
                  std::string description, bool archived);
Task<void> Delete(pg::TeamTransaction& transaction, DictionaryId id);
Task<std::string> RulesOf(pg::TeamTransaction& transaction, VersionId version);

Task<std::optional<Dictionary>> Find(pg::TeamDb db, DictionaryId id);
Task<std::vector<Dictionary>> List(pg::TeamDb db, bool with_archived,
                                   std::optional<DictionaryId> after, std::int64_t limit);
Task<std::vector<Version>> Versions(pg::TeamDb db, DictionaryId id, std::optional<VersionId> after,
                                    std::int64_t limit);
Task<std::optional<Version>> FindVersion(pg::TeamDb db, DictionaryId id, VersionId version);
Task<std::optional<VersionRules>> LoadVersion(pg::TeamDb db, DictionaryId id, VersionId version);
Task<std::optional<VersionId>> Latest(pg::TeamDb db, DictionaryId id);
struct Place {
    DictionaryId dictionary;
    VersionId latest;
};
Task<std::optional<Place>> LatestByName(pg::TeamDb db, std::string name);

// In their order; those that are archived are left out.
Task<std::vector<Place>> Defaults(pg::TeamDb db);
Task<void> ClearDefaults(pg::TeamTransaction& transaction);
// False: there is no such dictionary.
Task<bool> AddDefault(pg::TeamTransaction& transaction, std::int64_t position, DictionaryId id);

}  // namespace vf::dictionaries::store
