#include "plans/plans.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "pg/migrations.hpp"
#include "pg/pg_testing.hpp"
#include "pg/roles.hpp"

namespace vf::plans {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

const std::filesystem::path kCatalogues = std::filesystem::path(VF_SOURCE_DIR) / "plans";

constexpr const char* kMinimal =
    "[[plan]]\nid = \"a\"\nname = \"A\"\ntier = \"free\"\ncurrency = \"USD\"\nprice_minor = 0\n"
    "quality = \"standard\"\n";

TEST(Catalogue, TheDefaultIsWhatIsOnSale) {
    const auto plans = LoadCatalogue(kCatalogues / "default.toml");
    ASSERT_TRUE(plans) << plans.error().message();
    ASSERT_EQ(plans->size(), 3U);
    const Plan& free = (*plans)[0];
    EXPECT_EQ(free.id, "free");
    EXPECT_EQ(free.price_minor, 0);
    EXPECT_EQ(free.requests, 10'000);
    EXPECT_EQ(free.deployments, 1);
    EXPECT_EQ(free.over_request_milli, std::nullopt);
    const Plan& pro = (*plans)[1];
    EXPECT_EQ(pro.id, "pro");
    EXPECT_EQ(pro.tier, PlanTier::kPaid);
    EXPECT_EQ(pro.price_minor, 4'900);
    EXPECT_EQ(pro.requests, 100'000);
    EXPECT_EQ(pro.deployments, 5);
    EXPECT_EQ(pro.over_request_milli, 100);  // $0.001
    const Plan& enterprise = (*plans)[2];
    EXPECT_EQ(enterprise.id, "enterprise");
    EXPECT_EQ(enterprise.tier, PlanTier::kEnterprise);
    EXPECT_EQ(enterprise.price_minor, 29'900);
    EXPECT_EQ(enterprise.requests, 1'000'000);
    EXPECT_EQ(enterprise.deployments, std::nullopt);
    EXPECT_EQ(enterprise.over_request_milli, 50);  // $0.0005
}

TEST(Catalogue, TheAlternativesAreReadable) {
    const auto minutes = LoadCatalogue(kCatalogues / "audio-minutes.toml");
    ASSERT_TRUE(minutes) << minutes.error().message();
    ASSERT_EQ(minutes->size(), 3U);
    const std::int64_t expected[] = {10, 200, 2000};
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ((*minutes)[i].audio_ms, expected[i] * 60'000);
        EXPECT_EQ((*minutes)[i].requests, std::nullopt);
    }
    const auto agents = LoadCatalogue(kCatalogues / "phone-agents.toml");
    ASSERT_TRUE(agents) << agents.error().message();
    ASSERT_EQ(agents->size(), 3U);
    const std::int64_t prices[] = {29'900, 49'900, 79'900};
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ((*agents)[i].price_minor, prices[i]);
}

TEST(Catalogue, SaysWhatIsWrongAndWhere) {
    const std::string minimal = kMinimal;
    const struct {
        std::string text;
        const char* message;
    } cases[] = {
        {"", "p.toml:1: there is no [[plan]]"},
        {"plan = []", "p.toml:1: there is no [[plan]]"},
        {"[plan]\nid = 1", "p.toml:1: there is no [[plan]]"},
        {"plan = [1]", "p.toml:1: a plan must be a table"},
        {"nonsense", "p.toml:1: "},
        {minimal + "\n[other]\nx = 1\n", "p.toml:9: unknown key 'other'"},
        {minimal + "request = 5\n", "p.toml:8: unknown key 'request'"},
        {minimal + "requests = -1\n", "p.toml:8: 'requests' must be a whole number from 0"},
        {minimal + "requests = 1.5\n", "p.toml:8: 'requests' must be a whole number"},
        {minimal + "requests = \"5\"\n", "p.toml:8: 'requests' must be a whole number"},
        {minimal + "requests = 9_000_000_000_000_000_000\n", "p.toml:8: 'requests' must be"},
        {minimal + "concurrency = 0\n", "p.toml:8: 'concurrency' must be a whole number from 1"},
        {minimal + "over_request_milli = 1\n",
         "plan 'a' has 'over_request_milli' but no allowance"},
        {minimal + minimal, "p.toml:8: two plans have the id 'a'"},
        {minimal + "requests = 5\nrequests = 6\n", "p.toml:9: "},
        {"[[plan]]\nid = \"a\"\n", "p.toml:1: this plan has no 'name'"},
        {"[[plan]]\nid = \"A b\"\n", "p.toml:2: 'id' must be"},
        {"[[plan]]\nid = \"\"\n", "p.toml:2: 'id' must be"},
        {"[[plan]]\nid = 5\n", "p.toml:2: 'id' must be a text"},
        {"[[plan]]\nname = \"a\\u0000b\"\n", "p.toml:2: 'name' must be"},
        {"[[plan]]\nname = \"" + std::string(101, 'n') + "\"\n", "p.toml:2: 'name' must be"},
        {"[[plan]]\ntier = \"gold\"\n", "p.toml:2: 'tier' must be one of free, paid, enterprise"},
        {"[[plan]]\nquality = \"best\"\n", "p.toml:2: 'quality' must be one of standard"},
        {"[[plan]]\ncurrency = \"usd\"\n", "p.toml:2: 'currency' must be an ISO 4217 code"},
        {"[[plan]]\nprice_minor = -1\n", "p.toml:2: 'price_minor' must be"},
    };
    for (const auto& c : cases) {
        const auto plans = ParseCatalogue(c.text, "p.toml");
        ASSERT_FALSE(plans) << c.text;
        EXPECT_EQ(plans.error().code(), "bad_catalogue");
        EXPECT_THAT(plans.error().message(), HasSubstr(c.message)) << c.text;
    }
    EXPECT_TRUE(ParseCatalogue(minimal, "p.toml"));
}

TEST(Catalogue, AFileThatIsNotThereOrTooLarge) {
    const pg::TempDir dir;
    EXPECT_EQ(LoadCatalogue(dir.path() / "none.toml").error().code(), "bad_catalogue");
    EXPECT_EQ(LoadCatalogue(dir.path()).error().code(), "bad_catalogue");
    std::ofstream(dir.path() / "large.toml") << std::string((1 << 20) + 1, '#');
    EXPECT_THAT(LoadCatalogue(dir.path() / "large.toml").error().message(), HasSubstr("larger"));
}

const pg::RoleUrls& Urls() {
    static const pg::RoleUrls urls = [] {
        pg::RoleOptions options;
        options.owner_url = pg::SharedCluster()->url();
        options.app_password = "app-password";
        options.system_password = "system-password";
        auto made = pg::EnsureRoles(options);
        if (!made) throw std::runtime_error(made.error().message());
        pg::MigrationOptions migration;
        migration.url = options.owner_url;
        migration.folder = std::filesystem::path(VF_SOURCE_DIR) / "migrations";
        auto report = pg::MigrateNow(migration);
        if (!report) throw std::runtime_error(report.error().message());
        return *made;
    }();
    return urls;
}

// Runs `body(Database*)` on a table that holds the built-in plan only.
template <class Body>
void WithPlans(Body body) {
    const pg::RoleUrls& urls = Urls();
    pg::BlockingConnection owner(pg::SharedCluster()->url(), milliseconds(5000));
    owner.Run("DELETE FROM plans WHERE id <> 'demo'");
    asio::io_context loop;
    pg::PoolOptions app;
    app.url = urls.app;
    app.connections = 1;
    pg::PoolOptions system = app;
    system.url = urls.system;
    pg::Database database(loop, app, system);
    auto run = [](pg::Database* db, Body* inner) -> Task<void> {
        co_await (*inner)(db);
        db->Close();
    };
    RunTask(loop, run(&database, &body));
}

TEST(PlanStore, ANewInstallationHasTheDefaultCatalogue) {
    WithPlans([](pg::Database* db) -> Task<void> {
        pg::SystemDb system = db->System("test");
        const std::filesystem::path file = kCatalogues / "default.toml";
        const Result<bool> first = co_await EnsureCatalogue(system, file);
        EXPECT_TRUE(first.ok() && *first);
        const Result<bool> second = co_await EnsureCatalogue(system, file);
        EXPECT_TRUE(second.ok() && !*second);
        PlanStore store(system);
        const auto pro = co_await store.Find("pro");
        EXPECT_TRUE(pro);
        if (!pro) co_return;
        const auto plans = LoadCatalogue(file);
        const Plan& expected = (*plans)[1];
        EXPECT_EQ(pro->name, expected.name);
        EXPECT_EQ(pro->tier, expected.tier);
        EXPECT_EQ(pro->requests, expected.requests);
        EXPECT_EQ(pro->characters, expected.characters);
        EXPECT_EQ(pro->over_request_milli, expected.over_request_milli);
        EXPECT_EQ(pro->concurrency, expected.concurrency);
        EXPECT_EQ(pro->text_characters, expected.text_characters);
        EXPECT_EQ(pro->voices, expected.voices);
        EXPECT_EQ(pro->deployments, expected.deployments);
        EXPECT_EQ(pro->storage_bytes, expected.storage_bytes);
        EXPECT_EQ(pro->quality, expected.quality);
        const auto none = co_await store.Find("platinum");
        EXPECT_EQ(none, nullptr);
        const auto listed = co_await store.List();
        EXPECT_EQ(listed.size(), 4U);
        EXPECT_EQ(listed.back().plan->id, "enterprise");
        EXPECT_EQ(listed.back().catalogue, "default");
    });
}

TEST(PlanStore, ServersThatStartAtOnceEndUpWithOneCatalogue) {
    WithPlans([](pg::Database* db) -> Task<void> {
        struct Count {
            int running = 0;
            int made = 0;
        };
        auto ensure = [](pg::SystemDb system, Count* count) -> Task<void> {
            const std::filesystem::path file = kCatalogues / "default.toml";
            const Result<bool> result = co_await EnsureCatalogue(system, file);
            EXPECT_TRUE(result.ok());
            if (result.ok() && *result) ++count->made;
            --count->running;
        };
        Count count;
        const Executor loop = co_await asio::this_coro::executor;
        for (int i = 0; i < 4; ++i) {
            ++count.running;
            Spawn(loop, ensure(db->System("test"), &count), "ensure");
        }
        while (count.running > 0) co_await Sleep(milliseconds(1));
        EXPECT_EQ(count.made, 1);
    });
}

TEST(PlanStore, ACatalogueReplacesItselfAndNoOther) {
    WithPlans([](pg::Database* db) -> Task<void> {
        PlanStore store(db->System("test"));
        auto plans = ParseCatalogue(kMinimal, "p");
        std::vector<Plan> two = *plans;
        two.push_back(two[0]);
        two[1].id = "b";
        two[1].requests = 5;
        Result<void> put = co_await store.Put("mine", two);
        EXPECT_TRUE(put.ok());
        two[0].name = "Renamed";
        two.pop_back();
        put = co_await store.Put("mine", two);
        EXPECT_TRUE(put.ok());
        const auto listed = co_await store.List();
        EXPECT_EQ(listed.size(), 3U);
        for (const OfferedPlan& each : listed) {
            EXPECT_EQ(each.offered, each.plan->id == "a") << each.plan->id;
            if (each.plan->id == "a") EXPECT_EQ(each.plan->name, "Renamed");
        }
        // Another catalogue may not take the id, and nothing of it is written.
        two.insert(two.begin(), two[0]);
        two[0].id = "c";
        put = co_await store.Put("other", two);
        EXPECT_FALSE(put.ok());
        if (!put) EXPECT_EQ(put.error().code(), "plan_of_another_catalogue");
        const auto c = co_await store.Find("c");
        EXPECT_EQ(c, nullptr);
        two[0].id = "demo";
        put = co_await store.Put("other", two);
        EXPECT_FALSE(put.ok());
    });
}

TEST(PlanStore, ABadFileLeavesTheTableAsItIs) {
    WithPlans([](pg::Database* db) -> Task<void> {
        const std::filesystem::path file = "none.toml";
        const Result<bool> result = co_await EnsureCatalogue(db->System("test"), file);
        EXPECT_FALSE(result.ok());
        PlanStore store(db->System("test"));
        const auto listed = co_await store.List();
        EXPECT_EQ(listed.size(), 1U);
    });
}

}  // namespace
}  // namespace vf::plans
