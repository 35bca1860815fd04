#include "limits/limits.hpp"

#include <cstring>

#include "limits/core.hpp"

namespace vf::limits {
namespace {

class LocalConcurrency : public Concurrency {
public:
    bool TryTake(TeamId team, std::int64_t bound) override {
        std::int64_t& count = counts_[team.uuid];
        if (count >= bound) {
            if (count == 0) counts_.erase(team.uuid);
            return false;
        }
        ++count;
        return true;
    }
    void Release(TeamId team) override {
        const auto found = counts_.find(team.uuid);
        if (found != counts_.end() && --found->second == 0) counts_.erase(found);
    }

private:
    struct Hash {
        std::size_t operator()(const Uuid& id) const {
            std::size_t value = 0;
            std::memcpy(&value, id.bytes.data() + 8, sizeof value);  // the random half
            return value;
        }
    };
    std::unordered_map<Uuid, std::int64_t, Hash> counts_;  // never 0
};

}  // namespace

std::string_view MetricName(Metric metric) {
    switch (metric) {
        case Metric::kRequests: return "requests";
        case Metric::kCharacters: return "characters";
        case Metric::kAudioMs: return "audio_ms";
        case Metric::kSpendMilli: return "spend_milli";
    }
    return "requests";
}

std::string_view SubjectName(Subject subject) {
    switch (subject) {
        case Subject::kBilling: return "billing";
        case Subject::kTeam: return "team";
        case Subject::kKey: return "key";
    }
    return "billing";
}

std::size_t BudgetNameHash::operator()(const BudgetName& name) const {
    std::size_t value = 0;
    std::memcpy(&value, name.subject_id.bytes.data() + 8, sizeof value);  // the random half
    const std::size_t rest = static_cast<std::size_t>(name.metric) << 3U |
                             static_cast<std::size_t>(name.subject) << 1U |
                             static_cast<std::size_t>(name.live);
    return value ^ (rest * 0x9E3779B97F4A7C15U) ^ static_cast<unsigned>(name.month.month());
}

std::unique_ptr<Concurrency> MakeLocalConcurrency() {
    return std::make_unique<LocalConcurrency>();
}

void DeclareSettings(SettingsSchema& schema, LimitsOptions& options) {
    using std::chrono::milliseconds;
    constexpr std::int64_t kMost = 1'000'000'000'000;
    schema.Duration(
        "limits.lease", options.lease, milliseconds(5'000), milliseconds(3'600'000),
        {"\"60s\"", "How long the budget blocks of a server that has gone silent stay its own."});
    schema.Duration("limits.idle", options.idle, milliseconds(1'000), milliseconds(3'600'000),
                    {"\"30s\"", "After which time without use a budget block is given back."});
    schema.Integer("limits.block_requests", options.block_requests, 1, kMost,
                   {"1000", "The most requests of an allowance that a server takes at once."});
    schema.Integer("limits.block_characters", options.block_characters, 1, kMost,
                   {"500000", "The most characters of an allowance that a server takes at once."});
    schema.Integer(
        "limits.block_audio_ms", options.block_audio_ms, 1, kMost,
        {"3600000", "The most milliseconds of audio of an allowance that a server takes at once."});
    schema.Integer("limits.block_spend_milli", options.block_spend_milli, 1, kMost,
                   {"100000",
                    "The most of a spending bound that a server takes at once, in thousandths of "
                    "a minor unit."});
    schema.Integer("limits.waiting", options.waiting, 1, 1'000'000,
                   {"1024", "How many requests may wait for the same budget block."});
    schema.Integer("limits.budgets", options.budgets, 100, 10'000'000,
                   {"200000", "How many budgets a server remembers."});
}

Core::Core(Executor loop, LimitsOptions options, std::unique_ptr<Concurrency> concurrency,
           Clocks clocks)
    : loop_(loop), options_(options), concurrency_(std::move(concurrency)),
      clocks_(std::move(clocks)) {}

LocalBudget* Core::Find(const BudgetName& name) {
    const auto found = budgets_.find(name);
    return found == budgets_.end() ? nullptr : found->second.get();
}

LocalBudget* Core::FindOrMake(const BudgetName& name) {
    if (LocalBudget* const found = Find(name)) {
        Refresh(*found);
        return found;
    }
    if (budgets_.size() >= static_cast<std::size_t>(options_.budgets)) return nullptr;
    auto made = std::make_unique<LocalBudget>();
    made->name = name;
    made->holding = holding_;
    made->touched = clocks_.steady();
    if (name.metric == Metric::kSpendMilli) {
        // A bound outlives the month; whether there is one need not be waited for.
        BudgetName last = name;
        last.month -= std::chrono::months(1);
        if (const LocalBudget* const before = Find(last)) {
            made->known = before->known;
            made->bound = before->bound;
            made->hard = before->hard;
        }
    }
    return budgets_.emplace(name, std::move(made)).first->second.get();
}

std::chrono::year_month Core::Month() {
    const auto now = clocks_.wall();
    if (now < month_begin_ || now >= month_end_) {
        using std::chrono::sys_days;
        const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(now));
        month_ = today.year() / today.month();
        month_begin_ = sys_days(month_ / std::chrono::day(1));
        month_end_ = sys_days((month_ + std::chrono::months(1)) / std::chrono::day(1));
    }
    return month_;
}

std::int64_t Core::BlockOf(Metric metric) const {
    switch (metric) {
        case Metric::kRequests: return options_.block_requests;
        case Metric::kCharacters: return options_.block_characters;
        case Metric::kAudioMs: return options_.block_audio_ms;
        case Metric::kSpendMilli: return options_.block_spend_milli;
    }
    return 1;
}

void Core::PlanChanged(BillingAccountId billing) {
    for (const Metric metric : {Metric::kRequests, Metric::kCharacters, Metric::kAudioMs}) {
        for (const bool live : {true, false}) {
            const BudgetName name{Subject::kBilling, metric, live, billing.uuid, {}, Month()};
            LocalBudget* const budget = Find(name);
            if (!budget) continue;
            budget->used_up_until = {};
            budget->known_until = {};
            budget->give_back = true;
        }
    }
}

void Core::PlansChanged() {
    for (const auto& [name, budget] : budgets_) {
        if (name.subject != Subject::kBilling) continue;
        budget->used_up_until = {};
        budget->known_until = {};
        budget->give_back = true;
    }
}

void Core::SpendingBoundChanged(Uuid team_or_key) {
    for (const Subject subject : {Subject::kTeam, Subject::kKey}) {
        const BudgetName name{subject, Metric::kSpendMilli, true, team_or_key, {}, Month()};
        LocalBudget* const budget = Find(name);
        if (!budget) continue;
        budget->known = false;
        budget->used_up_until = {};
        budget->give_back = true;
    }
}

std::size_t Core::leases() const {
    std::size_t count = 0;
    for (const auto& [name, budget] : budgets_) count += budget->leased ? 1 : 0;
    return count;
}

Permit::Permit() = default;
Permit::Permit(std::unique_ptr<Grip> grip) : grip_(std::move(grip)) {}
Permit::Permit(Permit&& other) noexcept = default;

Permit& Permit::operator=(Permit&& other) noexcept {
    if (this == &other) return *this;
    GiveBack();
    grip_ = std::move(other.grip_);
    return *this;
}

Permit::~Permit() {
    GiveBack();
}

void Permit::GiveBack() {
    if (grip_ && !grip_->settled_charge) grip_->core->GiveBack(*grip_);
    grip_.reset();
}

std::int64_t Permit::charge_milli() const {
    if (!grip_) return 0;
    if (grip_->settled_charge) return *grip_->settled_charge;
    return grip_->Charge(grip_->ask.characters, grip_->ask.audio_ms_estimate);
}

std::int64_t Permit::charge_milli(std::int64_t characters, std::int64_t audio_ms) const {
    return grip_ ? grip_->Charge(characters, audio_ms) : 0;
}

void Permit::Settle(std::int64_t characters, std::int64_t audio_ms) {
    if (!grip_ || grip_->settled_charge) return;
    grip_->core->Settle(*grip_, characters, audio_ms);
}

Limits::Limits(asio::io_context& loop, LimitsOptions options,
               std::unique_ptr<Concurrency> concurrency, Clocks clocks)
    : core_(std::make_shared<Core>(loop.get_executor(), options, std::move(concurrency),
                                   std::move(clocks))) {}

Limits::~Limits() {
    core_->Close();
}

void Limits::Start(pg::Database& database, NodeId node) {
    core_->Start(database, node);
}

Task<void> Limits::Stop(std::chrono::milliseconds timeout) {
    return Core::Stop(core_, timeout);
}

std::optional<Result<Permit>> Limits::TryAdmit(const Caller& caller, const Ask& ask) {
    return core_->Try(caller, ask).answer;
}

Task<Result<Permit>> Limits::Admit(Caller caller, Ask ask) {
    return Core::Admit(core_, std::move(caller), ask);
}

void Limits::PlanChanged(BillingAccountId billing) {
    core_->PlanChanged(billing);
}

void Limits::PlansChanged() {
    core_->PlansChanged();
}

void Limits::SpendingBoundChanged(Uuid team_or_key) {
    core_->SpendingBoundChanged(team_or_key);
}

Task<void> Limits::TendNow() {
    return Core::Tend(core_);
}

std::size_t Limits::leases() const {
    return core_->leases();
}

}  // namespace vf::limits
