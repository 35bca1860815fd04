// What changes dictionaries, and what lists them.

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "dictionaries/dictionaries_core.hpp"
#include "dictionaries/dictionaries_rules.hpp"
#include "events/events.hpp"

namespace vf::dictionaries {
namespace {

Error Wrong(const char* member, const char* code, std::string message) {
    return {ErrorKind::kInvalid,
            code,
            fmt::format("The {} {}", member, message),
            {{std::string("/") + member, code, std::move(message)}}};
}

Result<void> CheckName(const std::string& name) {
    const bool is_text =
        !Utf8FindInvalid(name) && std::none_of(name.begin(), name.end(), [](char c) {
            return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        });
    const bool is_long = is_text && Utf8Count(name) > kMaxName;
    if (name.empty() || !is_text || is_long || name.front() == ' ' || name.back() == ' ') {
        return Wrong("name", "invalid_name",
                     fmt::format("must have 1 to {} characters, no control characters, and no "
                                 "spaces at its ends.",
                                 kMaxName));
    }
    return {};
}

Result<void> CheckDescription(const std::string& text) {
    if (Utf8FindInvalid(text) || Utf8Count(text) > kMaxDescription ||
        text.find('\0') != std::string::npos) {
        return Wrong("description", "invalid_description",
                     fmt::format("must have at most {} characters.", kMaxDescription));
    }
    return {};
}

// The database keeps no NUL in its JSON.
Result<void> CheckNul(const Rules& rules) {
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const text::LexiconRule& rule = rules[i];
        for (const std::string* text : {&rule.grapheme, &rule.value, &rule.source}) {
            if (text->find('\0') == std::string::npos) continue;
            const std::string path = fmt::format("/rules/{}", i);
            return Error(ErrorKind::kInvalid, "invalid_character",
                         "The rule " + path + " contains a NUL character.",
                         {{path, "invalid_character", "must not contain a NUL character."}});
        }
    }
    return {};
}

Error NameTaken(const std::string& name) {
    return {ErrorKind::kConflict,
            "dictionary_exists",
            "The team has a pronunciation dictionary with the name \"" + name +
                "\" already. Choose another name, or archive that one.",
            {{"/name", "dictionary_exists", "is in use."}}};
}

std::string MakerOf(const Caller& caller) {
    if (caller.key) return caller.key->Wire();
    if (caller.account) return caller.account->Wire();
    return "demo";
}

struct Prepared {
    Lexicon lexicon;
    std::string rules;
};

Task<Result<Prepared>> Prepare(asio::thread_pool& threads, Rules rules) {
    if (const Result<void> nul = CheckNul(rules); !nul) co_return nul.error();
    auto compile = [rules = std::move(rules)]() mutable -> Result<Prepared> {
        std::string text = PrintRules(rules);
        Result<Lexicon> made = text::Lexicon::Make(std::move(rules));
        if (!made) return std::move(made).error();
        return Prepared{*std::move(made), std::move(text)};
    };
    co_return co_await Offload(threads, std::move(compile));
}

events::NewEvent EventOf(const Caller& caller, const char* type, DictionaryId id,
                         json::object data) {
    events::NewEvent event;
    event.type = type;
    event.resource = id.Wire();
    event.live = caller.live;
    event.data = std::move(data);
    event.actor = events::ActorOf(caller);
    return event;
}

store::NewVersion VersionRow(const Caller& caller, DictionaryId id, std::int64_t number,
                             Prepared& prepared) {
    store::NewVersion version;
    version.id = VersionId::New();
    version.dictionary = id;
    version.number = number;
    version.rules = std::move(prepared.rules);
    version.rule_count = static_cast<std::int64_t>(prepared.lexicon->rules().size());
    version.created_by = MakerOf(caller);
    return version;
}

}  // namespace

Task<Result<Dictionary>> Dictionaries::Create(Caller caller, NewDictionary dictionary) {
    if (const auto name = CheckName(dictionary.name); !name) co_return name.error();
    if (const auto text = CheckDescription(dictionary.description); !text) co_return text.error();
    Result<Prepared> prepared = co_await Prepare(core_->threads, std::move(dictionary.rules));
    if (!prepared) co_return std::move(prepared).error();
    const DictionaryId id = DictionaryId::New();
    store::NewVersion version = VersionRow(caller, id, 1, *prepared);
    const VersionId version_id = version.id;
    const std::string maker = version.created_by;
    events::NewEvent event = EventOf(caller, "dictionary.created", id,
                                     {{"name", dictionary.name}, {"version", version_id.Wire()}});
    pg::TeamDb db = core_->Team(caller.team);
    bool is_taken = false;
    try {
        auto transaction = co_await db.Begin();
        const std::int64_t count = co_await store::Count(*transaction);
        if (count >= core_->options.per_team) {
            co_return Error(ErrorKind::kConflict, "too_many_dictionaries",
                            fmt::format("The team has {} pronunciation dictionaries already, as "
                                        "many as it may. Delete one first.",
                                        count));
        }
        co_await store::Insert(*transaction, id, dictionary.name, dictionary.description,
                               version_id, maker);
        co_await store::InsertVersion(*transaction, std::move(version));
        co_await events::Append(*transaction, std::move(event));
        co_await transaction->Commit();
    } catch (const pg::QueryError& e) {
        if (!e.unique_violation()) throw;
        is_taken = true;
    }
    if (is_taken) co_return NameTaken(dictionary.name);
    Core::Compiled compiled{caller.team, id, version_id, prepared->lexicon};
    core_->Keep(std::move(compiled));
    co_return co_await Find(caller.team, id);
}

Task<Result<Dictionary>> Dictionaries::Find(TeamId team, DictionaryId id) {
    pg::TeamDb db = core_->Team(team);
    std::optional<Dictionary> found = co_await store::Find(db, id);
    if (!found) co_return DictionaryNotFound();
    co_return *std::move(found);
}

Task<DictionaryPage> Dictionaries::List(TeamId team, bool with_archived,
                                        std::optional<DictionaryId> after, std::int64_t limit) {
    pg::TeamDb db = core_->Team(team);
    DictionaryPage page;
    const std::int64_t wanted = limit + 1;
    page.dictionaries = co_await store::List(db, with_archived, after, wanted);
    if (page.dictionaries.size() > static_cast<std::size_t>(limit)) {
        page.dictionaries.pop_back();
        page.next = page.dictionaries.back().id;
    }
    co_return page;
}

Task<Result<Dictionary>> Dictionaries::Change(Caller caller, DictionaryId id,
                                              DictionaryChange change) {
    if (change.name) {
        if (const auto name = CheckName(*change.name); !name) co_return name.error();
    }
    if (change.description) {
        if (const auto text = CheckDescription(*change.description); !text) {
            co_return text.error();
        }
    }
    pg::TeamDb db = core_->Team(caller.team);
    std::string name;
    bool is_taken = false;
    try {
        auto transaction = co_await db.Begin();
        std::optional<Dictionary> before = co_await store::Lock(*transaction, id);
        if (!before) co_return DictionaryNotFound();
        name = change.name.value_or(before->name);
        std::string text = change.description.value_or(before->description);
        const bool archived = change.archived.value_or(before->archived_at.has_value());
        events::NewEvent event =
            EventOf(caller, "dictionary.updated", id, {{"name", name}, {"archived", archived}});
        co_await store::Update(*transaction, id, name, std::move(text), archived);
        co_await events::Append(*transaction, std::move(event));
        co_await transaction->Commit();
    } catch (const pg::QueryError& e) {
        if (!e.unique_violation()) throw;
        is_taken = true;
    }
    if (is_taken) co_return NameTaken(name);
    core_->Forget(caller.team, id);
    co_return co_await Find(caller.team, id);
}

Task<Result<Dictionary>> Dictionaries::SetRules(Caller caller, DictionaryId id,
                                                ChangeRules change) {
    pg::TeamDb db = core_->Team(caller.team);
    auto transaction = co_await db.Begin();
    std::optional<Dictionary> before = co_await store::Lock(*transaction, id);
    if (!before) co_return DictionaryNotFound();
    std::string text = co_await store::RulesOf(*transaction, before->latest);
    auto read = [text = std::move(text)] { return StoredRules(text); };
    Rules old = co_await Offload(core_->threads, std::move(read));
    Result<Rules> wanted = change(old);
    if (!wanted) co_return std::move(wanted).error();
    if (*wanted == old) co_return *std::move(before);
    if (before->latest_number >= core_->options.versions) {
        co_return Error(ErrorKind::kConflict, "too_many_versions",
                        fmt::format("The pronunciation dictionary has {} versions, as many as it "
                                    "may. Make a new dictionary with its rules.",
                                    before->latest_number));
    }
    Result<Prepared> prepared = co_await Prepare(core_->threads, *std::move(wanted));
    if (!prepared) co_return std::move(prepared).error();
    store::NewVersion version = VersionRow(caller, id, before->latest_number + 1, *prepared);
    const VersionId version_id = version.id;
    events::NewEvent event = EventOf(caller, "dictionary.updated", id,
                                     {{"name", before->name}, {"version", version_id.Wire()}});
    co_await store::InsertVersion(*transaction, std::move(version));
    co_await store::SetLatest(*transaction, id, version_id);
    co_await events::Append(*transaction, std::move(event));
    co_await transaction->Commit();
    core_->Forget(caller.team, id);
    Core::Compiled compiled{caller.team, id, version_id, prepared->lexicon};
    core_->Keep(std::move(compiled));
    co_return co_await Find(caller.team, id);
}

Task<Result<void>> Dictionaries::Delete(Caller caller, DictionaryId id) {
    pg::TeamDb db = core_->Team(caller.team);
    auto transaction = co_await db.Begin();
    std::optional<Dictionary> before = co_await store::Lock(*transaction, id);
    if (!before) co_return DictionaryNotFound();
    events::NewEvent event = EventOf(caller, "dictionary.deleted", id, {{"name", before->name}});
    co_await store::Delete(*transaction, id);
    co_await events::Append(*transaction, std::move(event));
    co_await transaction->Commit();
    core_->Forget(caller.team, id);
    for (auto at = core_->compiled.begin(); at != core_->compiled.end();) {
        if (at->dictionary == id) {
            core_->weight -= static_cast<std::int64_t>(at->lexicon->rules().size()) + 1;
            core_->by_version.erase(at->version);
            at = core_->compiled.erase(at);
        } else {
            ++at;
        }
    }
    co_return Result<void>();
}

Task<Result<VersionPage>> Dictionaries::Versions(TeamId team, DictionaryId id,
                                                 std::optional<VersionId> after,
                                                 std::int64_t limit) {
    const Result<Dictionary> dictionary = co_await Find(team, id);
    if (!dictionary) co_return dictionary.error();
    pg::TeamDb db = core_->Team(team);
    VersionPage page;
    const std::int64_t wanted = limit + 1;
    page.versions = co_await store::Versions(db, id, after, wanted);
    if (page.versions.size() > static_cast<std::size_t>(limit)) {
        page.versions.pop_back();
        page.next = page.versions.back().id;
    }
    co_return page;
}

Task<Result<Version>> Dictionaries::FindVersion(TeamId team, DictionaryId id, VersionId version) {
    const Result<Dictionary> dictionary = co_await Find(team, id);
    if (!dictionary) co_return dictionary.error();
    pg::TeamDb db = core_->Team(team);
    std::optional<Version> found = co_await store::FindVersion(db, id, version);
    if (!found) co_return VersionNotFound();
    co_return *std::move(found);
}

Task<std::vector<DictionaryId>> Dictionaries::Defaults(TeamId team) {
    pg::TeamDb db = core_->Team(team);
    const std::vector<store::Place> places = co_await store::Defaults(db);
    std::vector<DictionaryId> out;
    for (const store::Place& place : places) out.push_back(place.dictionary);
    co_return out;
}

Task<Result<void>> Dictionaries::SetDefaults(Caller caller, std::vector<DictionaryId> ids) {
    if (ids.size() > kMaxDefaults) co_return TooManyNamed();
    std::vector<DictionaryId> once = ids;
    std::sort(once.begin(), once.end());
    if (std::adjacent_find(once.begin(), once.end()) != once.end()) {
        co_return Error(ErrorKind::kInvalid, "duplicate_dictionary",
                        "A pronunciation dictionary stands twice in the list.");
    }
    pg::TeamDb db = core_->Team(caller.team);
    auto transaction = co_await db.Begin();
    co_await store::ClearDefaults(*transaction);
    json::array wire;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const bool added =
            co_await store::AddDefault(*transaction, static_cast<std::int64_t>(i), ids[i]);
        if (!added) co_return DictionaryNotFound();
        wire.emplace_back(ids[i].Wire());
    }
    events::NewEvent event;
    event.type = "dictionary.defaults_changed";
    event.resource = caller.team.Wire();
    event.live = caller.live;
    event.data = {{"dictionaries", std::move(wire)}};
    event.actor = events::ActorOf(caller);
    co_await events::Append(*transaction, std::move(event));
    co_await transaction->Commit();
    core_->defaults.erase(caller.team);
    co_return Result<void>();
}

}  // namespace vf::dictionaries
