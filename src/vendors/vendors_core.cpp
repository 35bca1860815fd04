// The settings, the keys, and what speech asks for.

#include "vendors/vendors_core.hpp"

#include <fmt/format.h>

#include "base/log.hpp"
#include "engines/unknown_voices.hpp"

namespace vf::vendors {
namespace {

// Entries of the caches; a full one starts anew.
constexpr std::size_t kMaxTeams = 10'000;
constexpr std::size_t kMaxVoicesKnown = 200'000;
constexpr std::size_t kMaxStates = 50'000;
constexpr std::chrono::minutes kSameErrorAgain{1};

std::string PurposeOf(TeamId team, ConnectionId id) {
    return "vendor-key:" + team.uuid.Hex() + ":" + id.uuid.Hex();
}

http::ClientOptions OutboundOptions() {
    http::ClientOptions options;
    options.connections = 512;
    options.connections_per_host = 256;  // all teams may use one vendor
    return options;
}

Task<void> WriteError(std::shared_ptr<pg::Database> database, TeamId team, ConnectionId id,
                      std::string code, std::string message) {
    try {
        pg::TeamDb db = database->Team(team);
        co_await store::SetError(db, id, std::move(code), std::move(message));
    } catch (const std::exception& e) {
        log::Warning("vendor_error_not_kept", {{"connection", id.Wire()}, {"error", e.what()}});
    }
}

}  // namespace

void DeclareSettings(SettingsSchema& schema, VendorOptions& options) {
    schema.Flag("vendors.allow_private_addresses", options.allow_private_addresses,
                {"true", "Whether connections may lead to private addresses and use plain http."});
    schema.Integer("vendors.per_team", options.per_team, 1, 100,
                   {"5", "How many vendor connections a team may have."});
    schema.Integer("vendors.voices", options.voices, 1, 5'000,
                   {"500", "How many voices of one vendor connection are taken."});
    schema.Duration(
        "vendors.first_byte_timeout", options.first_byte_timeout, std::chrono::milliseconds(100),
        std::chrono::minutes(5),
        {"5s", "How long a vendor may take to begin its answer, and to go on with it."});
    schema.Duration("vendors.segment_timeout", options.segment_timeout, std::chrono::seconds(1),
                    std::chrono::minutes(30),
                    {"30s", "How long a vendor may be waited for in one sentence, in sum."});
}

Error VendorNotFound() {
    return {ErrorKind::kNotFound, "vendor_not_found",
            "There is no vendor connection with this id. GET /api/vendors lists them."};
}

Core::Core(asio::io_context& loop_, VendorOptions options_)
    : loop(loop_), options(options_), client(loop_, OutboundOptions()) {}

pg::TeamDb Core::Team(TeamId team) const {
    if (!database) throw UnavailableException(DatabaseNotUp());
    return database->Team(team);
}

std::shared_ptr<Core::State> Core::StateOf(ConnectionId id) {
    if (states.size() >= kMaxStates) states.clear();
    std::shared_ptr<State>& state = states[id];
    if (!state) state = std::make_shared<State>();
    return state;
}

std::string Core::Seal(TeamId team, ConnectionId id, const std::string& key) const {
    return keyring->Encrypt(PurposeOf(team, id), key);
}

Result<std::string> Core::Unseal(TeamId team, const store::Stored& row) const {
    Result<std::string> key = keyring->Decrypt(PurposeOf(team, row.connection.id), row.sealed_key);
    if (key) return key;
    return Error(ErrorKind::kUnavailable, "vendor_key_unreadable",
                 fmt::format("The API key of the connection \"{}\" cannot be decrypted: the "
                             "server's key file is another one. Set the key anew.",
                             row.connection.name));
}

std::shared_ptr<const Line> Core::LineOf(TeamId team, const store::Stored& row) {
    const Connection& connection = row.connection;
    const std::shared_ptr<State> state = StateOf(connection.id);
    auto line = std::make_shared<Line>(Line{loop.get_executor(), &client, {}});
    line->account = {connection.vendor, connection.base_url, "", connection.model};
    Result<std::string> key = Unseal(team, row);
    if (key) {
        line->account.api_key = *std::move(key);
    } else {
        line->broken = key.error();
    }
    line->addresses = options.allow_private_addresses ? http::AddressPolicy::kAny
                                                      : http::AddressPolicy::kPublicOnly;
    line->first_byte_timeout = options.first_byte_timeout;
    line->segment_timeout = options.segment_timeout;
    line->health = state->health;
    line->on_failure = [this, alive = std::weak_ptr<bool>(is_alive), team,
                        id = connection.id](const Error& error) {
        if (alive.lock()) OnFailure(team, id, error);
    };
    return line;
}

std::vector<engines::Voice> Core::VoicesOf(TeamId team, const store::Stored& row) {
    const Connection& connection = row.connection;
    const std::shared_ptr<const Line> line = LineOf(team, row);
    std::vector<engines::Voice> voices;
    for (const VendorVoice& one : connection.voices) {
        engines::Voice voice;
        voice.id = connection.name + ":" + one.id;
        voice.name = one.name;
        voice.languages =
            one.languages.empty() ? DefaultLanguages(connection.vendor) : one.languages;
        voice.gender = one.gender;
        voice.description = fmt::format("{} by the team's own account \"{}\".",
                                        DisplayName(connection.vendor), connection.name);
        SetAbilities(connection.vendor, voice);
        voice.deployment = connection.name;
        if (connection.price) {
            voice.price_per_million = connection.price->per_million;
            voice.currency = connection.price->currency;
        }
        voice.fallback = connection.fallback;
        voice.speaker = std::make_shared<VendorSpeaker>(line, one.id);
        voices.push_back(std::move(voice));
    }
    return voices;
}

void Core::Forget(TeamId team) {
    ++changes;
    Drop(team);
}

void Core::Drop(TeamId team) {
    const auto found = teams.find(team);
    if (found == teams.end()) return;
    if (found->second.voices) voices_known -= found->second.voices->All().size();
    teams.erase(found);
}

void Core::Remember(TeamId team, Entry entry) {
    Drop(team);
    const std::size_t count = entry.voices ? entry.voices->All().size() : 0;
    if (teams.size() >= kMaxTeams || voices_known + count > kMaxVoicesKnown) {
        teams.clear();
        voices_known = 0;
    }
    voices_known += count;
    teams.emplace(team, std::move(entry));
}

void Core::OnFailure(TeamId team, ConnectionId id, const Error& error) {
    const auto now = std::chrono::steady_clock::now();
    const std::shared_ptr<State> state = StateOf(id);
    if (state->told == error.code() && now - state->told_at < kSameErrorAgain) return;
    state->told = error.code();
    state->told_at = now;
    log::Warning("vendor_failed",
                 {{"team", team.Wire()}, {"connection", id.Wire()}, {"code", error.code()}});
    if (!database) return;
    Spawn(loop.get_executor(), WriteError(database, team, id, error.code(), error.message()),
          "vendor_error");
}

Task<Result<std::vector<VendorVoice>>> FetchVoices(Core& core, Account account) {
    std::optional<http::ClientRequest> call = VoicesCall(account);
    if (!call) co_return KnownVoices(account.vendor);
    call->addresses = core.options.allow_private_addresses ? http::AddressPolicy::kAny
                                                           : http::AddressPolicy::kPublicOnly;
    call->deadline = core.options.first_byte_timeout;
    Result<http::ClientResponse> answer = co_await core.client.Send(*std::move(call));
    if (!answer) co_return ErrorOf(account.vendor, answer.error());
    if (answer->status / 100 != 2) {
        co_return ErrorOf(account.vendor, answer->status, answer->headers, answer->body);
    }
    const auto most = static_cast<std::size_t>(core.options.voices);
    co_return ReadVoices(account.vendor, answer->body, most);
}

Vendors::Vendors(asio::io_context& loop, VendorOptions options)
    : core_(std::make_unique<Core>(loop, options)) {}

Vendors::~Vendors() = default;

void Vendors::Start(std::shared_ptr<pg::Database> database,
                    std::shared_ptr<const secrets::Keyring> keyring) {
    core_->database = std::move(database);
    core_->keyring = std::move(keyring);
}

void Vendors::Stop() {
    core_->database.reset();
    core_->client.Close();
}

std::optional<engines::TeamVoicesPtr> Vendors::TryLoad(TeamId team) {
    const auto known = core_->teams.find(team);
    if (known == core_->teams.end()) return std::nullopt;
    if (std::chrono::steady_clock::now() >= known->second.until) return std::nullopt;
    return known->second.voices;
}

Task<engines::TeamVoicesPtr> Vendors::Load(TeamId team) {
    Core& core = *core_;
    Core::Entry entry;
    bool is_known = false;
    const bool is_new = !core.teams.contains(team);
    if (const auto known = core.teams.find(team); known != core.teams.end()) {
        entry.voices = known->second.voices;
        // One asks, the others believe it a little longer.
        known->second.until = std::chrono::steady_clock::now() + core.options.believed_for;
    }
    const std::uint64_t changes = core.changes;
    try {
        pg::TeamDb db = core.Team(team);
        const std::int64_t most = core.options.per_team;
        const std::vector<store::Stored> rows = co_await store::All(db, most);
        std::vector<engines::Voice> voices;
        for (const store::Stored& row : rows) {
            for (engines::Voice& voice : core.VoicesOf(team, row)) {
                voices.push_back(std::move(voice));
            }
        }
        entry.voices = nullptr;
        if (!voices.empty()) {
            entry.voices = std::make_shared<const engines::TeamVoices>(std::move(voices));
        }
        is_known = true;
    } catch (const UnavailableException& e) {
        log::Warning("vendors_unavailable", {{"code", e.error.code()}});
    } catch (const std::exception& e) {
        log::Error("vendors_unavailable", {{"error", e.what()}});
    }
    if (!is_known && is_new) entry.voices = engines::UnknownVoices();
    entry.until = std::chrono::steady_clock::now() + core.options.believed_for;
    const engines::TeamVoicesPtr voices = entry.voices;
    if (changes == core.changes) core.Remember(team, std::move(entry));
    co_return voices;
}

}  // namespace vf::vendors
