// The table `plans`.
#include <fmt/format.h>

#include "plans/plans.hpp"

namespace vf::plans {
namespace {

// Plans belong to no team.
constexpr pg::Statement kFind{
    "plans_find",
    "SELECT id, name, tier, currency, price_minor, requests, characters, audio_ms, "
    "over_request_milli, over_character_milli, over_audio_second_milli, concurrency, "
    "text_characters, voices, deployments, storage_bytes, quality, catalogue, offered "
    "FROM plans WHERE id = $1"};
constexpr pg::Statement kList{
    "plans_list",
    "SELECT id, name, tier, currency, price_minor, requests, characters, audio_ms, "
    "over_request_milli, over_character_milli, over_audio_second_milli, concurrency, "
    "text_characters, voices, deployments, storage_bytes, quality, catalogue, offered "
    "FROM plans ORDER BY price_minor, id LIMIT 1000"};
constexpr pg::Statement kPut{
    "plans_put",
    "INSERT INTO plans (id, name, tier, currency, price_minor, requests, characters, audio_ms, "
    "over_request_milli, over_character_milli, over_audio_second_milli, concurrency, "
    "text_characters, voices, deployments, storage_bytes, quality, catalogue) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) "
    "ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, tier = EXCLUDED.tier, "
    "currency = EXCLUDED.currency, price_minor = EXCLUDED.price_minor, "
    "requests = EXCLUDED.requests, characters = EXCLUDED.characters, "
    "audio_ms = EXCLUDED.audio_ms, over_request_milli = EXCLUDED.over_request_milli, "
    "over_character_milli = EXCLUDED.over_character_milli, "
    "over_audio_second_milli = EXCLUDED.over_audio_second_milli, "
    "concurrency = EXCLUDED.concurrency, text_characters = EXCLUDED.text_characters, "
    "voices = EXCLUDED.voices, deployments = EXCLUDED.deployments, "
    "storage_bytes = EXCLUDED.storage_bytes, quality = EXCLUDED.quality, offered = true, "
    "updated_at = now() WHERE plans.catalogue = EXCLUDED.catalogue"};
constexpr pg::Statement kWithdraw{"plans_withdraw",
                                  "UPDATE plans SET offered = false, updated_at = now() "
                                  "WHERE catalogue = $1 AND offered AND id <> ALL ($2::text[])"};
// Two servers that put catalogues at once wait for each other (a lock that allows reading).
constexpr pg::Statement kLock{"plans_lock", "LOCK TABLE plans IN SHARE ROW EXCLUSIVE MODE"};
constexpr pg::Statement kHasAny{"plans_has_any",
                                "SELECT EXISTS (SELECT 1 FROM plans WHERE id <> 'demo')"};

PlanTier TierOf(std::string_view name) {
    if (name == "enterprise") return PlanTier::kEnterprise;
    return name == "paid" ? PlanTier::kPaid : PlanTier::kFree;
}

Plan PlanOf(const pg::Row& row) {
    Plan plan;
    plan.id = row.Text(0);
    plan.name = row.Text(1);
    plan.tier = TierOf(row.Text(2));
    plan.currency = row.Text(3);
    plan.price_minor = row.Int(4);
    plan.requests = row.MaybeInt(5);
    plan.characters = row.MaybeInt(6);
    plan.audio_ms = row.MaybeInt(7);
    plan.over_request_milli = row.MaybeInt(8);
    plan.over_character_milli = row.MaybeInt(9);
    plan.over_audio_second_milli = row.MaybeInt(10);
    plan.concurrency = row.MaybeInt(11);
    plan.text_characters = row.MaybeInt(12);
    plan.voices = row.MaybeInt(13);
    plan.deployments = row.MaybeInt(14);
    plan.storage_bytes = row.MaybeInt(15);
    plan.quality = row.Text(16);
    return plan;
}

void AddInt(pg::Params& params, const std::optional<std::int64_t>& value) {
    if (value) {
        params.Int(*value);
    } else {
        params.Null();
    }
}

pg::Params ParamsOf(const Plan& plan, const std::string& catalogue) {
    pg::Params params;
    params.Text(plan.id).Text(plan.name).Text(TierName(plan.tier)).Text(plan.currency);
    params.Int(plan.price_minor);
    for (const auto& value :
         {plan.requests, plan.characters, plan.audio_ms, plan.over_request_milli,
          plan.over_character_milli, plan.over_audio_second_milli, plan.concurrency,
          plan.text_characters, plan.voices, plan.deployments, plan.storage_bytes}) {
        AddInt(params, value);
    }
    params.Text(plan.quality).Text(catalogue);
    return params;
}

// Ids hold nothing that an array literal would have to quote.
std::string IdArray(const std::vector<Plan>& plans) {
    std::string ids = "{";
    for (const Plan& plan : plans) ids += (ids.size() > 1 ? "," : "") + plan.id;
    return ids + "}";
}

Task<Result<void>> PutIn(pg::SystemTransaction* transaction, std::string catalogue,
                         std::vector<Plan> plans) {
    for (const Plan& plan : plans) {
        pg::Params params = ParamsOf(plan, catalogue);
        const pg::Rows put = co_await transaction->Query(kPut, std::move(params));
        if (put.affected() == 0) {
            co_return Error(
                ErrorKind::kConflict, "plan_of_another_catalogue",
                fmt::format("The plan '{}' belongs to another catalogue than '{}'; give "
                            "it another id.",
                            plan.id, catalogue));
        }
    }
    pg::Params rest;
    rest.Text(catalogue).Text(IdArray(plans));
    co_await transaction->Query(kWithdraw, std::move(rest));
    co_return Result<void>();
}

}  // namespace

Task<std::shared_ptr<const Plan>> PlanStore::Find(std::string id) {
    pg::Params params;
    params.Text(id);
    const pg::Rows rows = co_await db_.Query(kFind, std::move(params));
    if (rows.empty()) co_return nullptr;
    co_return std::make_shared<const Plan>(PlanOf(rows[0]));
}

Task<std::vector<OfferedPlan>> PlanStore::List() {
    const pg::Rows rows = co_await db_.Query(kList);
    std::vector<OfferedPlan> plans;
    for (const pg::Row row : rows) {
        plans.push_back(
            {std::make_shared<const Plan>(PlanOf(row)), std::string(row.Text(17)), row.Bool(18)});
    }
    co_return plans;
}

Task<Result<void>> PlanStore::Put(std::string catalogue, std::vector<Plan> plans) {
    auto transaction = co_await db_.Begin();
    co_await transaction->Query(kLock);
    Result<void> put = co_await PutIn(transaction.get(), std::move(catalogue), std::move(plans));
    if (!put) {
        co_await transaction->Rollback();
        co_return std::move(put).error();
    }
    co_await transaction->Commit();
    co_return Result<void>();
}

Task<Result<bool>> EnsureCatalogue(pg::SystemDb db, std::filesystem::path file) {
    // The common case takes no lock.
    const pg::Rows before = co_await db.Query(kHasAny);
    if (before[0].Bool(0)) co_return false;
    Result<std::vector<Plan>> plans = LoadCatalogue(file);
    if (!plans) co_return std::move(plans).error();
    auto transaction = co_await db.Begin();
    co_await transaction->Query(kLock);
    const pg::Rows after = co_await transaction->Query(kHasAny);
    if (after[0].Bool(0)) {
        co_await transaction->Rollback();
        co_return false;
    }
    std::string catalogue = file.stem().string();
    Result<void> put = co_await PutIn(transaction.get(), std::move(catalogue), *std::move(plans));
    if (!put) {
        co_await transaction->Rollback();
        co_return std::move(put).error();
    }
    co_await transaction->Commit();
    co_return true;
}

}  // namespace vf::plans
