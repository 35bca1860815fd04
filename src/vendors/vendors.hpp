#pragma once
// A team's own accounts at vendors of speech (ElevenLabs, OpenAI and every server with its route,
// Cartesia): connections. The voices of a connection speak through every route of ours under the
// id "<connection name>:<the vendor's voice id>", for that team only.
//
// Keys are encrypted with the server's key, bound to team and connection, and never shown again.
// What was read of a team is believed for `believed_for`; changes made here hold at once. On the
// loop. Until Start() every call but TryLoad and Load throws UnavailableException.

#include <chrono>
#include <cstdint>
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
#include "engines/team_voices.hpp"

namespace vf::pg {
class Database;
}
namespace vf::secrets {
class Keyring;
}

namespace vf::vendors {

struct ConnectionTag {
    static constexpr std::string_view kPrefix = "vendor";
};
using ConnectionId = Id<ConnectionTag>;
using Clock = std::chrono::system_clock;

enum class Vendor : std::uint8_t { kElevenLabs, kOpenAi, kCartesia };
std::string_view VendorName(Vendor vendor);  // "elevenlabs": also the engine of its voices
std::optional<Vendor> ParseVendor(std::string_view name);

inline constexpr std::size_t kMaxName = 32;    // [a-z0-9][a-z0-9_-]*
inline constexpr std::size_t kMaxKey = 512;    // of an API key, characters
inline constexpr std::size_t kMinKey = 8;      // of an API key, characters
inline constexpr std::size_t kMaxUrl = 300;    // characters
inline constexpr std::size_t kMaxModel = 100;  // characters
inline constexpr std::int64_t kMaxPrice = 1'000'000'000;
inline constexpr int kMaxFallback = 100;

struct VendorVoice {
    std::string id;    // the vendor's; [A-Za-z0-9._~+()!@,:-], 1 to 100 characters
    std::string name;  // 1 to 100 characters
    // BCP 47; empty: those that the vendor's models speak.
    std::vector<std::string> languages;
    std::string gender = "neutral";  // "female", "male" or "neutral"

    bool operator==(const VendorVoice&) const = default;
};

// What a million characters cost at the vendor, in minor units of the currency (ISO 4217).
struct Price {
    std::int64_t per_million = 0;
    std::string currency;
    bool operator==(const Price&) const = default;
};

struct Connection {
    ConnectionId id;
    Vendor vendor = Vendor::kElevenLabs;
    std::string name;  // unique in the team
    std::string base_url;
    std::string key_hint;  // the key's last 4 characters
    std::string model;     // the vendor's name of it
    std::vector<VendorVoice> voices;
    std::optional<Price> price;
    // It speaks where another voice cannot, or none was asked for; the lowest first. None: never.
    std::optional<int> fallback;
    struct LastError {
        std::string code;
        std::string message;
        Clock::time_point at;
    };
    std::optional<LastError> last_error;  // since it was changed or tested last
    std::string created_by;               // wire id of a key or an account, or "demo"
    Clock::time_point created_at;
    Clock::time_point updated_at;
};

struct ConnectionPage {
    std::vector<Connection> connections;  // newest first
    std::optional<ConnectionId> next;
};

struct NewConnection {
    Vendor vendor = Vendor::kElevenLabs;
    std::string name;
    std::string api_key;
    std::string base_url;                            // empty: the vendor's own
    std::string model;                               // empty: the vendor's usual one
    std::optional<std::vector<VendorVoice>> voices;  // none: asked of the vendor
    std::optional<Price> price;
    std::optional<int> fallback;
};

// What is to be different; what has no value stays.
struct ConnectionChange {
    std::optional<std::string> name;
    std::optional<std::string> api_key;
    std::optional<std::string> base_url;
    std::optional<std::string> model;
    std::optional<std::vector<VendorVoice>> voices;
    bool fetch_voices = false;  // ask the vendor for them anew
    std::optional<std::optional<Price>> price;
    std::optional<std::optional<int>> fallback;
};

// A few words were spoken.
struct TestResult {
    std::string voice;  // as in our requests
    std::int64_t first_audio_ms = 0;
    std::int64_t audio_ms = 0;
};

struct VendorOptions {
    bool allow_private_addresses = false;  // of base_url; and plain http
    std::int64_t per_team = 20;            // connections
    std::int64_t voices = 200;             // of a connection
    std::chrono::milliseconds first_byte_timeout{10'000};
    std::chrono::milliseconds segment_timeout{60'000};  // waited for one segment's audio, in sum
    // Not settings.
    std::chrono::milliseconds believed_for{900};
};
void DeclareSettings(SettingsSchema& schema, VendorOptions& options);  // section "vendors"

struct Core;

class Vendors : public engines::VoiceSource {
public:
    Vendors(asio::io_context& loop, VendorOptions options);
    ~Vendors() override;
    Vendors(const Vendors&) = delete;
    Vendors& operator=(const Vendors&) = delete;

    void Start(std::shared_ptr<pg::Database> database,  // migrated
               std::shared_ptr<const secrets::Keyring> keyring);
    void Stop();

    // Errors: kInvalid invalid_name, invalid_base_url, https_required, invalid_api_key,
    // invalid_model, invalid_voice, too_many_voices, invalid_price, invalid_fallback,
    // voices_required, vendor_key_refused; kConflict vendor_exists (a name in use),
    // too_many_vendors, currency_differs; what the vendor refuses the list of voices with. Events
    // "vendor.created", "vendor.updated", "vendor.deleted".
    Task<Result<Connection>> Create(Caller caller, NewConnection connection);
    // kNotFound "vendor_not_found", as everywhere below, also for another team's.
    Task<Result<Connection>> Find(TeamId team, ConnectionId id);
    // `limit` 1 to 100; `after`: ConnectionPage::next of the page before.
    Task<ConnectionPage> List(TeamId team, std::optional<ConnectionId> after, std::int64_t limit);
    // Another base_url needs the key again (kInvalid api_key_required): nobody shall send a key
    // that they do not have to a server of theirs.
    Task<Result<Connection>> Change(Caller caller, ConnectionId id, ConnectionChange change);
    Task<Result<void>> Delete(Caller caller, ConnectionId id);
    // Speaks a few words with the connection's first voice; the outcome becomes its last error.
    // kConflict "no_voices", "test_running"; the vendor's refusals.
    Task<Result<TestResult>> Test(Caller caller, ConnectionId id);

    std::optional<engines::TeamVoicesPtr> TryLoad(TeamId team) override;
    Task<engines::TeamVoicesPtr> Load(TeamId team) override;

private:
    Task<Result<void>> FetchInto(TeamId team, ConnectionId id, ConnectionChange* change);

    std::unique_ptr<Core> core_;
};

}  // namespace vf::vendors
