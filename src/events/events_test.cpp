// The outbox: what is appended, in which order it is seen, and by whom.
#include "events/events.hpp"

#include "events/events_testing.hpp"

namespace vf::events {
namespace {

using std::chrono::milliseconds;

constexpr pg::Statement kWriteSetting{
    "test_write_setting", "INSERT INTO settings (team_id, name, value) VALUES ($1, 'x', '1')"};
constexpr pg::Statement kAge{
    "test_age_events",
    "UPDATE events SET created_at = now() - interval '31 days' WHERE team_id = $1"};
constexpr pg::Statement kCount{"test_count_events",
                               "SELECT count(*) FROM events WHERE team_id = $1"};
constexpr pg::Statement kNoReaders{"test_no_readers", "DELETE FROM event_readers"};
constexpr pg::Statement kPutReader{
    "test_put_reader",
    "INSERT INTO event_readers (name, seq) SELECT 'slow', min(seq) + 1 FROM events "
    "WHERE team_id = $1"};
constexpr pg::Statement kStopReader{
    "test_stop_reader",
    "UPDATE event_readers SET moved_at = now() - interval '8 days' WHERE name = 'slow'"};

Query Everything() {
    Query query;
    query.limit = 1000;
    return query;
}

Task<std::string> Seen(Events* events, TeamId team) {
    const Result<Page> page = co_await events->List(team, Everything());
    if (!page.ok()) co_return page.error().code();
    co_return ResourcesOf(page.value().events);
}

TEST(Events, AreSeenWithTheirCommitAndByTheirTeamOnly) {
    WithGround([](TestGround* ground) -> Task<void> {
        Events events(ground->loop, {});
        events.Start(ground->db);
        const TeamId team = co_await MakeTeam(&ground->db);
        const TeamId other = co_await MakeTeam(&ground->db);
        pg::TeamDb db = ground->db.Team(team);
        auto transaction = co_await db.Begin();
        NewEvent made = TestEvent("a");
        made.live = true;
        made.actor = {{"kind", "demo"}};
        const EventId id = co_await Append(*transaction, std::move(made));
        std::string seen = co_await Seen(&events, team);
        EXPECT_EQ(seen, "");
        co_await transaction->Commit();
        const Result<Page> page = co_await events.List(team, Everything());
        EXPECT_TRUE(page.ok() && page.value().events.size() == 1);
        const json::object shown = ToJson(page.value().events.at(0));
        EXPECT_EQ(std::string(shown.at("id").as_string()), id.Wire());
        EXPECT_TRUE(shown.at("live").as_bool());
        EXPECT_EQ(json::Print(shown.at("data")), R"({"n":1})");
        EXPECT_EQ(json::Print(shown.at("actor")), R"({"kind":"demo"})");
        EXPECT_EQ(page.value().events[0].created_at.size(), 24U);
        seen = co_await Seen(&events, other);
        EXPECT_EQ(seen, "");
        co_await events.Stop();
    });
}

TEST(Events, OfARolledBackTransactionAreNeverSeen) {
    WithGround([](TestGround* ground) -> Task<void> {
        Events events(ground->loop, {});
        events.Start(ground->db);
        const TeamId team = co_await MakeTeam(&ground->db);
        pg::TeamDb db = ground->db.Team(team);
        auto transaction = co_await db.Begin();
        co_await Append(*transaction, TestEvent("never"));
        co_await Happen(&ground->db, team, TestEvent("a"));
        co_await transaction->Rollback();
        const std::string seen = co_await Seen(&events, team);
        EXPECT_EQ(seen, "a");
        co_await events.Stop();
    });
}

TEST(Events, OfASlowTransactionHoldBackThoseOfAFasterOne) {
    WithGround([](TestGround* ground) -> Task<void> {
        Events events(ground->loop, {});
        events.Start(ground->db);
        const TeamId team = co_await MakeTeam(&ground->db);
        pg::TeamDb db = ground->db.Team(team);
        auto slow = co_await db.Begin();
        co_await Append(*slow, TestEvent("slow"));
        co_await Happen(&ground->db, team, TestEvent("fast"));
        std::string seen = co_await Seen(&events, team);
        EXPECT_EQ(seen, "");
        co_await slow->Commit();
        seen = co_await Seen(&events, team);
        EXPECT_EQ(seen, "slow fast");
        co_await events.Stop();
    });
}

// Neither the order of transaction ids nor a transaction that appends nothing matters.
TEST(Events, OfTheSecondChangeComeAfterThoseOfTheFirst) {
    WithGround([](TestGround* ground) -> Task<void> {
        Events events(ground->loop, {});
        events.Start(ground->db);
        const TeamId team = co_await MakeTeam(&ground->db);
        const TeamId other = co_await MakeTeam(&ground->db);
        pg::TeamDb db = ground->db.Team(team);
        pg::TeamDb other_db = ground->db.Team(other);
        auto second = co_await db.Begin();
        co_await second->Query(kWriteSetting, pg::TextParam(team.uuid.Dashed()));
        auto bystander = co_await other_db.Begin();
        co_await bystander->Query(kWriteSetting, pg::TextParam(other.uuid.Dashed()));
        co_await Happen(&ground->db, team, TestEvent("first"));
        co_await Append(*second, TestEvent("second"));
        co_await second->Commit();
        const std::string seen = co_await Seen(&events, team);
        EXPECT_EQ(seen, "first second");
        co_await bystander->Rollback();
        co_await events.Stop();
    });
}

Task<void> AppendSome(pg::Database* db, TeamId team, int writer, int* left) {
    for (int i = 0; i < 25; ++i) {
        pg::TeamDb team_db = db->Team(team);
        auto transaction = co_await team_db.Begin();
        co_await Append(*transaction, TestEvent(std::to_string(writer) + "." + std::to_string(i)));
        if (i % 3 == 0) co_await Sleep(milliseconds(1 + writer));
        if (i % 7 == 6) {
            co_await transaction->Rollback();
        } else {
            co_await transaction->Commit();
        }
    }
    --*left;
}

TEST(Events, ReachAReaderOnceAndInOrderWhileManyWrite) {
    WithGround([](TestGround* ground) -> Task<void> {
        EventOptions options;
        Events events(ground->loop, options);
        auto got = std::make_shared<std::vector<Event>>();
        Reader reader;
        reader.name = "many";
        reader.batch = 7;
        reader.on_events = [got](const std::vector<Event>& some) {
            got->insert(got->end(), some.begin(), some.end());
            return []() -> Task<Result<void>> { co_return Result<void>(); }();
        };
        events.AddReader(std::move(reader));
        events.Start(ground->db);
        const TeamId team = co_await MakeTeam(&ground->db);
        co_await Runs(&ground->db, "many");
        int left = 6;
        for (int writer = 0; writer < 6; ++writer) {
            Spawn(ground->loop.get_executor(), AppendSome(&ground->db, team, writer, &left), "w");
        }
        auto is_done = [&left] { return left == 0; };
        co_await Eventually(is_done);
        const std::string all = co_await Seen(&events, team);
        auto is_read = [got, &all] { return ResourcesOf(*got).size() >= all.size(); };
        co_await Eventually(is_read);
        EXPECT_EQ(ResourcesOf(*got), all);
        EXPECT_EQ(got->size(), 6U * 22U);
        co_await events.Stop();
    });
}

TEST(Events, AreListedByPageTypeAndOrder) {
    WithGround([](TestGround* ground) -> Task<void> {
        Events events(ground->loop, {});
        events.Start(ground->db);
        const TeamId team = co_await MakeTeam(&ground->db);
        const EventId a = co_await Happen(&ground->db, team, TestEvent("a"));
        co_await Happen(&ground->db, team, TestEvent("b", "test.other"));
        const EventId c = co_await Happen(&ground->db, team, TestEvent("c"));
        Query query;
        query.limit = 2;
        Result<Page> page = co_await events.List(team, query);
        EXPECT_EQ(ResourcesOf(page->events), "a b");
        query.after = page->next;
        page = co_await events.List(team, query);
        EXPECT_EQ(ResourcesOf(page->events), "c");
        EXPECT_FALSE(page->next);
        query.after = c;
        query.newest_first = true;
        query.types = {"test.happened"};
        page = co_await events.List(team, query);
        EXPECT_EQ(ResourcesOf(page->events), "a");
        const TeamId other = co_await MakeTeam(&ground->db);
        query.after = a;
        page = co_await events.List(other, query);
        EXPECT_EQ(page.ok() ? "" : page.error().code(), "events_expired");
        co_await events.Stop();
    });
}

TEST(Events, AgainstTheRulesAreRefused) {
    WithGround([](TestGround* ground) -> Task<void> {
        const TeamId team = co_await MakeTeam(&ground->db);
        std::vector<NewEvent> wrong;
        for (const char* type : {"", "single", "Upper.case", "a..b", "a.b.", ".a", "a.1b", "ä.b"}) {
            wrong.push_back(TestEvent("r", type));
        }
        wrong.push_back(TestEvent("r", std::string(70, 'a') + ".b"));
        wrong.push_back(TestEvent(std::string(201, 'r')));
        wrong.push_back(TestEvent("r"));
        wrong.back().data["large"] = std::string(kMaxData, 'x');
        wrong.push_back(TestEvent("r"));
        wrong.back().data["bytes"] = "\xFF";
        json::value deep = 1;
        for (int i = 0; i < 40; ++i) deep = json::array{deep};
        wrong.push_back(TestEvent("r"));
        wrong.back().data["deep"] = deep;
        for (NewEvent& event : wrong) {
            bool refused = false;
            try {
                co_await Happen(&ground->db, team, event);
            } catch (const std::invalid_argument&) {
                refused = true;
            }
            EXPECT_TRUE(refused) << event.type << " " << event.resource.size();
        }
        // A NUL, which a customer's name may hold, is none of these.
        NewEvent event = TestEvent("nul");
        event.data["name"] = json::array{boost::json::string(std::string_view("a\0\0b", 4))};
        co_await Happen(&ground->db, team, std::move(event));
        Events events(ground->loop, {});
        events.Start(ground->db);
        const Result<Page> page = co_await events.List(team, Everything());
        const json::value name = page.value().events.at(0).data.at("name").at(0);
        EXPECT_EQ(json::Print(name),
                  "\"a\xEF\xBF\xBD\xEF\xBF\xBD"
                  "b\"");
        co_await events.Stop();
    });
}

Task<std::int64_t> CountOf(pg::Database* db, TeamId team) {
    pg::SystemDb system = db->System("the test counts");
    const pg::Rows rows = co_await system.Query(kCount, pg::TextParam(team.uuid.Dashed()));
    co_return rows[0].Int(0);
}

TEST(Events, AreSweptWhenOldButNotPastAReaderThatLives) {
    WithGround([](TestGround* ground) -> Task<void> {
        EventOptions options;
        Events events(ground->loop, options);
        events.Start(ground->db);
        pg::SystemDb system = ground->db.System("the test makes time pass");
        co_await system.Query(kNoReaders);
        const TeamId team = co_await MakeTeam(&ground->db);
        for (int i = 0; i < 4; ++i) co_await Happen(&ground->db, team, TestEvent("old"));
        const pg::TextParam id(team.uuid.Dashed());
        co_await system.Query(kAge, id);
        co_await Happen(&ground->db, team, TestEvent("new"));
        co_await system.Query(kPutReader, id);
        co_await events.SweepNow();
        std::int64_t count = co_await CountOf(&ground->db, team);
        EXPECT_EQ(count, 3);  // the reader is at the second one
        co_await system.Query(kStopReader);
        co_await events.SweepNow();
        count = co_await CountOf(&ground->db, team);
        EXPECT_EQ(count, 1);
        const std::string seen = co_await Seen(&events, team);
        EXPECT_EQ(seen, "new");
        co_await events.Stop();
    });
}

}  // namespace
}  // namespace vf::events
