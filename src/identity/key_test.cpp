// Keys as text, and what is remembered of them.
#include <gtest/gtest.h>

#include <set>

#include "identity/key_cache.hpp"
#include "identity/key_secret.hpp"

namespace vf::identity {
namespace {

using std::chrono::seconds;

TEST(KeySecret, SaysWhatItIsAndIsNeverTheSame) {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const KeySecret key = MakeKeySecret(i % 2 == 0);
        EXPECT_EQ(key.text.size(), 57U);
        EXPECT_TRUE(key.text.starts_with(i % 2 == 0 ? "vf_live_" : "vf_test_"));
        EXPECT_EQ(key.prefix, key.text.substr(0, 14));
        EXPECT_EQ(FormOfKey(key.text), KeyForm::kWellFormed);
        EXPECT_TRUE(seen.insert(key.text).second);
    }
}

TEST(KeySecret, EveryTypoIsFoundOutWithoutALookUp) {
    const std::string key = MakeKeySecret(true).text;
    for (std::size_t i = 3; i < key.size(); ++i) {
        std::string changed = key;
        changed[i] = changed[i] == 'a' ? 'b' : 'a';
        EXPECT_EQ(FormOfKey(changed), KeyForm::kMistyped) << i;
        EXPECT_EQ(FormOfKey(key.substr(0, i)), KeyForm::kMistyped) << i;
    }
    for (std::size_t i = 8; i + 1 < key.size(); ++i) {
        std::string swapped = key;
        std::swap(swapped[i], swapped[i + 1]);
        EXPECT_EQ(FormOfKey(swapped), swapped == key ? KeyForm::kWellFormed : KeyForm::kMistyped);
    }
    std::string other_world = key;
    other_world.replace(3, 4, "test");
    EXPECT_EQ(FormOfKey(other_world), KeyForm::kMistyped);
    EXPECT_EQ(FormOfKey(key + "0"), KeyForm::kMistyped);
    EXPECT_EQ(FormOfKey(key + " "), KeyForm::kMistyped);
    EXPECT_EQ(FormOfKey("vf_" + std::string(60'000, 'a')), KeyForm::kMistyped);
    EXPECT_EQ(FormOfKey("sk-0123"), KeyForm::kForeign);
    EXPECT_EQ(FormOfKey(""), KeyForm::kForeign);
}

KeyHash HashNumber(int n) {
    return HashOfKey(std::to_string(n));
}

KnownKey Key(TeamId team) {
    KnownKey key;
    key.id = KeyId::New();
    key.team = team;
    key.billing = BillingAccountId::New();
    Plan plan;
    plan.id = "pro";
    key.plan = std::make_shared<const Plan>(plan);
    return key;
}

class KeyCacheTest : public testing::Test {
protected:
    using Answer = KeyCache::Answer;
    KeyCache cache{KeyCacheOptions{3, 2, seconds(60)}};
    KeyCache::Clock::time_point now = KeyCache::Clock::now();

    void Put(int n, std::optional<KnownKey> key) {
        cache.Put(HashNumber(n), std::move(key), cache.generation(), now);
    }
    Answer Ask(int n) { return cache.Find(HashNumber(n), now).answer; }
};

TEST_F(KeyCacheTest, KeepsTheLatestAndNoMore) {
    for (int i = 0; i < 4; ++i) Put(i, Key(TeamId::New()));
    EXPECT_EQ(Ask(0), Answer::kAsk);
    EXPECT_EQ(Ask(1), Answer::kKnown);
    Put(4, Key(TeamId::New()));
    EXPECT_EQ(Ask(1), Answer::kKnown);
    EXPECT_EQ(Ask(2), Answer::kAsk);
    for (int i = 10; i < 1000; ++i) Put(i, std::nullopt);
    EXPECT_EQ(cache.size(), 5U);
    EXPECT_EQ(Ask(1), Answer::kKnown);
}

TEST_F(KeyCacheTest, AnUnknownKeyIsAskedForAgainLater) {
    Put(1, std::nullopt);
    EXPECT_EQ(Ask(1), Answer::kUnknown);
    now += seconds(61);
    EXPECT_EQ(Ask(1), Answer::kAsk);
    Put(1, Key(TeamId::New()));
    EXPECT_EQ(Ask(1), Answer::kKnown);
}

TEST_F(KeyCacheTest, AChangeForgetsWhatHangsOnIt) {
    const KnownKey first = Key(TeamId::New());
    const KnownKey second = Key(first.team);
    const KnownKey other = Key(TeamId::New());
    const auto fill = [&] {
        Put(1, first);
        Put(2, second);
        Put(3, other);
    };
    fill();
    cache.Changed("api_keys", first.id.uuid.Dashed());
    EXPECT_EQ(Ask(1), Answer::kAsk);
    EXPECT_EQ(Ask(2), Answer::kKnown);
    fill();
    cache.Changed("teams", first.team.uuid.Dashed());
    EXPECT_EQ(Ask(1), Answer::kAsk);
    EXPECT_EQ(Ask(2), Answer::kAsk);
    EXPECT_EQ(Ask(3), Answer::kKnown);
    fill();
    cache.Changed("billing_accounts", other.billing.uuid.Dashed());
    EXPECT_EQ(Ask(3), Answer::kAsk);
    EXPECT_EQ(Ask(1), Answer::kKnown);
    fill();
    cache.Changed("plans", "free");
    EXPECT_EQ(Ask(3), Answer::kKnown);
    cache.Changed("plans", "pro");
    EXPECT_EQ(Ask(1), Answer::kAsk);
}

TEST_F(KeyCacheTest, AnAnswerOlderThanAChangeIsNotKept) {
    const std::uint64_t asked = cache.generation();
    cache.Changed("api_keys", KeyId::New().uuid.Dashed());
    cache.Put(HashNumber(1), Key(TeamId::New()), asked, now);
    EXPECT_EQ(Ask(1), Answer::kAsk);
}

}  // namespace
}  // namespace vf::identity
