#include "limits/ledger_store.hpp"

#include <fmt/format.h>

#include <charconv>

namespace vf::limits {
namespace {

// These cross teams: a batch has rows of many.
constexpr pg::Statement kIngest{
    "limits_ingest",
    "SELECT budget, subject, subject_id, team, metric, to_char(period, 'YYYY-MM'), live, bound, "
    "used, level FROM vf_budget_ingest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], "
    "$6::date[], $7::boolean[], $8::uuid[], $9::bigint[])"};
constexpr pg::Statement kTeamsOfBilling{
    "limits_teams_of_billing",
    "SELECT id FROM teams WHERE billing_account_id = $1 AND deleted_at IS NULL ORDER BY id "
    "LIMIT 10000"};
constexpr pg::Statement kTeamExists{"limits_team_exists",
                                    "SELECT id FROM teams WHERE id = $1 AND deleted_at IS NULL"};

// An array literal of values that need no quotes: ids, numbers, words of ours.
class Array {
public:
    void Add(std::string_view value) {
        text_ += text_.empty() ? '{' : ',';
        text_ += value;
    }
    std::string Literal() const { return text_.empty() ? "{}" : text_ + "}"; }

private:
    std::string text_;
};

Metric MetricOf(std::string_view name) {
    for (const Metric metric : {Metric::kCharacters, Metric::kAudioMs, Metric::kSpendMilli}) {
        if (MetricName(metric) == name) return metric;
    }
    return Metric::kRequests;
}

Subject SubjectOf(std::string_view name) {
    if (name == "team") return Subject::kTeam;
    return name == "key" ? Subject::kKey : Subject::kBilling;
}

// "2026-11"
std::chrono::year_month MonthOf(std::string_view text) {
    int year = 0;
    unsigned month = 0;
    std::from_chars(text.data(), text.data() + 4, year);
    std::from_chars(text.data() + 5, text.data() + 7, month);
    return std::chrono::year(year) / std::chrono::month(month);
}

pg::Params ParamsOf(const std::vector<Movement>& movements) {
    Array ids, subjects, subject_ids, teams, metrics, periods, lives, nodes, units;
    for (const Movement& movement : movements) {
        const BudgetName& name = movement.name;
        ids.Add(BudgetId::New().uuid.Dashed());
        subjects.Add(SubjectName(name.subject));
        subject_ids.Add(name.subject_id.Dashed());
        teams.Add(name.subject == Subject::kBilling ? "NULL" : name.team.uuid.Dashed());
        metrics.Add(MetricName(name.metric));
        periods.Add(fmt::format("{:04}-{:02}-01", static_cast<int>(name.month.year()),
                                static_cast<unsigned>(name.month.month())));
        lives.Add(name.live ? "t" : "f");
        nodes.Add(movement.node.uuid.Dashed());
        units.Add(fmt::format("{}", movement.units));
    }
    pg::Params params;
    for (const Array* array :
         {&ids, &subjects, &subject_ids, &teams, &metrics, &periods, &lives, &nodes, &units}) {
        params.Text(array->Literal());
    }
    return params;
}

Alert AlertOf(const pg::Row& row) {
    Alert alert;
    alert.budget_id = row.Text(0);
    alert.name.subject = SubjectOf(row.Text(1));
    alert.name.subject_id = Uuid::Parse(row.Text(2)).value_or(Uuid{});
    if (!row.IsNull(3)) alert.name.team.uuid = Uuid::Parse(row.Text(3)).value_or(Uuid{});
    alert.name.metric = MetricOf(row.Text(4));
    alert.name.month = MonthOf(row.Text(5));
    alert.name.live = row.Bool(6);
    alert.bound = row.Int(7);
    alert.used = row.Int(8);
    alert.percent = row.Int(9);
    return alert;
}

}  // namespace

Task<std::vector<Alert>> MoveUsed(pg::SystemTransaction& transaction,
                                  const std::vector<Movement>& movements) {
    pg::Params params = ParamsOf(movements);
    const pg::Rows rows = co_await transaction.Query(kIngest, std::move(params));
    std::vector<Alert> alerts;
    for (const pg::Row row : rows) alerts.push_back(AlertOf(row));
    co_return alerts;
}

Task<std::vector<TeamId>> TeamsToAlert(pg::SystemTransaction& transaction, const BudgetName& name) {
    const bool is_billing = name.subject == Subject::kBilling;
    pg::Params params;
    params.Text(is_billing ? name.subject_id.Dashed() : name.team.uuid.Dashed());
    const pg::Statement statement = is_billing ? kTeamsOfBilling : kTeamExists;
    const pg::Rows rows = co_await transaction.Query(statement, std::move(params));
    std::vector<TeamId> teams;
    for (const pg::Row row : rows) {
        if (const auto id = Uuid::Parse(row.Text(0))) teams.push_back(TeamId{*id});
    }
    co_return teams;
}

}  // namespace vf::limits
