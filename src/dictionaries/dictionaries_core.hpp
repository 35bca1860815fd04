#pragma once
// What the dictionaries of a node know. Inside src/dictionaries only; on the loop.

#include <list>
#include <map>
#include <utility>

#include "dictionaries/dictionaries.hpp"
#include "dictionaries/dictionaries_store.hpp"
#include "pg/database.hpp"

namespace vf::dictionaries {

struct Core {
    Core(asio::io_context& loop_, asio::thread_pool& threads_, DictionaryOptions options_)
        : loop(loop_), threads(threads_), options(options_) {}

    struct Compiled {
        TeamId team;
        DictionaryId dictionary;
        VersionId version;
        Lexicon lexicon;
    };
    struct Latest {
        VersionId version;
        std::chrono::steady_clock::time_point until;
    };
    struct DefaultsEntry {
        std::vector<Lexicon> lexicons;
        std::chrono::steady_clock::time_point until;
    };

    // Throws UnavailableException before Start.
    pg::TeamDb Team(TeamId team) const;
    // Null: not kept, or of another team or dictionary.
    Lexicon Kept(TeamId team, DictionaryId dictionary, VersionId version);
    void Keep(Compiled compiled);
    void Forget(TeamId team, DictionaryId dictionary);

    asio::io_context& loop;
    asio::thread_pool& threads;
    DictionaryOptions options;
    std::shared_ptr<pg::Database> database;
    std::list<Compiled> compiled;  // the one used last stands first
    std::map<VersionId, std::list<Compiled>::iterator> by_version;
    std::int64_t weight = 0;  // rules in `compiled`, and one for each version
    std::map<std::pair<TeamId, DictionaryId>, Latest> latest;
    std::map<TeamId, DefaultsEntry> defaults;
};

// What a version holds: from the cache, or read and compiled on other threads. Null: not there.
Task<Lexicon> LoadVersion(Core& core, TeamId team, DictionaryId dictionary, VersionId version);

Error DictionaryNotFound();
Error VersionNotFound();
Error TooManyNamed();

}  // namespace vf::dictionaries
