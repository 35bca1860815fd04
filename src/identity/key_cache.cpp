#include "identity/key_cache.hpp"

#include <string>

namespace vf::identity {

KeyCache::Found KeyCache::Find(const KeyHash& hash, Clock::time_point now) {
    if (const KnownKey* key = known_.Find(hash)) return {Answer::kKnown, key};
    const Clock::time_point* until = unknown_.Find(hash);
    if (until && now < *until) return {Answer::kUnknown, nullptr};
    return {};
}

void KeyCache::Put(const KeyHash& hash, std::optional<KnownKey> key, std::uint64_t generation,
                   Clock::time_point now) {
    if (generation != generation_) return;
    if (key) {
        unknown_.Erase(hash);
        known_.Put(hash, *std::move(key), options_.known);
    } else {
        unknown_.Put(hash, now + options_.unknown_for, options_.unknown);
    }
}

// Changes are rare and the list is in memory: a walk of 100,000 entries takes some milliseconds.
void KeyCache::Changed(std::string_view kind, std::string_view subject) {
    ++generation_;
    const std::optional<Uuid> id = Uuid::Parse(subject);
    const auto hangs_on = [&](const KnownKey& key) {
        if (kind == "plans") return !key.plan || key.plan->id == subject;
        if (!id) return true;
        if (kind == "api_keys") return key.id.uuid == *id;
        if (kind == "teams") return key.team.uuid == *id;
        if (kind == "billing_accounts") return key.billing.uuid == *id;
        return true;
    };
    for (auto entry = known_.order.begin(); entry != known_.order.end();) {
        const auto next = std::next(entry);
        if (hangs_on(entry->value)) known_.Erase(KeyHash(entry->hash));
        entry = next;
    }
}

void KeyCache::Clear() {
    ++generation_;
    known_.Clear();
    unknown_.Clear();
}

}  // namespace vf::identity
