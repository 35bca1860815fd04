#pragma once
// What a node knows of the teams' connections. Inside src/vendors only; on the loop.

#include <map>
#include <memory>
#include <set>

#include "http/client.hpp"
#include "pg/database.hpp"
#include "secrets/keyring.hpp"
#include "vendors/vendor_speaker.hpp"
#include "vendors/vendors.hpp"
#include "vendors/vendors_store.hpp"

namespace vf::vendors {

struct Core {
    Core(asio::io_context& loop_, VendorOptions options_);

    struct Entry {
        engines::TeamVoicesPtr voices;
        std::chrono::steady_clock::time_point until;
    };
    // Of one connection; outlives what was read of it.
    struct State {
        std::shared_ptr<Health> health = std::make_shared<Health>();
        std::string told;  // the error code that was written down last
        std::chrono::steady_clock::time_point told_at{};
        bool is_testing = false;
    };

    // Throws UnavailableException before Start.
    pg::TeamDb Team(TeamId team) const;
    // The same for as long as anything uses it.
    std::shared_ptr<State> StateOf(ConnectionId id);

    std::string Seal(TeamId team, ConnectionId id, const std::string& key) const;
    Result<std::string> Unseal(TeamId team, const store::Stored& row) const;

    // What the connection's voices speak through.
    std::shared_ptr<const Line> LineOf(TeamId team, const store::Stored& row);
    std::vector<engines::Voice> VoicesOf(TeamId team, const store::Stored& row);
    // After a change: what is being read at this moment is not believed either.
    void Forget(TeamId team);
    void Remember(TeamId team, Entry entry);
    // A speech has met an error: written down, the same one at most once a minute.
    void OnFailure(TeamId team, ConnectionId id, const Error& error);

private:
    void Drop(TeamId team);

public:
    asio::io_context& loop;
    VendorOptions options;
    http::HttpClient client;
    std::shared_ptr<pg::Database> database;
    std::shared_ptr<const secrets::Keyring> keyring;
    std::map<TeamId, Entry> teams;
    std::size_t voices_known = 0;  // of all teams
    std::uint64_t changes = 0;     // made by this node
    std::map<ConnectionId, std::shared_ptr<State>> states;
    std::shared_ptr<bool> is_alive = std::make_shared<bool>(true);
};

Error VendorNotFound();
// The voices that the vendor lists.
Task<Result<std::vector<VendorVoice>>> FetchVoices(Core& core, Account account);

}  // namespace vf::vendors
