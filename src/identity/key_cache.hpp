#pragma once
// The API keys that were asked for lately, so that a warm check touches no database: known ones,
// and unknown ones for a while, so that a flood of wrong keys is not a flood of queries. Both
// bounded; the least recently used leave first. On the loop; not thread-safe.

#include <chrono>
#include <cstddef>
#include <cstring>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/caller.hpp"
#include "identity/key_secret.hpp"

namespace vf::identity {

// What is stored of a key that exists, with its team's plan.
struct KnownKey {
    KeyId id;
    TeamId team;
    BillingAccountId billing;
    bool live = false;
    Scopes scopes;
    std::optional<std::chrono::system_clock::time_point> expires_at;
    bool revoked = false;  // or its team is deleted
    std::string plan_id;
    std::shared_ptr<const Plan> plan;  // set after the look-up
};

struct KeyCacheOptions {
    std::size_t known = 100'000;
    std::size_t unknown = 10'000;
    std::chrono::seconds unknown_for{60};
};

class KeyCache {
public:
    using Clock = std::chrono::steady_clock;

    explicit KeyCache(KeyCacheOptions options) : options_(options) {}

    enum class Answer { kAsk, kKnown, kUnknown };
    struct Found {
        Answer answer = Answer::kAsk;
        const KnownKey* key = nullptr;  // of kKnown; valid until the cache changes
    };
    Found Find(const KeyHash& hash, Clock::time_point now);

    // `generation` is what generation() said before the database was asked: an answer that is older
    // than a change heard of meanwhile is not kept.
    void Put(const KeyHash& hash, std::optional<KnownKey> key, std::uint64_t generation,
             Clock::time_point now);
    std::uint64_t generation() const { return generation_; }

    // Forgets what hangs on the changed row: of `api_keys`, `teams`, `billing_accounts` or `plans`.
    void Changed(std::string_view kind, std::string_view subject);
    void Clear();
    std::size_t size() const { return known_.order.size() + unknown_.order.size(); }

private:
    struct HashOfHash {
        // It is one already.
        std::size_t operator()(const KeyHash& hash) const {
            std::size_t value = 0;
            std::memcpy(&value, hash.data(), sizeof value);
            return value;
        }
    };
    template <class Value>
    struct Recent {
        struct Entry {
            KeyHash hash;
            Value value;
        };
        std::list<Entry> order;  // most recently used first
        std::unordered_map<KeyHash, typename std::list<Entry>::iterator, HashOfHash> by_hash;

        Value* Find(const KeyHash& hash) {
            const auto found = by_hash.find(hash);
            if (found == by_hash.end()) return nullptr;
            order.splice(order.begin(), order, found->second);
            return &order.front().value;
        }
        void Erase(const KeyHash& hash) {
            const auto found = by_hash.find(hash);
            if (found == by_hash.end()) return;
            order.erase(found->second);
            by_hash.erase(found);
        }
        void Put(const KeyHash& hash, Value value, std::size_t most) {
            Erase(hash);
            order.push_front({hash, std::move(value)});
            by_hash[hash] = order.begin();
            while (order.size() > most) {
                by_hash.erase(order.back().hash);
                order.pop_back();
            }
        }
        void Clear() {
            order.clear();
            by_hash.clear();
        }
    };

    KeyCacheOptions options_;
    std::uint64_t generation_ = 0;
    Recent<KnownKey> known_;
    Recent<Clock::time_point> unknown_;  // until when
};

}  // namespace vf::identity
