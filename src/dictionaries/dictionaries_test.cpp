// The service on a real PostgreSQL.
#include "dictionaries/dictionaries.hpp"

#include <gtest/gtest.h>

#include "dictionaries/dictionaries_body.hpp"
#include "dictionaries/dictionaries_rules.hpp"
#include "pg/database.hpp"
#include "pg/migrations.hpp"
#include "pg/pg_testing.hpp"
#include "pg/roles.hpp"

namespace vf::dictionaries {
namespace {

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

constexpr pg::Statement kMakeTeam{"test_dictionaries_team",
                                  "INSERT INTO teams (id, billing_account_id, name) "
                                  "SELECT $1::uuid, id, 'Team' FROM billing_accounts LIMIT 1"};

text::LexiconRule Alias(std::string grapheme, std::string value) {
    text::LexiconRule rule;
    rule.grapheme = std::move(grapheme);
    rule.value = std::move(value);
    return rule;
}

class DictionariesTest : public testing::Test {
protected:
    DictionariesTest() {
        pg::PoolOptions app;
        app.url = Urls().app;
        pg::PoolOptions system = app;
        system.url = Urls().system;
        database = std::make_shared<pg::Database>(loop, app, system);
        options.cached_rules = 3;
        dictionaries = std::make_unique<Dictionaries>(loop, threads, options);
        dictionaries->Start(database);
        mine = MakeTeam();
        theirs = MakeTeam();
    }
    ~DictionariesTest() override {
        dictionaries->Stop();
        database->Close();
        loop.restart();
        loop.run();
        threads.join();
    }

    template <class T>
    T Run(Task<T> task) {
        std::optional<T> result;
        std::exception_ptr failure;
        asio::co_spawn(loop, std::move(task), [&](std::exception_ptr e, T value) {
            failure = e;
            if (!e) result.emplace(std::move(value));
            loop.stop();
        });
        loop.restart();
        loop.run();
        if (failure) std::rethrow_exception(failure);
        return std::move(*result);
    }
    static Task<std::int64_t> Insert(pg::Database* db, TeamId team) {
        constexpr std::chrono::milliseconds kLong{20'000};
        co_await db->WaitAvailable(kLong);
        pg::SystemDb system = db->System("the test makes its teams");
        pg::Params params;
        params.Text(team.uuid.Dashed());
        const pg::Rows rows = co_await system.Query(kMakeTeam, std::move(params));
        co_return rows.affected();
    }
    Caller MakeTeam() {
        Caller caller;
        caller.kind = Caller::Kind::kKey;
        caller.team = TeamId::New();
        caller.key = KeyId::New();
        EXPECT_EQ(Run(Insert(database.get(), caller.team)), 1);
        return caller;
    }
    Dictionary Make(const Caller& caller, const std::string& name, Rules rules) {
        NewDictionary wanted;
        wanted.name = name;
        wanted.rules = std::move(rules);
        Result<Dictionary> made = Run(dictionaries->Create(caller, std::move(wanted)));
        if (!made) throw std::runtime_error(made.error().message());
        return *made;
    }
    std::string Spoken(TeamId team, Locator locator) {
        const Result<Lexicon> lexicon = Run(dictionaries->Load(team, locator));
        if (!lexicon) return lexicon.error().code();
        return (*lexicon)->rules().empty() ? "" : (*lexicon)->rules().front().value;
    }
    ChangeRules To(Rules rules) {
        return [rules = std::move(rules)](const Rules&) -> Result<Rules> { return rules; };
    }

    asio::io_context loop;
    asio::thread_pool threads{1};
    std::shared_ptr<pg::Database> database;
    DictionaryOptions options;
    std::unique_ptr<Dictionaries> dictionaries;
    Caller mine;
    Caller theirs;
};

TEST_F(DictionariesTest, VersionsNeverChange) {
    const Dictionary made = Make(mine, "Words", {Alias("VF", "first")});
    EXPECT_EQ(made.latest_number, 1);
    const auto changed =
        Run(dictionaries->SetRules(mine, made.id, To({Alias("VF", "second"), Alias("b", "c")})));
    ASSERT_TRUE(changed);
    EXPECT_EQ(changed->latest_number, 2);
    EXPECT_EQ(Spoken(mine.team, {made.id, std::nullopt}), "second");
    EXPECT_EQ(Spoken(mine.team, {made.id, made.latest}), "first");
    const auto same =
        Run(dictionaries->SetRules(mine, made.id, To({Alias("VF", "second"), Alias("b", "c")})));
    ASSERT_TRUE(same);
    EXPECT_EQ(same->latest_number, 2);
}

TEST_F(DictionariesTest, WhatTheCacheLetGoOfIsReadAgain) {
    std::vector<Dictionary> made;
    for (const char* name : {"a", "b", "c", "d"})
        made.push_back(Make(mine, name, {Alias("x", name)}));
    for (int round = 0; round < 2; ++round) {
        for (const Dictionary& one : made) {
            EXPECT_EQ(Spoken(mine.team, {one.id, one.latest}), one.name);
        }
    }
}

TEST_F(DictionariesTest, OtherTeamsFindNothingEvenInTheCache) {
    const Dictionary made = Make(mine, "Words", {Alias("VF", "mine")});
    EXPECT_EQ(Spoken(mine.team, {made.id, made.latest}), "mine");
    EXPECT_EQ(Spoken(theirs.team, {made.id, made.latest}), "dictionary_not_found");
    EXPECT_EQ(Spoken(theirs.team, {made.id, std::nullopt}), "dictionary_not_found");
    const Dictionary other = Make(mine, "Others", {});
    EXPECT_EQ(Spoken(mine.team, {other.id, made.latest}), "dictionary_version_not_found");
    EXPECT_FALSE(Run(dictionaries->LoadByName(theirs.team, "Words")));
    EXPECT_TRUE(Run(dictionaries->LoadByName(mine.team, "Words")));
    EXPECT_FALSE(Run(dictionaries->Delete(theirs, made.id)));
}

TEST_F(DictionariesTest, DefaultsAreRememberedAndFollowChanges) {
    const Dictionary made = Make(mine, "Words", {Alias("VF", "first")});
    EXPECT_TRUE(Run(dictionaries->LoadDefaults(mine.team)).empty());
    EXPECT_TRUE(Run(dictionaries->SetDefaults(mine, {made.id})));
    EXPECT_FALSE(dictionaries->TryLoadDefaults(mine.team));
    EXPECT_EQ(Run(dictionaries->LoadDefaults(mine.team)).size(), 1U);
    EXPECT_TRUE(dictionaries->TryLoadDefaults(mine.team));
    ASSERT_TRUE(Run(dictionaries->SetRules(mine, made.id, To({Alias("VF", "second")}))));
    const auto defaults = Run(dictionaries->LoadDefaults(mine.team));
    ASSERT_EQ(defaults.size(), 1U);
    EXPECT_EQ(defaults.front()->rules().front().value, "second");
    const Result<void> twice = Run(dictionaries->SetDefaults(mine, {made.id, made.id}));
    EXPECT_FALSE(twice);
}

TEST_F(DictionariesTest, WithTheDatabaseAwayTheLastDefaultsHold) {
    const Dictionary made = Make(mine, "Words", {Alias("VF", "first")});
    EXPECT_TRUE(Run(dictionaries->SetDefaults(mine, {made.id})));
    EXPECT_EQ(Run(dictionaries->LoadDefaults(mine.team)).size(), 1U);
    dictionaries->Stop();
    EXPECT_TRUE(Run(dictionaries->LoadDefaults(theirs.team)).empty());
    EXPECT_EQ(Run(dictionaries->LoadDefaults(mine.team)).size(), 1U);
}

TEST(DictionaryRules, SurviveTheirStorage) {
    text::LexiconRule phoneme;
    phoneme.grapheme = "tomato \"x\"";
    phoneme.kind = text::LexiconRule::Kind::kPhoneme;
    phoneme.value = "t";
    phoneme.alphabet = "cmu-arpabet";
    phoneme.source = "T";
    phoneme.case_sensitive = false;
    text::LexiconRule alias = Alias("ü", "you\numlaut");
    alias.word_boundaries = false;
    const Rules rules{phoneme, alias};
    EXPECT_EQ(StoredRules(PrintRules(rules)), rules);
    EXPECT_THROW(StoredRules("{"), std::runtime_error);
}

TEST(DictionaryBody, NamesEveryWrongMember) {
    const auto code = [](std::string_view body) {
        const auto read = ReadNewDictionary(body);
        return read ? std::string("ok") : read.error().fields().front().path;
    };
    EXPECT_EQ(code(R"({"name":"a","rules":[{"grapheme":"b","alias":"c"}]})"), "ok");
    EXPECT_EQ(code(R"({"name":"a","rules":[{"grapheme":"b"}]})"), "/rules/0/alias");
    EXPECT_EQ(code(R"({"name":"a","rules":[{"grapheme":"b","phoneme":"c","alphabet":"x"}]})"),
              "/rules/0/alphabet");
    EXPECT_EQ(code(R"({"nam":"a"})"), "/name");
}

}  // namespace
}  // namespace vf::dictionaries
