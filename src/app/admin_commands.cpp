#include "app/admin_commands.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "app/database_setup.hpp"
#include "base/json.hpp"
#include "identity/key_store.hpp"
#include "identity/team_store.hpp"
#include "limits/limits.hpp"
#include "pg/data_dir_lock.hpp"
#include "pg/private_cluster.hpp"
#include "plans/plans.hpp"

namespace vf::app {
namespace {

using Verb = AdminRequest::Verb;
namespace key_store = identity::key_store;
namespace team_store = identity::team_store;

// All that an API key usually is for; administration has to be asked for by name.
Scopes UsualScopes() {
    Scopes scopes = Scopes::All();
    scopes.Remove(Scope::kAdminRead);
    scopes.Remove(Scope::kAdminWrite);
    return scopes;
}

// The owner's url: as configured, of a server that runs on the data folder, or of the private
// database, started for as long as this lives.
class OwnerUrl {
public:
    Result<std::string> Find(const AppSettings& settings) {
        if (!settings.pool.url.empty()) return settings.pool.url;
        Result<pg::DataDirLock> lock = pg::DataDirLock::Acquire(settings.data_dir);
        if (!lock) {
            const auto running = pg::PrivateCluster::UrlOfRunning(settings.data_dir);
            if (running) return *running;
            return std::move(lock).error();
        }
        lock_ = std::make_unique<pg::DataDirLock>(*std::move(lock));
        auto started = pg::PrivateCluster::Start(*lock_, settings.cluster);
        if (!started) return std::move(started).error();
        cluster_ = *std::move(started);
        return cluster_->url();
    }

private:
    std::unique_ptr<pg::DataDirLock> lock_;
    std::unique_ptr<pg::PrivateCluster> cluster_;
};

Error NotFound(const char* code, std::string message) {
    return Error(ErrorKind::kNotFound, code, std::move(message));
}

Task<Result<identity::TeamRow>> FindTeam(pg::SystemDb db, std::string text) {
    if (const auto id = TeamId::Parse(text)) {
        std::optional<identity::TeamRow> team = co_await team_store::Find(db, *id);
        if (!team) co_return NotFound("team_not_found", "There is no team " + text + ".");
        co_return *std::move(team);
    }
    std::optional<std::string> name = text;
    std::vector<identity::TeamRow> named = co_await team_store::List(db, std::move(name));
    if (named.size() == 1) co_return std::move(named.front());
    if (named.empty()) {
        co_return NotFound("team_not_found",
                           "There is no team \"" + text + "\". `voiceflowd admin list` shows all.");
    }
    co_return Error(ErrorKind::kConflict, "team_ambiguous",
                    fmt::format("{} teams are called \"{}\"; say its id.", named.size(), text));
}

json::object TeamJson(const identity::TeamRow& team) {
    return {{"id", team.id.Wire()}, {"name", team.name},
            {"plan", team.plan},    {"billing_account", team.billing.Wire()},
            {"keys", team.keys},    {"created_at", team.created_at}};
}

json::value OrNull(const std::optional<std::string>& text) {
    return text ? json::value(*text) : json::value(nullptr);
}

json::object KeyJson(const identity::KeyRow& key) {
    json::array scopes;
    for (std::size_t i = 0; i < kScopeCount; ++i) {
        const auto scope = static_cast<Scope>(i);
        if (key.scopes.Has(scope)) scopes.push_back(json::value(ScopeName(scope)));
    }
    return {{"id", key.id.Wire()},
            {"team", key.team.Wire()},
            {"name", key.name},
            {"prefix", key.prefix},
            {"live", key.live},
            {"scopes", std::move(scopes)},
            {"created_at", key.created_at},
            {"expires_at", OrNull(key.expires_at)},
            {"revoked_at", OrNull(key.revoked_at)},
            {"last_used_at", OrNull(key.last_used_at)},
            {"requests", key.requests}};
}

void PrintJson(const json::value& value) {
    fmt::print("{}\n", json::Print(value));
}

Task<Result<void>> CreateTeam(pg::SystemDb db, const AdminRequest& request) {
    plans::PlanStore plan_store(db);
    const std::shared_ptr<const Plan> plan = co_await plan_store.Find(request.plan);
    if (!plan) {
        co_return NotFound("plan_not_found", "There is no plan \"" + request.plan +
                                                 "\". `voiceflowd admin list-plans` shows all.");
    }
    if (request.name.empty() || request.name.size() > 200) {
        co_return Error(ErrorKind::kInvalid, "invalid_name", "A name has 1 to 200 characters.");
    }
    const identity::TeamRow team = co_await team_store::Insert(db, request.name, request.plan);
    if (request.json) {
        PrintJson(TeamJson(team));
    } else {
        fmt::print("made team {} \"{}\" on the plan {}\n", team.id.Wire(), team.name, team.plan);
    }
    co_return Result<void>();
}

Result<Scopes> ReadScopes(const std::vector<std::string>& names) {
    if (names.empty()) return UsualScopes();
    Scopes scopes;
    for (const std::string& name : names) {
        const std::optional<Scope> scope = ParseScope(name);
        if (scope) {
            scopes.Add(*scope);
            continue;
        }
        std::string known;
        for (std::size_t i = 0; i < kScopeCount; ++i) {
            known += (i == 0 ? "" : ", ") + std::string(ScopeName(static_cast<Scope>(i)));
        }
        return Error(ErrorKind::kInvalid, "unknown_scope",
                     "\"" + name + "\" is not a scope; there are " + known + ".");
    }
    return scopes;
}

Task<Result<void>> CreateKey(pg::Database* database, const AdminRequest& request) {
    const Result<Scopes> scopes = ReadScopes(request.scopes);
    if (!scopes) co_return scopes.error();
    pg::SystemDb system = database->System("an operator names a team");
    const Result<identity::TeamRow> team = co_await FindTeam(system, request.team);
    if (!team) co_return team.error();
    const identity::KeySecret secret = identity::MakeKeySecret(!request.test);
    identity::NewKeyRow row;
    row.id = KeyId::New();
    row.name = request.name.empty() ? "made by an operator" : request.name;
    row.prefix = secret.prefix;
    row.hash = identity::HashOfKey(secret.text);
    row.live = !request.test;
    row.scopes = *scopes;
    if (request.expires_in_days > 0) row.expires_in_days = request.expires_in_days;
    const KeyId id = row.id;
    pg::TeamDb own = database->Team(team->id);
    co_await key_store::Insert(own, std::move(row));
    if (request.json) {
        PrintJson(json::object{{"id", id.Wire()}, {"team", team->id.Wire()}, {"key", secret.text}});
    } else {
        fmt::print("{}\n", secret.text);
        fmt::print(stderr, "made {} for team \"{}\"; the key is shown this once\n", id.Wire(),
                   team->name);
    }
    co_return Result<void>();
}

Task<Result<void>> RevokeKey(pg::Database* database, const AdminRequest& request) {
    pg::SystemDb system = database->System("an operator names a key");
    std::optional<KeyId> id = KeyId::Parse(request.key);
    if (!id && identity::FormOfKey(request.key) == identity::KeyForm::kWellFormed) {
        const identity::KeyHash hash = identity::HashOfKey(request.key);
        const std::optional<identity::KnownKey> known =
            co_await key_store::FindByHash(system, hash);
        if (known) id = known->id;
    }
    const Error missing = NotFound("key_not_found", "There is no such key that is still in force.");
    if (!id) co_return missing;
    const std::optional<TeamId> team = co_await team_store::TeamOfKey(system, *id);
    if (!team) co_return missing;
    pg::TeamDb own = database->Team(*team);
    const bool revoked = co_await key_store::Revoke(own, *id);
    if (!revoked) co_return missing;
    if (request.json) {
        PrintJson(json::object{{"id", id->Wire()}, {"revoked", true}});
    } else {
        fmt::print("revoked {}\n", id->Wire());
    }
    co_return Result<void>();
}

Task<Result<void>> SetPlan(pg::SystemDb db, const AdminRequest& request) {
    const Result<identity::TeamRow> team = co_await FindTeam(db, request.team);
    if (!team) co_return team.error();
    plans::PlanStore plan_store(db);
    const std::shared_ptr<const Plan> plan = co_await plan_store.Find(request.plan);
    if (!plan) {
        co_return NotFound("plan_not_found", "There is no plan \"" + request.plan +
                                                 "\". `voiceflowd admin list-plans` shows all.");
    }
    co_await team_store::SetPlan(db, team->id, request.plan);
    if (request.json) {
        PrintJson(json::object{{"id", team->id.Wire()}, {"plan", request.plan}});
    } else {
        fmt::print("team \"{}\" is on the plan {}\n", team->name, request.plan);
    }
    co_return Result<void>();
}

Task<Result<void>> ListTeams(pg::SystemDb db, const AdminRequest& request) {
    const std::vector<identity::TeamRow> teams = co_await team_store::List(db, std::nullopt);
    json::array rows;
    for (const identity::TeamRow& team : teams) {
        if (request.json) {
            rows.push_back(TeamJson(team));
        } else {
            fmt::print("{}  {:<12} {:>3} keys  {}  {}\n", team.id.Wire(), team.plan, team.keys,
                       team.created_at, team.name);
        }
    }
    if (request.json) PrintJson(rows);
    co_return Result<void>();
}

Task<Result<void>> ListKeys(pg::Database* database, const AdminRequest& request) {
    pg::SystemDb system = database->System("an operator names a team");
    const Result<identity::TeamRow> team = co_await FindTeam(system, request.team);
    if (!team) co_return team.error();
    pg::TeamDb own = database->Team(team->id);
    const std::vector<identity::KeyRow> keys = co_await key_store::List(own);
    json::array rows;
    for (const identity::KeyRow& key : keys) {
        if (request.json) {
            rows.push_back(KeyJson(key));
            continue;
        }
        const std::string state = key.revoked_at   ? "revoked " + *key.revoked_at
                                  : key.expires_at ? "ends " + *key.expires_at
                                                   : "in force";
        fmt::print("{}  {}…  {:<32}  {:>8} requests  {}\n", key.id.Wire(), key.prefix, state,
                   key.requests, key.name);
    }
    if (request.json) PrintJson(rows);
    co_return Result<void>();
}

json::value OrNull(const std::optional<std::int64_t>& number) {
    return number ? json::value(*number) : json::value(nullptr);
}

json::object PlanJson(const plans::OfferedPlan& offer) {
    const Plan& plan = *offer.plan;
    return {{"id", plan.id},
            {"name", plan.name},
            {"catalogue", offer.catalogue},
            {"offered", offer.offered},
            {"tier", plans::TierName(plan.tier)},
            {"price_minor", plan.price_minor},
            {"currency", plan.currency},
            {"requests", OrNull(plan.requests)},
            {"characters", OrNull(plan.characters)},
            {"audio_ms", OrNull(plan.audio_ms)},
            {"over_request_milli", OrNull(plan.over_request_milli)},
            {"over_character_milli", OrNull(plan.over_character_milli)},
            {"over_audio_second_milli", OrNull(plan.over_audio_second_milli)},
            {"concurrency", OrNull(plan.concurrency)},
            {"text_characters", OrNull(plan.text_characters)},
            {"voices", OrNull(plan.voices)},
            {"deployments", OrNull(plan.deployments)},
            {"storage_bytes", OrNull(plan.storage_bytes)},
            {"quality", plan.quality}};
}

Task<Result<void>> LoadPlans(pg::SystemDb db, const AdminRequest& request) {
    const std::filesystem::path file = request.file;
    Result<std::vector<Plan>> plans = plans::LoadCatalogue(file);
    if (!plans) co_return plans.error();
    const std::size_t count = plans->size();
    plans::PlanStore store(db);
    std::string catalogue = file.stem().string();
    const Result<void> put = co_await store.Put(std::move(catalogue), *std::move(plans));
    if (!put) co_return put.error();
    if (request.json) {
        PrintJson(json::object{{"catalogue", file.stem().string()}, {"plans", count}});
    } else {
        fmt::print("loaded {} plans of the catalogue {}\n", count, file.stem().string());
    }
    co_return Result<void>();
}

Task<Result<void>> ListPlans(pg::SystemDb db, const AdminRequest& request) {
    plans::PlanStore store(db);
    const std::vector<plans::OfferedPlan> offers = co_await store.List();
    json::array rows;
    for (const plans::OfferedPlan& offer : offers) {
        const Plan& plan = *offer.plan;
        if (request.json) {
            rows.push_back(PlanJson(offer));
        } else {
            fmt::print("{:<20} {:<14} {:>8}.{:02} {}  {}{}\n", plan.id, offer.catalogue,
                       plan.price_minor / 100, plan.price_minor % 100, plan.currency, plan.name,
                       offer.offered ? "" : " (not offered)");
        }
    }
    if (request.json) PrintJson(rows);
    co_return Result<void>();
}

Task<Result<void>> SetSpendingBound(pg::Database* database, const AdminRequest& request) {
    pg::SystemDb system = database->System("an operator names a team or a key");
    limits::SpendingBound bound;
    bound.bound_milli = request.amount_minor * 1000;
    bound.hard = !request.soft;
    std::optional<TeamId> owner;
    if (const auto key = KeyId::Parse(request.team)) {
        bound.subject = limits::Subject::kKey;
        bound.subject_id = key->uuid;
        owner = co_await team_store::TeamOfKey(system, *key);
        if (!owner) co_return NotFound("key_not_found", "There is no key " + request.team + ".");
    } else {
        const Result<identity::TeamRow> team = co_await FindTeam(system, request.team);
        if (!team) co_return team.error();
        bound.subject_id = team->id.uuid;
        owner = team->id;
    }
    pg::TeamDb own = database->Team(*owner);
    const Result<void> set = co_await limits::SetSpendingBound(own, bound);
    if (!set) co_return set.error();
    if (request.json) {
        PrintJson(json::object{{"subject", request.team}, {"bound_minor", request.amount_minor}});
    } else {
        fmt::print("{} may spend {}.{:02} a month beyond its plan\n", request.team,
                   request.amount_minor / 100, request.amount_minor % 100);
    }
    co_return Result<void>();
}

Task<Result<void>> Run(pg::Database* database, const AdminRequest& request) {
    pg::SystemDb system = database->System("an operator's command");
    switch (request.verb) {
        case Verb::kCreateTeam: co_return co_await CreateTeam(system, request);
        case Verb::kCreateKey: co_return co_await CreateKey(database, request);
        case Verb::kRevokeKey: co_return co_await RevokeKey(database, request);
        case Verb::kSetPlan: co_return co_await SetPlan(system, request);
        case Verb::kList: break;
        case Verb::kLoadPlans: co_return co_await LoadPlans(system, request);
        case Verb::kListPlans: co_return co_await ListPlans(system, request);
        case Verb::kSetSpendingBound: co_return co_await SetSpendingBound(database, request);
        case Verb::kRotateKey: co_return Result<void>();
    }
    if (request.team.empty()) co_return co_await ListTeams(system, request);
    co_return co_await ListKeys(database, request);
}

// A coroutine that always closes the pools, so that the loop ends.
Task<Result<void>> RunAndClose(pg::Database* database, const AdminRequest* request) {
    Result<void> outcome;
    try {
        outcome = co_await EnsurePlans(*database, FindInstallPaths());
        if (outcome) outcome = co_await Run(database, *request);
    } catch (const std::exception& e) {
        outcome = Error(ErrorKind::kInternal, "admin_failed", e.what());
    }
    database->Close();
    co_return outcome;
}

Result<void> RunOnDatabase(const AppSettings& settings, const AdminRequest& request) {
    OwnerUrl owner;
    const Result<std::string> url = owner.Find(settings);
    if (!url) return url.error();
    const auto keyring = secrets::Keyring::LoadOrMake(KeyFile(settings));
    if (!keyring) return keyring.error();
    const Result<PreparedDatabase> prepared = PrepareDatabase(settings, *url, **keyring);
    if (!prepared) return prepared.error();
    asio::io_context loop;
    const std::shared_ptr<pg::Database> database = OpenDatabase(loop, settings, prepared->urls);
    return RunTask(loop, RunAndClose(database.get(), &request));
}

}  // namespace

int RunAdmin(const AppSettings& settings, const AdminRequest& request) {
    Result<void> outcome;
    if (request.verb == Verb::kRotateKey) {
        outcome = secrets::Keyring::Rotate(KeyFile(settings));
        if (outcome) {
            fmt::print("added a key to {}; restart the server to use it\n",
                       KeyFile(settings).string());
        }
    } else {
        outcome = RunOnDatabase(settings, request);
    }
    if (outcome) return 0;
    fmt::print(stderr, "voiceflowd: {}\n", outcome.error().message());
    return 1;
}

}  // namespace vf::app
