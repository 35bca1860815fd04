// Readers and streams: at least once, in order, one node at a time.
#include "events/events_testing.hpp"

namespace vf::events {
namespace {

using std::chrono::milliseconds;
using Log = std::shared_ptr<std::vector<std::string>>;

constexpr pg::Statement kSteal{
    "test_steal_reader",
    "UPDATE event_readers SET holder = 'another', lease_until = now() - interval '1 second' "
    "WHERE name = $1"};

std::string Joined(const Log& log) {
    std::string text;
    for (const std::string& line : *log) text += (text.empty() ? "" : " ") + line;
    return text;
}

// What a reader of a test does with a batch: notes it, then the step of its turn.
struct Script {
    Log log = std::make_shared<std::vector<std::string>>();
    std::vector<std::string> steps;  // "fail", "throw", "steal"; nothing: success
    std::string name;
    pg::Database* db = nullptr;
};

Task<Result<void>> Play(std::shared_ptr<Script> script, std::vector<Event> events) {
    script->log->push_back(ResourcesOf(events));
    if (script->steps.empty()) co_return Result<void>();
    const std::string step = script->steps.front();
    script->steps.erase(script->steps.begin());
    if (step == "throw") throw std::runtime_error("as the test wants it");
    if (step == "fail") co_return Error(ErrorKind::kUnavailable, "test_failed", "No.");
    pg::SystemDb system = script->db->System("the test takes the lease away");
    co_await system.Query(kSteal, pg::TextParam(script->name));
    co_return Result<void>();
}

Reader ReaderOf(std::shared_ptr<Script> script, std::size_t batch = 100) {
    Reader reader;
    reader.name = script->name;
    reader.batch = batch;
    reader.from_oldest = false;
    reader.on_events = [script](const std::vector<Event>& events) { return Play(script, events); };
    return reader;
}

std::shared_ptr<Script> MakeScript(TestGround* ground, std::vector<std::string> steps) {
    static int number = 0;
    auto script = std::make_shared<Script>();
    script->name = "reader_" + std::to_string(++number);
    script->steps = std::move(steps);
    script->db = &ground->db;
    return script;
}

EventOptions Quick() {
    EventOptions options;
    options.poll = milliseconds(20);
    options.lease = milliseconds(600);
    options.retry_least = milliseconds(5);
    options.retry_most = milliseconds(20);
    return options;
}

TEST(EventReader, GetsAFailedBatchAgainAndThenTheNext) {
    WithGround([](TestGround* ground) -> Task<void> {
        Events events(ground->loop, Quick());
        auto script = MakeScript(ground, {"fail", "throw", "fail"});
        events.AddReader(ReaderOf(script, 2));
        events.Start(ground->db);
        const TeamId team = co_await MakeTeam(&ground->db);
        co_await Runs(&ground->db, script->name);
        pg::TeamDb db = ground->db.Team(team);
        auto transaction = co_await db.Begin();
        for (const char* name : {"a", "b", "c"}) {
            NewEvent event = TestEvent(name);
            co_await Append(*transaction, std::move(event));
        }
        co_await transaction->Commit();
        auto is_done = [script] { return script->log->size() == 5; };
        co_await Eventually(is_done);
        EXPECT_EQ(Joined(script->log), "a b a b a b a b c");
        co_await events.Stop();
        const std::string holder = co_await HolderOf(&ground->db, script->name);
        EXPECT_EQ(holder, "");
    });
}

// As if the process had died after the callback and before the position was written.
TEST(EventReader, ThatLostItsPlaceIsGivenTheBatchAgain) {
    WithGround([](TestGround* ground) -> Task<void> {
        Events events(ground->loop, Quick());
        auto script = MakeScript(ground, {"steal"});
        events.AddReader(ReaderOf(script));
        events.Start(ground->db);
        const TeamId team = co_await MakeTeam(&ground->db);
        co_await Runs(&ground->db, script->name);
        co_await Happen(&ground->db, team, TestEvent("a"));
        auto is_again = [script] { return script->log->size() == 2; };
        co_await Eventually(is_again);
        co_await Happen(&ground->db, team, TestEvent("b"));
        auto is_done = [script] { return script->log->size() == 3; };
        co_await Eventually(is_done);
        EXPECT_EQ(Joined(script->log), "a a b");
        co_await events.Stop();
    });
}

TEST(EventReader, RunsOnOneNodeAndIsTakenOverWhenItDies) {
    WithGround([](TestGround* ground) -> Task<void> {
        const auto first_db = OpenDatabase(ground->loop, SharedUrls());
        Events first(ground->loop, Quick());
        Events second(ground->loop, Quick());
        auto script = MakeScript(ground, {});
        auto other = MakeScript(ground, {});
        other->name = script->name;
        first.AddReader(ReaderOf(script));
        second.AddReader(ReaderOf(other));
        first.Start(*first_db);
        const TeamId team = co_await MakeTeam(&ground->db);
        co_await Runs(&ground->db, script->name);
        second.Start(ground->db);
        for (const char* name : {"a", "b", "c"}) {
            NewEvent event = TestEvent(name);
            co_await Happen(&ground->db, team, std::move(event));
            auto is_read = [script, name] {
                return !script->log->empty() && script->log->back().ends_with(name);
            };
            co_await Eventually(is_read);
        }
        EXPECT_EQ(Joined(script->log), "a b c");
        EXPECT_EQ(Joined(other->log), "");
        first_db->Close();  // the first node reaches nothing any more
        const auto died = std::chrono::steady_clock::now();
        co_await Happen(&ground->db, team, TestEvent("d"));
        auto is_over = [other] { return !other->log->empty(); };
        co_await Eventually(is_over);
        const auto took = std::chrono::steady_clock::now() - died;
        EXPECT_LT(took, Quick().lease + milliseconds(2000));
        EXPECT_EQ(Joined(other->log), "d");
        co_await first.Stop();
        co_await second.Stop();
    });
}

TEST(EventReader, GoesOnWhenTheDatabaseIsBack) {
    pg::TestCluster cluster;
    const pg::RoleUrls urls = PrepareCluster(cluster->url());
    asio::io_context loop;
    const auto db = OpenDatabase(loop, urls);
    TestGround ground{loop, *db};
    static pg::TestCluster* shared = nullptr;
    shared = &cluster;
    const GroundBody body = [](TestGround* g) -> Task<void> {
        Events events(g->loop, Quick());
        auto script = MakeScript(g, {});
        events.AddReader(ReaderOf(script));
        events.Start(g->db);
        const TeamId team = co_await MakeTeam(&g->db);
        co_await Runs(&g->db, script->name);
        co_await Happen(&g->db, team, TestEvent("a"));
        auto is_one = [script] { return script->log->size() == 1; };
        co_await Eventually(is_one);
        shared->Stop();
        co_await Sleep(milliseconds(30));
        shared->Start();
        co_await g->db.WaitAvailable(milliseconds(20'000));
        co_await Happen(&g->db, team, TestEvent("b"));
        auto is_two = [script] { return script->log->size() == 2; };
        co_await Eventually(is_two);
        EXPECT_EQ(Joined(script->log), "a b");
        co_await events.Stop();
    };
    RunTask(loop, RunBody(&ground, &body));
}

using Pipe = std::shared_ptr<BytePipe>;

// The ids of the resources in the next frames, until there are `count`.
Task<std::string> ReadFrames(Pipe pipe, std::size_t count) {
    std::string text;
    std::string resources;
    std::size_t found = 0;
    while (found < count) {
        const std::optional<std::string> chunk = co_await pipe->Read();
        if (!chunk) co_return resources + " end";
        text += *chunk;
        for (std::size_t end = text.find("\n\n"); end != std::string::npos;
             end = text.find("\n\n")) {
            const std::string frame = text.substr(0, end);
            text.erase(0, end + 2);
            const std::size_t data = frame.find("\ndata: ");
            if (data == std::string::npos) continue;
            const auto parsed = json::Parse(frame.substr(data + 7));
            const auto& resource = parsed.value().root.at("resource").as_string();
            resources += (found++ == 0 ? "" : " ") + std::string(resource);
        }
    }
    co_return resources;
}

TEST(EventStream, BringsWhatComesAndResumes) {
    WithGround([](TestGround* ground) -> Task<void> {
        Events events(ground->loop, Quick());
        events.Start(ground->db);
        const TeamId team = co_await MakeTeam(&ground->db);
        const TeamId other = co_await MakeTeam(&ground->db);
        const EventId before = co_await Happen(&ground->db, team, TestEvent("before"));
        Result<Pipe> fresh = co_await events.Follow(team, Query());
        Query after;
        after.after = before;
        after.types = {"test.other"};
        Result<Pipe> filtered = co_await events.Follow(team, after);
        Query from_foreign;
        from_foreign.after = before;
        const Result<Pipe> foreign = co_await events.Follow(other, from_foreign);
        EXPECT_EQ(foreign.ok() ? "" : foreign.error().code(), "events_expired");
        const EventId a = co_await Happen(&ground->db, team, TestEvent("a"));
        co_await Happen(&ground->db, other, TestEvent("foreign"));
        co_await Happen(&ground->db, team, TestEvent("b", "test.other"));
        std::string got = co_await ReadFrames(*fresh, 2);
        EXPECT_EQ(got, "a b");
        got = co_await ReadFrames(*filtered, 1);
        EXPECT_EQ(got, "b");
        Query resume;
        resume.after = a;
        Result<Pipe> resumed = co_await events.Follow(team, resume);
        got = co_await ReadFrames(*resumed, 1);
        EXPECT_EQ(got, "b");
        events.EndStreams();
        got = co_await ReadFrames(*resumed, 1);
        EXPECT_EQ(got, " end");
        EXPECT_TRUE((*resumed)->complete());
        const Result<Pipe> late = co_await events.Follow(team, Query());
        EXPECT_EQ(late.ok() ? "" : late.error().code(), "server_stopping");
        co_await events.Stop();
    });
}

TEST(EventStream, AreBoundedAndAPlaceComesFreeAgain) {
    WithGround([](TestGround* ground) -> Task<void> {
        EventOptions options = Quick();
        options.streams_per_team = 2;
        options.streams = 3;
        Events events(ground->loop, options);
        events.Start(ground->db);
        const TeamId team = co_await MakeTeam(&ground->db);
        const TeamId other = co_await MakeTeam(&ground->db);
        Result<Pipe> first = co_await events.Follow(team, Query());
        const Result<Pipe> second = co_await events.Follow(team, Query());
        Result<Pipe> third = co_await events.Follow(team, Query());
        EXPECT_TRUE(!third.ok() && third.error().kind() == ErrorKind::kRateLimited);
        Result<Pipe> of_other = co_await events.Follow(other, Query());
        EXPECT_TRUE(of_other.ok());
        of_other = co_await events.Follow(other, Query());
        EXPECT_TRUE(!of_other.ok() && of_other.error().kind() == ErrorKind::kUnavailable);
        (*first)->Abandon();
        bool found_room = false;
        for (int i = 0; i < 1000 && !found_room; ++i) {
            co_await Sleep(milliseconds(2));
            third = co_await events.Follow(team, Query());
            found_room = third.ok();
        }
        EXPECT_TRUE(found_room);
        co_await events.Stop();
    });
}

TEST(EventStream, HoldsLittleForAClientThatTakesNothing) {
    WithGround([](TestGround* ground) -> Task<void> {
        Events events(ground->loop, Quick());
        events.Start(ground->db);
        const TeamId team = co_await MakeTeam(&ground->db);
        Result<Pipe> pipe = co_await events.Follow(team, Query());
        std::string expected;
        for (int i = 0; i < 40; ++i) {
            NewEvent event = TestEvent(std::to_string(i));
            event.data["filler"] = std::string(10'000, 'x');
            co_await Happen(&ground->db, team, std::move(event));
            expected += (i == 0 ? "" : " ") + std::to_string(i);
        }
        auto is_full = [&pipe] { return (*pipe)->queued_bytes() > 60'000; };
        co_await Eventually(is_full);
        EXPECT_LT((*pipe)->queued_bytes(), 90'000U);
        const std::string got = co_await ReadFrames(*pipe, 40);  // nothing was lost
        EXPECT_EQ(got, expected);
        co_await events.Stop();
    });
}

TEST(EventStream, ThatIsSilentBeats) {
    WithGround([](TestGround* ground) -> Task<void> {
        EventOptions options = Quick();
        options.heartbeat = milliseconds(20);
        Events events(ground->loop, options);
        events.Start(ground->db);
        Result<Pipe> pipe = co_await events.Follow(kDemoTeam, Query());
        const std::optional<std::string> hello = co_await (*pipe)->Read();
        const std::optional<std::string> beat = co_await (*pipe)->Read();
        EXPECT_EQ(hello.value_or(""), "retry: 2000\n\n");
        EXPECT_EQ(beat.value_or(""), ":\n\n");
        co_await events.Stop();
    });
}

}  // namespace
}  // namespace vf::events
