// /v1/user and /v1/usage: the plan and what was used of it, in ElevenLabs' words. Their credits are
// characters here.

#include <fmt/format.h>

#include <charconv>

#include "base/unavailable.hpp"
#include "dialects/elevenlabs/character_stats.hpp"
#include "dialects/elevenlabs/elevenlabs_deps.hpp"
#include "dialects/elevenlabs/elevenlabs_error.hpp"
#include "limits/limits.hpp"
#include "usage/usage_service.hpp"

namespace vf::elevenlabs {
namespace {

using http::Request;
using http::Response;

// Of an allowance without a bound: the largest number that every client can hold.
constexpr std::int64_t kUnlimited = 2'147'483'647;

pg::Database& DatabaseOf(const Deps& deps) {
    pg::Database* database = deps.database();
    if (!database) {
        throw UnavailableException(DatabaseNotUp());
    }
    return *database;
}

usage::Time Now() {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::chrono::year_month MonthOf(usage::Time time) {
    const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
    return day.year() / day.month();
}

// The currencies that ElevenLabs' clients know.
std::string CurrencyOf(const Plan& plan) {
    const std::string currency = http::LowerCase(plan.currency);
    for (const char* known : {"usd", "eur", "inr", "pln", "gbp"}) {
        if (currency == known) return currency;
    }
    return "usd";
}

const char* StatusOfPlan(const Plan& plan) {
    return plan.tier == PlanTier::kFree ? "free" : "active";
}

struct Figures {
    std::int64_t used = 0;
    std::int64_t limit = kUnlimited;
    std::int64_t charge_milli = 0;
    std::int64_t reset_unix = 0;
};

Task<Figures> ReadFigures(const Deps& deps, Caller caller) {
    pg::Database& database = DatabaseOf(deps);
    const usage::Time now = Now();
    const usage::Period month = usage::MonthOfTime(now);
    pg::SystemDb system = database.System("the payer's budgets, for the page of one of its teams");
    const TeamId team = caller.team;
    const auto standings =
        co_await limits::ReadStandings(system, caller.billing, team, MonthOf(now));
    Figures out;
    bool is_known = false;
    for (const limits::Standing& standing : standings) {
        if (standing.subject != limits::Subject::kBilling || standing.live != caller.live ||
            standing.metric != limits::Metric::kCharacters) {
            continue;
        }
        out.used = standing.used;
        out.limit = standing.bound.value_or(kUnlimited);
        is_known = true;
    }
    if (!is_known && caller.plan && caller.plan->characters) out.limit = *caller.plan->characters;
    usage::UsageService service(database);
    const usage::Summary summary = co_await service.Summarise(team, month);
    const usage::Sums& sums = caller.live ? summary.live : summary.test;
    if (!is_known) out.used = sums.characters;
    out.charge_milli = sums.charge_milli;
    out.reset_unix = std::chrono::floor<std::chrono::seconds>(month.to.time_since_epoch()).count();
    co_return out;
}

json::object SubscriptionJson(const Caller& caller, const Figures& figures, bool is_whole) {
    static const Plan kNoPlan;
    const Plan& plan = caller.plan ? *caller.plan : kNoPlan;
    const bool is_open = plan.over_character_milli.has_value() && caller.live;
    const std::string currency = CurrencyOf(plan);
    json::object out{
        {"tier", plan.id},
        {"character_count", figures.used},
        {"character_limit", figures.limit},
        {"max_character_limit_extension", nullptr},
        {"max_credit_limit_extension", 0},
        {"can_extend_character_limit", is_open},
        {"allowed_to_extend_character_limit", is_open},
        {"next_character_count_reset_unix", figures.reset_unix},
        {"voice_slots_used", 0},
        {"professional_voice_slots_used", 0},
        {"professional_voice_slots_used_in_workspace", 0},
        {"voice_limit", plan.voices.value_or(0)},
        {"max_voice_add_edits", nullptr},
        {"voice_add_edit_counter", 0},
        {"professional_voice_limit", 0},
        {"can_extend_voice_limit", false},
        {"can_use_instant_voice_cloning", false},
        {"can_use_professional_voice_cloning", false},
        {"currency", currency},
        {"current_overage",
         json::object{{"amount", fmt::format("{}.{:02}", figures.charge_milli / 100'000,
                                             figures.charge_milli / 1'000 % 100)},
                      {"currency", currency}}},
        {"status", StatusOfPlan(plan)},
        {"billing_period", "monthly_period"},
        {"character_refresh_period", "monthly_period"}};
    if (is_whole) {
        out["next_invoice"] = nullptr;
        out["open_invoices"] = json::array();
        out["has_open_invoices"] = false;
        out["pending_change"] = nullptr;
    }
    return out;
}

Task<Response> ShowSubscription(Request& request, const Deps& deps) {
    const Caller caller = request.caller;
    const Figures figures = co_await ReadFigures(deps, caller);
    co_return http::JsonResponse(200, SubscriptionJson(caller, figures, true));
}

std::string UserOf(const Caller& caller) {
    if (caller.account) return caller.account->Wire();
    if (caller.key) return caller.key->Wire();
    return "demo";
}

Task<Response> ShowUser(Request& request, const Deps& deps) {
    const Caller caller = request.caller;
    const Figures figures = co_await ReadFigures(deps, caller);
    const auto created = static_cast<std::int64_t>(caller.team.uuid.UnixMillis() / 1000);
    co_return http::JsonResponse(
        200, json::object{{"user_id", UserOf(caller)},
                          {"workspace_id", caller.team.Wire()},
                          {"subscription", SubscriptionJson(caller, figures, false)},
                          {"is_new_user", false},
                          {"xi_api_key", nullptr},
                          {"xi_api_key_preview", nullptr},
                          {"is_api_key_hashed", true},
                          {"can_use_delayed_payment_methods", false},
                          {"is_onboarding_completed", true},
                          {"is_onboarding_checklist_completed", true},
                          {"first_name", nullptr},
                          {"created_at", created},
                          {"seat_type", "workspace_member"}});
}

Task<Response> ShowStats(Request& request, const Deps& deps) {
    const Result<StatsQuery> query = ReadStatsQuery(request);
    if (!query) co_return ErrorResponse(query.error(), request);
    usage::UsageService service(DatabaseOf(deps));
    json::object body = co_await CharacterStats(service, request.caller.team, *query);
    co_return http::JsonResponse(200, std::move(body));
}

}  // namespace

void AddAccountRoutes(http::Router& router, const Deps& deps) {
    using http::Method;
    const RouteAdder add{router, deps};
    add(Method::kGet, "/v1/user", Scope::kUsageRead, &ShowUser);
    add(Method::kGet, "/v1/user/subscription", Scope::kUsageRead, &ShowSubscription);
    add(Method::kGet, "/v1/usage/character-stats", Scope::kUsageRead, &ShowStats);
}

}  // namespace vf::elevenlabs
