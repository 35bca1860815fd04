#include "identity/access_state.hpp"

#include <stdexcept>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/unavailable.hpp"
#include "plans/plans.hpp"

namespace vf::identity {
namespace {

constexpr std::chrono::minutes kWindow{1};
constexpr std::chrono::minutes kSweepInterval{10};
constexpr std::size_t kMostUses = 100'000;

prometheus::Gauge& KeysGauge() {
    static prometheus::Gauge& gauge = prometheus::BuildGauge()
                                          .Name("voiceflow_api_keys_total")
                                          .Help("API keys that may be used now.")
                                          .Register(metrics::Registry())
                                          .Add({});
    return gauge;
}

}  // namespace

void KeyUses::Count(KeyId key, const std::string& address) {
    auto found = uses_.find(key);
    if (found == uses_.end()) {
        if (uses_.size() >= kMostUses) return;
        found = uses_.emplace(key, KeyUse{key, 0, 0, {}}).first;
    }
    KeyUse& use = found->second;
    ++use.requests;
    use.last_unix_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count();
    if (use.address != address) use.address = address;
}

std::vector<KeyUse> KeyUses::Take() {
    std::vector<KeyUse> taken;
    taken.reserve(uses_.size());
    for (auto& [id, use] : uses_) taken.push_back(std::move(use));
    uses_.clear();
    return taken;
}

AccessState::AccessState(Executor executor, AccessOptions o)
    : loop(executor), options(std::move(o)),
      keys({static_cast<std::size_t>(options.cached_keys),
            static_cast<std::size_t>(options.cached_unknown_keys),
            std::chrono::duration_cast<std::chrono::seconds>(options.unknown_for)}),
      poll_timer(executor) {
    Plan plan;
    plan.id = "demo";
    plan.name = "Demo";
    plan.quality = "studio";
    demo_plan = std::make_shared<const Plan>(std::move(plan));
}

bool AccessState::IsOffline(KeyCache::Clock::time_point now) const {
    return now - fresh_at > options.offline_limit;
}

void AccessState::FillDemo(Caller& caller) const {
    caller.kind = Caller::Kind::kDemo;
    caller.live = false;
    caller.team = kDemoTeam;
    caller.billing = BillingAccountId{kDemoTeam.uuid};
    caller.scopes = Scopes::All();
    caller.plan = demo_plan;
}

Task<std::optional<KnownKey>> AccessState::LookUp(KeyHash hash) {
    auto db = database;
    pg::SystemDb system = db->System("a key says which team it belongs to");
    std::optional<KnownKey> key = co_await key_store::FindByHash(system, hash);
    if (!key) co_return key;
    std::string plan_id = key->plan_id;
    plans::PlanStore store(system);
    key->plan = co_await store.Find(std::move(plan_id));
    if (!key->plan) throw std::runtime_error("a team's plan is not in the table of plans");
    co_return key;
}

Task<void> AccessState::Start(std::shared_ptr<AccessState> state,
                              std::shared_ptr<pg::Database> database, OnAccessChange on_change) {
    co_await ReadCredentials(state, database);
    state->database = std::move(database);
    state->on_change = std::move(on_change);
    Spawn(state->loop, Watch(state), "access_watch");
}

Task<void> AccessState::Stop(std::shared_ptr<AccessState> state) {
    state->stopped = true;
    state->poll_timer.cancel();
    if (state->database) {
        try {
            co_await WriteUses(state);
        } catch (const std::exception& e) {
            log::Warning("key_uses_lost", {{"error", e.what()}});
        }
    }
}

void AccessState::Apply(std::string_view kind, std::string_view subject) {
    keys.Changed(kind, subject);
    if (on_change) on_change(kind, subject);
    const bool may_end_demo = !has_credentials && (kind == "api_keys" || kind == "accounts");
    if (may_end_demo) poll_timer.cancel();  // read at once
}

Task<void> AccessState::ReadCredentials(std::shared_ptr<AccessState> state,
                                        std::shared_ptr<pg::Database> database) {
    pg::SystemDb system = database->System("whether the demo mode is over");
    state->has_credentials = co_await key_store::HasCredentials(system);
    state->demo_known = true;
}

Task<void> AccessState::WriteUses(std::shared_ptr<AccessState> state) {
    std::vector<KeyUse> uses = state->uses.Take();
    if (uses.empty()) co_return;
    pg::SystemDb system = state->database->System("last use of keys, of all teams at once");
    co_await key_store::RecordUse(system, std::move(uses));
}

Task<void> AccessState::Poll(std::shared_ptr<AccessState> state) {
    pg::SystemDb system = state->database->System("changed keys, teams and plans");
    const auto started = KeyCache::Clock::now();
    Window& window = state->window_;
    std::int64_t from = window.from;
    std::int64_t last = window.marks.empty() ? window.from : window.marks.back().second;
    for (;;) {
        const std::vector<AccessChange> changes = co_await key_store::ChangesAfter(system, from);
        for (const AccessChange& change : changes) {
            if (window.seen.insert(change.seq).second) state->Apply(change.kind, change.subject);
            last = std::max(last, change.seq);
            from = change.seq;
        }
        if (changes.size() < 1000) break;
    }
    window.marks.emplace_back(started, last);
    while (started - window.marks.front().first > kWindow) {
        window.from = window.marks.front().second;
        window.marks.pop_front();
    }
    window.seen.erase(window.seen.begin(), window.seen.upper_bound(window.from));
    state->fresh_at = started;
    if (!state->has_credentials) co_await ReadCredentials(state, state->database);
    if (started - state->written_at_ >= state->options.record_interval) {
        state->written_at_ = started;
        co_await WriteUses(state);
        const std::int64_t usable = co_await key_store::CountUsable(system);
        KeysGauge().Set(static_cast<double>(usable));
    }
    if (started - state->swept_at_ >= kSweepInterval) {
        state->swept_at_ = started;
        co_await key_store::SweepChanges(system);
    }
}

Task<void> AccessState::Watch(std::shared_ptr<AccessState> state) {
    const std::weak_ptr<AccessState> weak = state;
    pg::ListenCallback heard = [weak](const pg::ListenEvent& event) {
        const auto self = weak.lock();
        if (!self) return;
        if (event.kind == pg::ListenEvent::Kind::kListening) {
            self->keys.Clear();
            if (self->on_change) self->on_change("", "");
            return;
        }
        const std::size_t space = event.payload.find(' ');
        const std::string_view payload = event.payload;
        self->Apply(payload.substr(0, space),
                    space == std::string_view::npos ? "" : payload.substr(space + 1));
    };
    co_await state->database->Listen("vf_access", std::move(heard));
    state->fresh_at = KeyCache::Clock::now();
    bool first = true;
    while (!state->stopped) {
        try {
            if (first) {
                pg::SystemDb system = state->database->System("where the changes stand");
                state->window_.from = co_await key_store::LastChange(system);
                first = false;
            }
            co_await Poll(state);
        } catch (const UnavailableException&) {
            // The pool tells of the database going and coming; the keys at hand go on.
        } catch (const std::exception& e) {
            log::Error("access_poll_failed", {{"error", e.what()}});
        }
        state->poll_timer.expires_after(state->options.poll_interval);
        co_await state->poll_timer.async_wait(kAwaitTuple);
    }
}

}  // namespace vf::identity
