#pragma once
// What Access holds, shared with the coroutines that keep it fresh. Inside src/identity; on the
// loop.

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/task.hpp"
#include "identity/access.hpp"
#include "identity/client_address.hpp"
#include "identity/key_store.hpp"

namespace vf::identity {

// Last use and number of requests of each key since they were last written. Bounded: what finds no
// room is counted at its next use.
class KeyUses {
public:
    void Count(KeyId key, const std::string& address);
    std::vector<KeyUse> Take();

private:
    std::map<KeyId, KeyUse> uses_;
};

struct AccessState {
    AccessState(Executor executor, AccessOptions o);

    static Task<void> Start(std::shared_ptr<AccessState> state,
                            std::shared_ptr<pg::Database> database, OnAccessChange on_change);
    static Task<void> Stop(std::shared_ptr<AccessState> state);

    Task<std::optional<KnownKey>> LookUp(KeyHash hash);
    void FillDemo(Caller& caller) const;
    // The list of changes could not be read for so long that known keys are not to be trusted.
    bool IsOffline(KeyCache::Clock::time_point now) const;

    Executor loop;
    AccessOptions options;
    KeyCache keys;
    KeyUses uses;
    std::shared_ptr<pg::Database> database;
    OnAccessChange on_change;
    bool demo_known = false;  // whether has_credentials was ever read
    bool has_credentials = false;
    bool stopped = false;
    SteadyTimer poll_timer;
    KeyCache::Clock::time_point fresh_at{};  // the changes were read then
    std::shared_ptr<const Plan> demo_plan;

private:
    // A change's number is drawn before its transaction commits, so a number may appear after a
    // higher one. Numbers are read again for a minute; what was seen is not applied twice.
    struct Window {
        std::int64_t from = 0;  // changes up to here were read more than a minute ago
        std::deque<std::pair<KeyCache::Clock::time_point, std::int64_t>> marks;
        std::set<std::int64_t> seen;
    };

    static Task<void> Watch(std::shared_ptr<AccessState> state);
    static Task<void> Poll(std::shared_ptr<AccessState> state);
    static Task<void> ReadCredentials(std::shared_ptr<AccessState> state,
                                      std::shared_ptr<pg::Database> database);
    static Task<void> WriteUses(std::shared_ptr<AccessState> state);
    void Apply(std::string_view kind, std::string_view subject);

    Window window_;
    KeyCache::Clock::time_point written_at_{};
    KeyCache::Clock::time_point swept_at_{};
};

}  // namespace vf::identity
