#pragma once
// Pronunciation dictionaries of a team: named, in versions that never change once made. A change
// of the rules makes a new version; who asks for a dictionary gets its latest one, who asks for a
// version gets what it held on the first day.
//
// Speech asks on every request, so that compiled versions are kept (a bounded cache, by use; a
// version cannot go out of date) and the way from a dictionary to its latest version is believed
// for `latest_for`. On the loop; rules are compiled on other threads. Until Start() every call
// throws UnavailableException.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/caller.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/settings.hpp"
#include "base/task.hpp"
#include "text/lexicon.hpp"

namespace vf::pg {
class Database;
}

namespace vf::dictionaries {

struct DictionaryTag {
    static constexpr std::string_view kPrefix = "dict";
};
struct VersionTag {
    static constexpr std::string_view kPrefix = "dver";
};
using DictionaryId = Id<DictionaryTag>;
using VersionId = Id<VersionTag>;

using Rules = std::vector<text::LexiconRule>;
using Lexicon = std::shared_ptr<const text::Lexicon>;
using Clock = std::chrono::system_clock;

inline constexpr std::size_t kMaxName = 200;          // characters
inline constexpr std::size_t kMaxDescription = 2000;  // characters
inline constexpr std::size_t kMaxDefaults = 3;        // dictionaries of a team, and of a request

struct DictionaryOptions {
    std::int64_t per_team = 200;          // dictionaries, archived ones too
    std::int64_t versions = 1'000;        // of one dictionary
    std::int64_t cached_rules = 200'000;  // in the versions that are kept compiled
    // Not settings.
    std::chrono::milliseconds latest_for{900};
};
void DeclareSettings(SettingsSchema& schema, DictionaryOptions& options);  // section "dictionaries"

struct Dictionary {
    DictionaryId id;
    std::string name;  // unique in the team among those that are not archived
    std::string description;
    VersionId latest;
    std::int64_t latest_number = 0;  // versions count from 1
    std::int64_t rules = 0;          // of the latest version
    std::string created_by;          // wire id of a key or an account, or "demo"
    Clock::time_point created_at;
    std::optional<Clock::time_point> archived_at;
};

struct Version {
    VersionId id;
    DictionaryId dictionary;
    std::int64_t number = 0;
    std::int64_t rules = 0;
    std::string created_by;
    Clock::time_point created_at;
};

struct DictionaryPage {
    std::vector<Dictionary> dictionaries;  // newest first
    std::optional<DictionaryId> next;
};
struct VersionPage {
    std::vector<Version> versions;  // newest first
    std::optional<VersionId> next;
};

struct NewDictionary {
    std::string name;
    std::string description;
    Rules rules;  // may be empty
};

// What is to be different; what has no value stays.
struct DictionaryChange {
    std::optional<std::string> name;
    std::optional<std::string> description;
    std::optional<bool> archived;
};

// A dictionary as a request names it; without a version: the latest.
struct Locator {
    DictionaryId dictionary;
    std::optional<VersionId> version;
};

// Changes of rules are made from the latest version, whoever else changes it at the same time.
using ChangeRules = std::function<Result<Rules>(Rules)>;

struct Core;

class Dictionaries {
public:
    // `threads` compile; both must outlive it.
    Dictionaries(asio::io_context& loop, asio::thread_pool& threads, DictionaryOptions options);
    ~Dictionaries();
    Dictionaries(const Dictionaries&) = delete;
    Dictionaries& operator=(const Dictionaries&) = delete;

    void Start(std::shared_ptr<pg::Database> database);  // migrated
    void Stop();

    // Errors: kInvalid invalid_name, invalid_description, those of text::Lexicon::Make; kConflict
    // dictionary_exists (a name that is in use), too_many_dictionaries. Events
    // "dictionary.created", "dictionary.updated" (name, description, archived or a new version),
    // "dictionary.deleted".
    Task<Result<Dictionary>> Create(Caller caller, NewDictionary dictionary);
    // kNotFound "dictionary_not_found", as everywhere below, also for another team's.
    Task<Result<Dictionary>> Find(TeamId team, DictionaryId id);
    // `limit` 1 to 100; `after`: DictionaryPage::next of the page before.
    Task<DictionaryPage> List(TeamId team, bool with_archived, std::optional<DictionaryId> after,
                              std::int64_t limit);
    Task<Result<Dictionary>> Change(Caller caller, DictionaryId id, DictionaryChange change);
    // A new version, unless the rules stay as they are. kConflict too_many_versions; what `change`
    // returns.
    Task<Result<Dictionary>> SetRules(Caller caller, DictionaryId id, ChangeRules change);
    // With all versions, and out of the defaults.
    Task<Result<void>> Delete(Caller caller, DictionaryId id);

    Task<Result<VersionPage>> Versions(TeamId team, DictionaryId id, std::optional<VersionId> after,
                                       std::int64_t limit);
    // kNotFound "dictionary_version_not_found".
    Task<Result<Version>> FindVersion(TeamId team, DictionaryId id, VersionId version);
    // The rules of a version, or of the latest one.
    Task<Result<Lexicon>> Load(TeamId team, Locator locator);
    // Several, in order; at most kMaxDefaults: kInvalid "too_many_dictionaries".
    Task<Result<std::vector<Lexicon>>> LoadAll(TeamId team, std::vector<Locator> locators);
    // By name, of those that are not archived: what SSML's <lexicon> asks for. Null: there is none.
    Task<Lexicon> LoadByName(TeamId team, std::string name);

    // What a team's requests use that name no dictionary.
    Task<std::vector<DictionaryId>> Defaults(TeamId team);
    // kInvalid too_many_dictionaries, kNotFound dictionary_not_found.
    Task<Result<void>> SetDefaults(Caller caller, std::vector<DictionaryId> ids);
    // Compiled, without waiting when that was asked lately. With the database away: what was
    // last known, or none; never throws.
    std::optional<std::vector<Lexicon>> TryLoadDefaults(TeamId team);
    Task<std::vector<Lexicon>> LoadDefaults(TeamId team);

private:
    std::unique_ptr<Core> core_;
};

}  // namespace vf::dictionaries
