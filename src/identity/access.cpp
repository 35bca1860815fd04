#include "identity/access.hpp"

#include <stdexcept>

#include "base/metrics.hpp"
#include "base/unavailable.hpp"
#include "identity/access_state.hpp"
#include "identity/credential.hpp"
#include "identity/demo_mode.hpp"

namespace vf::identity {
namespace {

Error InvalidKey(std::string message) {
    return Error(ErrorKind::kUnauthenticated, "invalid_api_key", std::move(message));
}

Error NotUpYet() {
    return Error(ErrorKind::kUnavailable, "database_unavailable",
                 "The server cannot check keys at the moment. Please try again.")
        .RetryAfter(std::chrono::seconds(1));
}

Error NoCredential(bool demo_over) {
    if (demo_over) {
        return Error(ErrorKind::kUnauthenticated, "missing_api_key",
                     "Send an API key: \"Authorization: Bearer vf_live_…\".");
    }
    return Error(ErrorKind::kUnauthenticated, "missing_api_key",
                 "This server has no keys yet and answers only programs on its own machine, at "
                 "http://127.0.0.1 or http://localhost, without a proxy in between.");
}

// What a key that exists may do now.
Result<void> CheckKey(const KnownKey& key, std::optional<Scope> scope) {
    if (key.revoked) {
        return Error(ErrorKind::kUnauthenticated, "api_key_revoked", "This API key was revoked.");
    }
    if (key.expires_at && *key.expires_at <= std::chrono::system_clock::now()) {
        return Error(ErrorKind::kUnauthenticated, "api_key_expired", "This API key has expired.");
    }
    if (scope && !key.scopes.Has(*scope)) {
        return Error(ErrorKind::kForbidden, "missing_scope",
                     "This API key lacks the scope " + std::string(ScopeName(*scope)) + ".");
    }
    return {};
}

void FillCaller(Caller& caller, const KnownKey& key) {
    caller.kind = Caller::Kind::kKey;
    caller.live = key.live;
    caller.scopes = key.scopes;
    caller.team = key.team;
    caller.key = key.id;
    caller.billing = key.billing;
    caller.plan = key.plan;
}

// The answer from memory; no value: ask.
std::optional<Result<void>> FromMemory(AccessState& state, const KeyHash& hash,
                                       std::optional<Scope> scope, Caller& caller) {
    const auto now = KeyCache::Clock::now();
    const KeyCache::Found found = state.keys.Find(hash, now);
    if (found.answer == KeyCache::Answer::kAsk) return std::nullopt;
    if (state.IsOffline(now)) return NotUpYet();
    if (found.answer == KeyCache::Answer::kUnknown) {
        return InvalidKey("This API key is not known to this server.");
    }
    Result<void> allowed = CheckKey(*found.key, scope);
    if (!allowed) return allowed;
    FillCaller(caller, *found.key);
    state.uses.Count(found.key->id, caller.address);
    return allowed;
}

Task<Result<void>> FromDatabase(std::shared_ptr<AccessState> state, KeyHash hash,
                                std::optional<Scope> scope, Caller* caller) {
    if (!state->database) co_return NotUpYet();
    const std::uint64_t generation = state->keys.generation();
    std::optional<KnownKey> key = co_await state->LookUp(hash);
    state->keys.Put(hash, key, generation, KeyCache::Clock::now());
    if (!key) co_return InvalidKey("This API key is not known to this server.");
    const Result<void> allowed = CheckKey(*key, scope);
    if (!allowed) co_return allowed;
    FillCaller(*caller, *key);
    state->uses.Count(key->id, caller->address);
    co_return Result<void>();
}

// Why a text cannot be a key; success: it may be one.
Result<void> CheckForm(std::string_view text) {
    switch (FormOfKey(text)) {
        case KeyForm::kWellFormed: return {};
        case KeyForm::kMistyped:
            return InvalidKey(
                "This API key is incomplete or mistyped: a key is vf_live_ or vf_test_ and 49 "
                "letters and digits. Copy it again as a whole.");
        case KeyForm::kForeign: break;
    }
    return InvalidKey("This is not an API key of this server; its keys begin with vf_.");
}

}  // namespace

struct Access::Impl {
    std::shared_ptr<AccessState> state;
    TrustedProxies proxies;
};

void DeclareSettings(SettingsSchema& schema, AccessOptions& options) {
    using std::chrono::milliseconds;
    schema.Choice("auth.demo", options.demo, {"auto", "always", "never"},
                  {"\"always\"",
                   "Whether callers on this machine may speak without a key: until the first "
                   "account or key exists (auto), always, or never."});
    schema.Integer("auth.cached_keys", options.cached_keys, 1, 10'000'000,
                   {"100000", "API keys kept in memory."});
    schema.Integer("auth.cached_unknown_keys", options.cached_unknown_keys, 1, 10'000'000,
                   {"10000", "Unknown API keys remembered, so that they cost no query each."});
    schema.Duration("auth.unknown_for", options.unknown_for, milliseconds(100),
                    milliseconds(3'600'000), {"60s", "How long an unknown API key is remembered."});
    schema.Duration(
        "auth.poll_interval", options.poll_interval, milliseconds(50), milliseconds(60'000),
        {"400ms", "How often changed keys are looked for beside PostgreSQL's notices."});
    schema.Duration("auth.offline_limit", options.offline_limit, milliseconds(1000),
                    milliseconds(86'400'000),
                    {"1h", "How long known keys go on while the database is away."});
    schema.Duration("auth.record_interval", options.record_interval, milliseconds(100),
                    milliseconds(600'000),
                    {"5s", "How often last use and request counts of keys are written."});
    schema.Text("http.trusted_proxies", options.trusted_proxies,
                {"\"10.0.0.0/8, ::1\"",
                 "Proxies whose X-Forwarded-For is believed: networks, addresses, or unix for the "
                 "Unix socket, separated by commas."});
}

Access::Access(asio::io_context& loop, AccessOptions options) {
    Result<TrustedProxies> proxies = TrustedProxies::Parse(options.trusted_proxies);
    if (!proxies) throw std::invalid_argument(proxies.error().message());
    auto state = std::make_shared<AccessState>(loop.get_executor(), std::move(options));
    impl_ = std::make_shared<Impl>(Impl{std::move(state), *std::move(proxies)});
}

Access::~Access() {
    impl_->state->stopped = true;
    impl_->state->poll_timer.cancel();
}

Task<void> Access::Start(std::shared_ptr<pg::Database> database, OnAccessChange on_change) {
    return AccessState::Start(impl_->state, std::move(database), std::move(on_change));
}

Task<void> Access::Stop() {
    return AccessState::Stop(impl_->state);
}

std::optional<Result<void>> Access::Decide(http::Request& request,
                                           std::optional<Scope> scope) const {
    AccessState& state = *impl_->state;
    Caller& caller = request.caller;
    caller.address = impl_->proxies.ClientAddress(request);
    caller.request_id = request.id;
    const Credential credential = FindCredential(request);
    if (credential.conflict) {
        return Error(ErrorKind::kUnauthenticated, "conflicting_credentials",
                     "Two different credentials were sent. Send one: Authorization, xi-api-key or "
                     "X-API-Key.");
    }
    if (!credential.value.empty() && FormOfKey(credential.value) != KeyForm::kForeign) {
        Result<void> form = CheckForm(credential.value);
        if (!form) return form;
        return FromMemory(state, HashOfKey(credential.value), scope, caller);
    }
    if (state.options.demo != "never" && IsFromThisMachine(request)) {
        if (state.options.demo == "auto" && !state.demo_known) return NotUpYet();
        if (state.options.demo == "always" || !state.has_credentials) {
            state.FillDemo(caller);
            return Result<void>();
        }
    }
    if (!credential.value.empty() && state.has_credentials) return CheckForm(credential.value);
    return NoCredential(state.has_credentials);
}

http::Guard Access::Guard(std::optional<Scope> scope) const {
    http::Guard guard;
    guard.early = [this, scope](http::Request& request) { return Decide(request, scope); };
    guard.late = [state = impl_->state, scope](http::Request& request) {
        const Credential credential = FindCredential(request);
        return FromDatabase(state, HashOfKey(credential.value), scope, &request.caller);
    };
    return guard;
}

Task<Result<Caller>> Access::AdmitKey(std::string key, std::optional<Scope> scope,
                                      Caller from) const {
    auto state = impl_->state;
    const Result<void> form = CheckForm(key);
    if (!form) co_return form.error();
    const KeyHash hash = HashOfKey(key);
    std::optional<Result<void>> decided = FromMemory(*state, hash, scope, from);
    if (!decided) decided = co_await FromDatabase(state, hash, scope, &from);
    if (!*decided) co_return decided->error();
    co_return from;
}

}  // namespace vf::identity
