// The settings, the cache of compiled versions, and what speech asks for.

#include "dictionaries/dictionaries_core.hpp"

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/unavailable.hpp"
#include "dictionaries/dictionaries_rules.hpp"

namespace vf::dictionaries {
namespace {

// Entries of the small caches; a full one starts anew.
constexpr std::size_t kMaxRemembered = 10'000;

std::int64_t WeightOf(const Lexicon& lexicon) {
    return static_cast<std::int64_t>(lexicon->rules().size()) + 1;
}

}  // namespace

void DeclareSettings(SettingsSchema& schema, DictionaryOptions& options) {
    schema.Integer("dictionaries.per_team", options.per_team, 1, 100'000,
                   {"500", "How many pronunciation dictionaries a team may have."});
    schema.Integer("dictionaries.versions", options.versions, 1, 1'000'000,
                   {"100", "How many versions of one dictionary are kept; then it cannot change."});
    schema.Integer("dictionaries.cached_rules", options.cached_rules, 1'000, 100'000'000,
                   {"1000000", "How many rules are kept ready to be used, of all dictionaries."});
}

Error DictionaryNotFound() {
    return {ErrorKind::kNotFound, "dictionary_not_found",
            "There is no pronunciation dictionary with this id."};
}

Error VersionNotFound() {
    return {ErrorKind::kNotFound, "dictionary_version_not_found",
            "The pronunciation dictionary has no version with this id."};
}

Error TooManyNamed() {
    return {
        ErrorKind::kInvalid, "too_many_dictionaries",
        fmt::format("At most {} pronunciation dictionaries can be used at once.", kMaxDefaults)};
}

pg::TeamDb Core::Team(TeamId team) const {
    if (!database) {
        throw UnavailableException(DatabaseNotUp());
    }
    return database->Team(team);
}

Lexicon Core::Kept(TeamId team, DictionaryId dictionary, VersionId version) {
    const auto found = by_version.find(version);
    if (found == by_version.end()) return nullptr;
    if (found->second->team != team || found->second->dictionary != dictionary) return nullptr;
    compiled.splice(compiled.begin(), compiled, found->second);
    return found->second->lexicon;
}

void Core::Keep(Compiled one) {
    if (by_version.contains(one.version)) return;
    weight += WeightOf(one.lexicon);
    compiled.push_front(std::move(one));
    by_version[compiled.front().version] = compiled.begin();
    while (weight > options.cached_rules && compiled.size() > 1) {
        weight -= WeightOf(compiled.back().lexicon);
        by_version.erase(compiled.back().version);
        compiled.pop_back();
    }
}

void Core::Forget(TeamId team, DictionaryId dictionary) {
    latest.erase({team, dictionary});
    defaults.erase(team);
}

Task<Lexicon> LoadVersion(Core& core, TeamId team, DictionaryId dictionary, VersionId version) {
    if (Lexicon kept = core.Kept(team, dictionary, version)) co_return kept;
    pg::TeamDb db = core.Team(team);
    std::optional<store::VersionRules> found = co_await store::LoadVersion(db, dictionary, version);
    if (!found) co_return nullptr;
    auto compile = [rules = std::move(found->rules)] {
        return text::Lexicon::Make(StoredRules(rules));
    };
    Result<Lexicon> made = co_await Offload(core.threads, std::move(compile));
    if (!made) {
        log::Error("dictionary_unusable",
                   {{"version", version.Wire()}, {"code", made.error().code()}});
        co_return nullptr;
    }
    Core::Compiled compiled{team, dictionary, version, *made};
    core.Keep(std::move(compiled));
    co_return *std::move(made);
}

Dictionaries::Dictionaries(asio::io_context& loop, asio::thread_pool& threads,
                           DictionaryOptions options)
    : core_(std::make_unique<Core>(loop, threads, options)) {}

Dictionaries::~Dictionaries() = default;

void Dictionaries::Start(std::shared_ptr<pg::Database> database) {
    core_->database = std::move(database);
}

void Dictionaries::Stop() {
    core_->database.reset();
}

Task<Result<Lexicon>> Dictionaries::Load(TeamId team, Locator locator) {
    const auto now = std::chrono::steady_clock::now();
    VersionId version;
    if (locator.version) {
        version = *locator.version;
    } else {
        const auto key = std::make_pair(team, locator.dictionary);
        const auto known = core_->latest.find(key);
        if (known != core_->latest.end() && now < known->second.until) {
            version = known->second.version;
        } else {
            pg::TeamDb db = core_->Team(team);
            const std::optional<VersionId> latest = co_await store::Latest(db, locator.dictionary);
            if (!latest) co_return DictionaryNotFound();
            version = *latest;
            if (core_->latest.size() >= kMaxRemembered) core_->latest.clear();
            core_->latest[key] = {version, now + core_->options.latest_for};
        }
    }
    Lexicon lexicon = co_await LoadVersion(*core_, team, locator.dictionary, version);
    if (!lexicon && locator.version) {
        const Result<Dictionary> dictionary = co_await Find(team, locator.dictionary);
        if (dictionary) co_return VersionNotFound();
    }
    if (!lexicon) co_return DictionaryNotFound();
    co_return lexicon;
}

Task<Result<std::vector<Lexicon>>> Dictionaries::LoadAll(TeamId team,
                                                         std::vector<Locator> locators) {
    if (locators.size() > kMaxDefaults) co_return TooManyNamed();
    std::vector<Lexicon> out;
    for (const Locator& locator : locators) {
        const Locator one = locator;
        Result<Lexicon> lexicon = co_await Load(team, one);
        if (!lexicon) co_return std::move(lexicon).error();
        out.push_back(*std::move(lexicon));
    }
    co_return out;
}

Task<Lexicon> Dictionaries::LoadByName(TeamId team, std::string name) {
    pg::TeamDb db = core_->Team(team);
    const std::optional<store::Place> place = co_await store::LatestByName(db, std::move(name));
    if (!place) co_return nullptr;
    co_return co_await LoadVersion(*core_, team, place->dictionary, place->latest);
}

std::optional<std::vector<Lexicon>> Dictionaries::TryLoadDefaults(TeamId team) {
    const auto known = core_->defaults.find(team);
    if (known == core_->defaults.end()) return std::nullopt;
    if (std::chrono::steady_clock::now() >= known->second.until) return std::nullopt;
    return known->second.lexicons;
}

Task<std::vector<Lexicon>> Dictionaries::LoadDefaults(TeamId team) {
    std::optional<std::vector<Lexicon>> known = TryLoadDefaults(team);
    if (known) co_return *std::move(known);
    std::vector<Lexicon> lexicons;
    bool is_known = false;
    try {
        pg::TeamDb db = core_->Team(team);
        const std::vector<store::Place> places = co_await store::Defaults(db);
        for (const store::Place& place : places) {
            Lexicon one = co_await LoadVersion(*core_, team, place.dictionary, place.latest);
            if (one) lexicons.push_back(std::move(one));
        }
        is_known = true;
    } catch (const UnavailableException& e) {
        log::Warning("dictionaries_unavailable", {{"code", e.error.code()}});
    } catch (const std::exception& e) {
        log::Error("dictionaries_unavailable", {{"error", e.what()}});
    }
    if (core_->defaults.size() >= kMaxRemembered) core_->defaults.clear();
    Core::DefaultsEntry& entry = core_->defaults[team];
    if (is_known) entry.lexicons = std::move(lexicons);
    entry.until = std::chrono::steady_clock::now() + core_->options.latest_for;
    co_return entry.lexicons;
}

}  // namespace vf::dictionaries
