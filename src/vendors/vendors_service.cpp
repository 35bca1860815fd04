// What makes, changes, lists and tests connections.

#include <fmt/format.h>

#include "events/events.hpp"
#include "vendors/vendors_check.hpp"
#include "vendors/vendors_core.hpp"

namespace vf::vendors {
namespace {

constexpr const char* kTestText = "This is a test.";

Error NameTaken(const std::string& name) {
    return {ErrorKind::kConflict,
            "vendor_exists",
            fmt::format("The team has a vendor connection with the name \"{}\" already. Choose "
                        "another name.",
                        name),
            {{"/name", "vendor_exists", "is in use."}}};
}

Error OtherCurrency(const std::string& currency) {
    return {ErrorKind::kConflict,
            "currency_differs",
            fmt::format("The team's other vendor connections have their prices in {}. Use one "
                        "currency, so that costs can be summed up.",
                        currency),
            {{"/price/currency", "currency_differs", fmt::format("must be {}.", currency)}}};
}

std::string MakerOf(const Caller& caller) {
    if (caller.key) return caller.key->Wire();
    if (caller.account) return caller.account->Wire();
    return "demo";
}

events::NewEvent EventOf(const Caller& caller, const char* type, const Connection& connection) {
    events::NewEvent event;
    event.type = type;
    event.resource = connection.id.Wire();
    event.live = caller.live;
    event.data = {{"vendor", VendorName(connection.vendor)}, {"name", connection.name}};
    event.actor = events::ActorOf(caller);
    return event;
}

std::string HintOf(const std::string& key) {
    return key.substr(key.size() - 4);
}

Connection ConnectionOf(const Caller& caller, const NewConnection& wanted) {
    Connection connection;
    connection.id = ConnectionId::New();
    connection.vendor = wanted.vendor;
    connection.name = wanted.name;
    connection.base_url = wanted.base_url;
    connection.key_hint = HintOf(wanted.api_key);
    connection.model = wanted.model;
    connection.voices = *wanted.voices;
    connection.price = wanted.price;
    connection.fallback = wanted.fallback;
    connection.created_by = MakerOf(caller);
    return connection;
}

// While somebody sets a connection up, a wrong key is a wrong member of the body.
Error AtSetup(const Error& error) {
    if (error.code() != "vendor_key_refused") return error;
    return {ErrorKind::kInvalid,
            error.code(),
            error.message(),
            {{"/api_key", error.code(), "is refused by the vendor."}}};
}

Result<void> CheckNew(NewConnection& wanted, const VendorOptions& options) {
    if (wanted.base_url.empty()) wanted.base_url = DefaultUrl(wanted.vendor);
    if (wanted.model.empty()) wanted.model = DefaultModel(wanted.vendor);
    Result<std::string> url = CheckUrl(wanted.base_url, options.allow_private_addresses);
    if (!url) return std::move(url).error();
    wanted.base_url = *std::move(url);
    for (const Result<void>& checked :
         {CheckName(wanted.name), CheckKey(wanted.api_key), CheckModel(wanted.model),
          CheckPrice(wanted.price), CheckFallback(wanted.fallback)}) {
        if (!checked) return checked.error();
    }
    if (!wanted.voices) return {};
    return CheckVoices(*wanted.voices, options.voices);
}

Result<void> CheckChange(ConnectionChange& change, const VendorOptions& options) {
    if (change.base_url) {
        Result<std::string> url = CheckUrl(*change.base_url, options.allow_private_addresses);
        if (!url) return std::move(url).error();
        change.base_url = *std::move(url);
    }
    Result<void> checked;
    if (change.name) checked = CheckName(*change.name);
    if (checked && change.api_key) checked = CheckKey(*change.api_key);
    if (checked && change.model) checked = CheckModel(*change.model);
    if (checked && change.price) checked = CheckPrice(*change.price);
    if (checked && change.fallback) checked = CheckFallback(*change.fallback);
    if (checked && change.voices) checked = CheckVoices(*change.voices, options.voices);
    return checked;
}

// What can be said of a change once the connection is known.
Result<void> Apply(ConnectionChange& change, Connection& connection) {
    if (change.base_url && *change.base_url != connection.base_url && !change.api_key) {
        return WrongMember("api_key", "api_key_required",
                           "is required together with another base_url.");
    }
    if (change.name) connection.name = *change.name;
    if (change.base_url) connection.base_url = *change.base_url;
    if (change.model) connection.model = *change.model;
    if (change.voices) connection.voices = *change.voices;
    if (change.price) connection.price = *change.price;
    if (change.fallback) connection.fallback = *change.fallback;
    if (change.api_key) connection.key_hint = HintOf(*change.api_key);
    connection.last_error.reset();
    return {};
}

struct Spoken {
    std::chrono::steady_clock::duration first{};
    std::uint64_t samples = 0;
};

Task<Result<Spoken>> SpeakTest(std::shared_ptr<engines::Speaker> speaker) {
    engines::SegmentRequest request;
    request.text = kTestText;
    Spoken out;
    const auto since = std::chrono::steady_clock::now();
    Result<std::unique_ptr<engines::Utterance>> spoken =
        co_await speaker->Speak(std::move(request));
    if (!spoken) co_return std::move(spoken).error();
    const std::unique_ptr<engines::Utterance> utterance = *std::move(spoken);
    for (;;) {
        Result<std::optional<engines::EngineChunk>> next = co_await utterance->Next();
        if (!next) co_return std::move(next).error();
        if (!*next) break;
        const std::size_t count = (*next)->samples.size();
        if (out.samples == 0 && count > 0) out.first = std::chrono::steady_clock::now() - since;
        out.samples += count;
    }
    co_return out;
}

}  // namespace

Task<Result<Connection>> Vendors::Create(Caller caller, NewConnection wanted) {
    pg::TeamDb db = core_->Team(caller.team);
    if (const auto checked = CheckNew(wanted, core_->options); !checked) co_return checked.error();
    if (!wanted.voices) {
        Account account{wanted.vendor, wanted.base_url, wanted.api_key, wanted.model};
        Result<std::vector<VendorVoice>> fetched = co_await FetchVoices(*core_, std::move(account));
        if (!fetched) co_return AtSetup(fetched.error());
        wanted.voices = *std::move(fetched);
    }
    store::Stored row;
    row.connection = ConnectionOf(caller, wanted);
    const Connection& connection = row.connection;
    row.sealed_key = core_->Seal(caller.team, connection.id, wanted.api_key);
    const ConnectionId id = connection.id;
    const std::optional<Price> price = connection.price;
    events::NewEvent event = EventOf(caller, "vendor.created", connection);
    bool is_taken = false;
    try {
        auto transaction = co_await db.Begin();
        const std::int64_t count = co_await store::Count(*transaction);
        if (count >= core_->options.per_team) {
            co_return Error(ErrorKind::kConflict, "too_many_vendors",
                            fmt::format("The team has {} vendor connections already, as many as "
                                        "it may. Delete one first.",
                                        count));
        }
        if (price) {
            const auto other = co_await store::OtherCurrency(*transaction, price->currency, id);
            if (other) co_return OtherCurrency(*other);
        }
        co_await store::Insert(*transaction, std::move(row));
        co_await events::Append(*transaction, std::move(event));
        co_await transaction->Commit();
    } catch (const pg::QueryError& e) {
        if (!e.unique_violation()) throw;
        is_taken = true;
    }
    if (is_taken) co_return NameTaken(wanted.name);
    core_->Forget(caller.team);
    co_return co_await Find(caller.team, id);
}

Task<Result<Connection>> Vendors::Find(TeamId team, ConnectionId id) {
    pg::TeamDb db = core_->Team(team);
    std::optional<store::Stored> found = co_await store::Find(db, id);
    if (!found) co_return VendorNotFound();
    co_return std::move(found->connection);
}

Task<ConnectionPage> Vendors::List(TeamId team, std::optional<ConnectionId> after,
                                   std::int64_t limit) {
    pg::TeamDb db = core_->Team(team);
    ConnectionPage page;
    const std::int64_t wanted = limit + 1;
    page.connections = co_await store::List(db, after, wanted);
    if (page.connections.size() > static_cast<std::size_t>(limit)) {
        page.connections.pop_back();
        page.next = page.connections.back().id;
    }
    co_return page;
}

// The vendor is asked before the row is locked: others need not wait for it.
Task<Result<void>> Vendors::FetchInto(TeamId team, ConnectionId id, ConnectionChange* change) {
    pg::TeamDb db = core_->Team(team);
    const std::optional<store::Stored> before = co_await store::Find(db, id);
    if (!before) co_return VendorNotFound();
    Connection connection = before->connection;
    if (Result<void> applied = Apply(*change, connection); !applied) co_return applied;
    Account account{connection.vendor, connection.base_url, "", connection.model};
    if (change->api_key) {
        account.api_key = *change->api_key;
    } else {
        Result<std::string> key = core_->Unseal(team, *before);
        if (!key) co_return std::move(key).error();
        account.api_key = *std::move(key);
    }
    Result<std::vector<VendorVoice>> fetched = co_await FetchVoices(*core_, std::move(account));
    if (!fetched) co_return AtSetup(fetched.error());
    change->voices = *std::move(fetched);
    co_return Result<void>();
}

Task<Result<Connection>> Vendors::Change(Caller caller, ConnectionId id, ConnectionChange change) {
    pg::TeamDb db = core_->Team(caller.team);
    if (auto checked = CheckChange(change, core_->options); !checked) co_return checked.error();
    if (change.fetch_voices) {
        const Result<void> fetched = co_await FetchInto(caller.team, id, &change);
        if (!fetched) co_return fetched.error();
    }
    std::string name;
    bool is_taken = false;
    try {
        auto transaction = co_await db.Begin();
        std::optional<store::Stored> row = co_await store::Lock(*transaction, id);
        if (!row) co_return VendorNotFound();
        Connection& connection = row->connection;
        if (Result<void> applied = Apply(change, connection); !applied) co_return applied.error();
        if (change.api_key) row->sealed_key = core_->Seal(caller.team, id, *change.api_key);
        if (connection.price) {
            const auto other =
                co_await store::OtherCurrency(*transaction, connection.price->currency, id);
            if (other) co_return OtherCurrency(*other);
        }
        name = connection.name;
        events::NewEvent event = EventOf(caller, "vendor.updated", connection);
        co_await store::Update(*transaction, *std::move(row));
        co_await events::Append(*transaction, std::move(event));
        co_await transaction->Commit();
    } catch (const pg::QueryError& e) {
        if (!e.unique_violation()) throw;
        is_taken = true;
    }
    if (is_taken) co_return NameTaken(name);
    core_->states.erase(id);  // whatever was wrong may be right now
    core_->Forget(caller.team);
    co_return co_await Find(caller.team, id);
}

Task<Result<void>> Vendors::Delete(Caller caller, ConnectionId id) {
    pg::TeamDb db = core_->Team(caller.team);
    auto transaction = co_await db.Begin();
    const std::optional<store::Stored> row = co_await store::Lock(*transaction, id);
    if (!row) co_return VendorNotFound();
    events::NewEvent event = EventOf(caller, "vendor.deleted", row->connection);
    co_await store::Delete(*transaction, id);
    co_await events::Append(*transaction, std::move(event));
    co_await transaction->Commit();
    core_->states.erase(id);
    core_->Forget(caller.team);
    co_return Result<void>();
}

Task<Result<TestResult>> Vendors::Test(Caller caller, ConnectionId id) {
    pg::TeamDb db = core_->Team(caller.team);
    const std::optional<store::Stored> row = co_await store::Find(db, id);
    if (!row) co_return VendorNotFound();
    const std::vector<engines::Voice> voices = core_->VoicesOf(caller.team, *row);
    if (voices.empty()) {
        co_return Error(ErrorKind::kConflict, "no_voices",
                        "The vendor connection has no voice to test. Fetch its voices first.");
    }
    const std::shared_ptr<Core::State> state = core_->StateOf(id);
    if (state->is_testing) {
        co_return Error(ErrorKind::kConflict, "test_running",
                        "A test of this vendor connection is running. Wait for its end.");
    }
    state->is_testing = true;
    state->health->Succeeded();  // asked for on purpose
    const Result<Spoken> spoken = co_await SpeakTest(voices.front().speaker);
    state->is_testing = false;
    if (!spoken) co_return AtSetup(spoken.error());
    state->told.clear();
    co_await store::SetError(db, id, "", "");
    using std::chrono::duration_cast;
    using std::chrono::milliseconds;
    TestResult result;
    result.voice = voices.front().id;
    result.first_audio_ms = duration_cast<milliseconds>(spoken->first).count();
    result.audio_ms = static_cast<std::int64_t>(spoken->samples * 1000 / kSampleRate);
    co_return result;
}

}  // namespace vf::vendors
