#pragma once
// The plans that are on sale: data, in the table `plans` (migrations/0002_teams.sql), filled from
// catalogue files (plans/*.toml in the source, share/voiceflow/plans when installed).
//
// A catalogue file is closed: one [[plan]] table for each plan, with the keys of base/plan.hpp;
// amounts are integers in the units that the key names. The catalogue's name is the file's without
// ".toml". On the loop, but for LoadCatalogue, which reads a file.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/plan.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "pg/database.hpp"

namespace vf::plans {

inline constexpr std::size_t kMaxPlans = 100;  // of one catalogue

// In the order of the file; at least one. Errors: kInvalid "bad_catalogue", whose message names
// file, line and key.
Result<std::vector<Plan>> LoadCatalogue(const std::filesystem::path& file);
// The same of a text; `name` stands for the file in messages.
Result<std::vector<Plan>> ParseCatalogue(std::string_view text, const std::string& name);

std::string_view TierName(PlanTier tier);  // "free", "paid", "enterprise"

// A plan and where it came from.
struct OfferedPlan {
    std::shared_ptr<const Plan> plan;
    std::string catalogue;
    bool offered = true;  // to new customers
};

// What the table holds.
class PlanStore {
public:
    explicit PlanStore(pg::SystemDb db) : db_(std::move(db)) {}

    // Null: no plan has this id.
    Task<std::shared_ptr<const Plan>> Find(std::string id);
    // Cheapest first; at most 1,000.
    Task<std::vector<OfferedPlan>> List();
    // Writes every plan of a catalogue in one transaction. Plans of the same catalogue that are not
    // in `plans` any more stay for those who have them and are offered no longer. kConflict
    // "plan_of_another_catalogue" when an id belongs to another catalogue ("built-in" too).
    Task<Result<void>> Put(std::string catalogue, std::vector<Plan> plans);

private:
    pg::SystemDb db_;
};

// At server start: a table with no plan but 'demo' gets the catalogue of `file`. True when it did.
// Two servers that start at once end up with one catalogue. Errors: as LoadCatalogue and Put.
Task<Result<bool>> EnsureCatalogue(pg::SystemDb db, std::filesystem::path file);

}  // namespace vf::plans
