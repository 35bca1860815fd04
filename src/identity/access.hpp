#pragma once
// Who may come in. The one place where credentials are looked at: routes take a guard from here,
// sockets call AdmitKey with what their first frame carries, and everything behind them sees a
// Caller.
//
// While neither accounts nor keys exist there is the demo mode: a request from this machine itself
// (demo_mode.hpp) acts as a built-in demo team. The first account or key ends it.
//
// A key that was used lately is checked from memory (a hash and a look-up, below 2 us); others are
// asked of PostgreSQL. What changes a key's rights (revocation, another plan) is in force within a
// second on every node: PostgreSQL notifies, and the list of changes is read again by polling in
// case a notification was lost. With the database away known keys go on for `auth.offline_limit`.
// On the loop; must outlive the router.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/caller.hpp"
#include "base/result.hpp"
#include "base/settings.hpp"
#include "http/router.hpp"

namespace vf::pg {
class Database;
}

namespace vf::identity {

struct AccessOptions {
    std::string demo = "auto";    // auto, always, never
    std::string trusted_proxies;  // networks; see client_address.hpp
    std::int64_t cached_keys = 100'000;
    std::int64_t cached_unknown_keys = 10'000;
    std::chrono::milliseconds unknown_for{60'000};
    std::chrono::milliseconds poll_interval{400};
    std::chrono::milliseconds offline_limit{3'600'000};
    std::chrono::milliseconds record_interval{5'000};  // of last use and request counts
};

// Sections "auth" and "http" (trusted_proxies).
void DeclareSettings(SettingsSchema& schema, AccessOptions& options);

// A row that decides what callers may do has changed: of the table `kind`, with the id `subject`.
// Both empty: changes may have been missed; everything remembered is in doubt.
using OnAccessChange = std::function<void(std::string_view kind, std::string_view subject)>;

class Access {
public:
    // Throws std::invalid_argument for trusted_proxies that cannot be read.
    Access(asio::io_context& loop, AccessOptions options);
    ~Access();

    // When the database is up; until then keys are answered 503. Learns whether the demo mode is
    // over, and keeps itself fresh from then on. `on_change` is called on the loop for whoever
    // remembers such things too. Throws UnavailableException when the database goes away meanwhile:
    // nothing has begun then, and it may be called again.
    Task<void> Start(std::shared_ptr<pg::Database> database, OnAccessChange on_change = {});
    // Writes what was counted. The database must still be open.
    Task<void> Stop();

    // Admits a caller who has `scope`; without one, any caller who is known.
    // Errors: kUnauthenticated missing_api_key, invalid_api_key, api_key_revoked, api_key_expired,
    // conflicting_credentials; kForbidden missing_scope; kUnavailable.
    http::Guard Guard(std::optional<Scope> scope = std::nullopt) const;

    // The same for a key that came another way than in a header. `from` carries address and
    // request id and is returned filled.
    Task<Result<Caller>> AdmitKey(std::string key, std::optional<Scope> scope, Caller from) const;

    // Decided from memory, or no value: only the database knows.
    std::optional<Result<void>> Decide(http::Request& request, std::optional<Scope> scope) const;

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace vf::identity
