// Spending bounds, and how budgets stand.
#include <fmt/format.h>

#include "limits/limits.hpp"

namespace vf::limits {
namespace {

constexpr std::int64_t kMostMilli = 1'000'000'000'000'000;

// The key must be the team's own: row-level security hides the others.
constexpr pg::Statement kSet{
    "limits_set_spending_bound",
    "INSERT INTO spending_bounds (subject, subject_id, team_id, bound_milli, hard) "
    "SELECT $1, $2, $3, $4, $5 WHERE $1 = 'team' OR EXISTS "
    "(SELECT 1 FROM api_keys WHERE id = $2 AND team_id = $3) "
    "ON CONFLICT (subject, subject_id) DO UPDATE SET bound_milli = EXCLUDED.bound_milli, "
    "hard = EXCLUDED.hard, updated_at = now() WHERE spending_bounds.team_id = $3"};
constexpr pg::Statement kRemove{
    "limits_remove_spending_bound",
    "DELETE FROM spending_bounds WHERE subject = $1 AND subject_id = $2 AND team_id = $3"};
constexpr pg::Statement kRead{
    "limits_read_spending_bounds",
    "SELECT subject, subject_id, bound_milli, hard FROM spending_bounds WHERE team_id = $1 "
    "ORDER BY subject DESC, subject_id LIMIT 1000"};
constexpr pg::Statement kStandings{
    "limits_standings",
    "SELECT subject, subject_id, metric, live, bound, hard, used FROM budgets b "
    "WHERE period = $3 AND ((subject = 'billing' AND subject_id = $1) OR (team_id = $2 AND "
    "bound IS NOT NULL)) ORDER BY subject, subject_id, metric, live LIMIT 1000"};

Subject SubjectOf(std::string_view name) {
    if (name == "team") return Subject::kTeam;
    return name == "key" ? Subject::kKey : Subject::kBilling;
}

Uuid UuidOf(std::string_view text) {
    return Uuid::Parse(text).value_or(Uuid{});
}

}  // namespace

Task<Result<void>> SetSpendingBound(pg::TeamDb team, SpendingBound bound) {
    if (bound.bound_milli < 0 || bound.bound_milli > kMostMilli) {
        co_return Error(
            ErrorKind::kInvalid, "out_of_range",
            fmt::format("A spending bound is 0 to {} thousandths of a minor unit.", kMostMilli));
    }
    // A team may bound itself and its keys only.
    const bool is_team = bound.subject == Subject::kTeam;
    const Uuid subject = is_team ? team.team().uuid : bound.subject_id;
    pg::Params params;
    params.Text(is_team ? "team" : "key").Text(subject.Dashed());
    params.Text(team.team().uuid.Dashed()).Int(bound.bound_milli).Bool(bound.hard);
    const pg::Rows rows = co_await team.Query(kSet, std::move(params));
    if (rows.affected() == 0) {
        co_return Error(ErrorKind::kNotFound, "key_not_found", "The team has no such API key.");
    }
    co_return Result<void>();
}

Task<bool> RemoveSpendingBound(pg::TeamDb team, Subject subject, Uuid subject_id) {
    pg::Params params;
    params.Text(SubjectName(subject)).Text(subject_id.Dashed()).Text(team.team().uuid.Dashed());
    const pg::Rows rows = co_await team.Query(kRemove, std::move(params));
    co_return rows.affected() > 0;
}

Task<std::vector<SpendingBound>> ReadSpendingBounds(pg::TeamDb team) {
    pg::Params params;
    params.Text(team.team().uuid.Dashed());
    const pg::Rows rows = co_await team.Query(kRead, std::move(params));
    std::vector<SpendingBound> bounds;
    for (const pg::Row row : rows) {
        bounds.push_back({SubjectOf(row.Text(0)), UuidOf(row.Text(1)), row.Int(2), row.Bool(3)});
    }
    co_return bounds;
}

Task<std::vector<Standing>> ReadStandings(pg::SystemDb system, BillingAccountId billing,
                                          TeamId team, std::chrono::year_month month) {
    pg::Params params;
    params.Text(billing.uuid.Dashed()).Text(team.uuid.Dashed());
    params.Text(fmt::format("{:04}-{:02}-01", static_cast<int>(month.year()),
                            static_cast<unsigned>(month.month())));
    const pg::Rows rows = co_await system.Query(kStandings, std::move(params));
    std::vector<Standing> standings;
    for (const pg::Row row : rows) {
        Standing standing;
        standing.subject = SubjectOf(row.Text(0));
        standing.subject_id = UuidOf(row.Text(1));
        const std::string_view metric = row.Text(2);
        for (const Metric each :
             {Metric::kRequests, Metric::kCharacters, Metric::kAudioMs, Metric::kSpendMilli}) {
            if (MetricName(each) == metric) standing.metric = each;
        }
        standing.live = row.Bool(3);
        standing.bound = row.MaybeInt(4);
        standing.hard = row.Bool(5);
        standing.used = row.Int(6);
        standings.push_back(standing);
    }
    co_return standings;
}

}  // namespace vf::limits
