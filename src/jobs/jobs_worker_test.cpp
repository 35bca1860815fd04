// Working on jobs: retries, leases, cancellation, fairness, crashes.
#include "jobs/jobs_testing.hpp"

namespace vf::jobs {
namespace {

using events::Eventually;
using events::MakeTeam;
using events::TestGround;
using events::WithGround;
using std::chrono::milliseconds;

constexpr pg::Statement kLoseLease{
    "test_lose_lease", "UPDATE jobs SET lease_until = now() - interval '1 second' WHERE id = $1"};

Task<void> LoseLease(TestGround* ground, JobId id) {
    pg::SystemDb system = ground->db.System("the test makes time pass");
    co_await system.Query(kLoseLease, pg::TextParam(id.uuid.Dashed()));
}

// "queued started succeeded": the job's events so far.
Task<std::string> HistoryOf(TestGround* ground, TeamId team, JobId id) {
    events::Events events(ground->loop, {});
    events.Start(ground->db);
    events::Query query;
    query.limit = 1000;
    const Result<events::Page> page = co_await events.List(team, query);
    std::string text;
    for (const events::Event& event : page.value().events) {
        if (event.resource != id.Wire()) continue;
        text += (text.empty() ? "" : " ") + event.type.substr(4);
    }
    co_await events.Stop();
    co_return text;
}

TEST(JobWorker, DoesAJobAndKeepsItsResult) {
    WithGround([](TestGround* ground) -> Task<void> {
        asio::thread_pool threads(1);
        Jobs jobs(ground->loop, threads, QuickJobs());
        Stage stage;
        HandleWith(jobs, stage, "plain");
        jobs.Start(ground->db, TestKeyring());
        const TeamId team = co_await MakeTeam(&ground->db);
        const Result<JobId> id = co_await Ask(&jobs, team, TestJob("plain", "a"));
        const Job job = co_await Until(&jobs, team, *id, JobState::kSucceeded);
        EXPECT_EQ(job.state, JobState::kSucceeded);
        EXPECT_EQ(job.attempt, 1);
        EXPECT_EQ(job.progress, 1.0);
        const Result<JobResult> result = co_await jobs.ResultOf(team, *id);
        EXPECT_EQ(result.value().body, R"({"done":"a"})");
        const std::string history = co_await HistoryOf(ground, team, *id);
        EXPECT_EQ(history, "queued started succeeded");
        co_await jobs.Stop();
    });
}

TEST(JobWorker, TriesAgainWhatMayPass) {
    WithGround([](TestGround* ground) -> Task<void> {
        asio::thread_pool threads(1);
        Jobs jobs(ground->loop, threads, QuickJobs());
        Stage stage;
        stage.failures = {ErrorKind::kUnavailable, ErrorKind::kInternal};
        HandleWith(jobs, stage, "retried");
        jobs.Start(ground->db, TestKeyring());
        const TeamId team = co_await MakeTeam(&ground->db);
        const Result<JobId> id = co_await Ask(&jobs, team, TestJob("retried", "a"));
        const Job job = co_await Until(&jobs, team, *id, JobState::kSucceeded);
        EXPECT_EQ(job.attempt, 3);
        EXPECT_EQ(stage.attempts, (std::vector<int>{1, 2, 3}));
        const std::string history = co_await HistoryOf(ground, team, *id);
        EXPECT_EQ(history, "queued started queued started queued started succeeded");
        co_await jobs.Stop();
    });
}

TEST(JobWorker, EndsWhatIsWrongByItselfAndWhatFailedTooOften) {
    WithGround([](TestGround* ground) -> Task<void> {
        asio::thread_pool threads(1);
        Jobs jobs(ground->loop, threads, QuickJobs());
        Stage stage;
        stage.failures = {ErrorKind::kInvalid};
        HandleWith(jobs, stage, "ending");
        jobs.Start(ground->db, TestKeyring());
        const TeamId team = co_await MakeTeam(&ground->db);
        Result<JobId> id = co_await Ask(&jobs, team, TestJob("ending", "a"));
        Job job = co_await Until(&jobs, team, *id, JobState::kFailed);
        EXPECT_EQ(job.attempt, 1);
        EXPECT_EQ(job.error_code, "test_failed");
        stage.throws = true;
        NewJob wanted = TestJob("ending", "b");
        wanted.max_attempts = 2;
        id = co_await Ask(&jobs, team, std::move(wanted));
        job = co_await Until(&jobs, team, *id, JobState::kDead);
        EXPECT_EQ(job.attempt, 2);
        EXPECT_EQ(job.error_code, "internal_error");
        stage.throws = false;
        const Result<Job> again = co_await jobs.Retry(team, *id);
        EXPECT_TRUE(again.ok());
        job = co_await Until(&jobs, team, *id, JobState::kSucceeded);
        EXPECT_EQ(job.attempt, 1);
        EXPECT_EQ(job.error_code, "");
        co_await jobs.Stop();
    });
}

TEST(JobWorker, CancelsARunningJob) {
    WithGround([](TestGround* ground) -> Task<void> {
        asio::thread_pool threads(1);
        Jobs jobs(ground->loop, threads, QuickJobs());
        Stage stage;
        stage.is_open = false;
        HandleWith(jobs, stage, "cancelled");
        jobs.Start(ground->db, TestKeyring());
        const TeamId team = co_await MakeTeam(&ground->db);
        const Result<JobId> id = co_await Ask(&jobs, team, TestJob("cancelled", "a"));
        auto has_begun = [&stage] { return stage.log.size() == 1; };
        co_await Eventually(has_begun);
        const Result<Job> asked = co_await jobs.Cancel(team, *id);
        EXPECT_TRUE(asked.ok() && asked.value().cancel_requested);
        const Job job = co_await Until(&jobs, team, *id, JobState::kCancelled);
        EXPECT_EQ(job.state, JobState::kCancelled);
        EXPECT_TRUE(stage.saw_cancel);
        const std::string history = co_await HistoryOf(ground, team, *id);
        EXPECT_EQ(history, "queued started cancelled");
        co_await jobs.Stop();
    });
}

Task<Result<JobResult>> SayHalf(bool* go_on, JobContext* job) {
    job->Progress(0.5, std::string(300, 'n'));
    while (!*go_on) co_await Sleep(milliseconds(1));
    co_return JobResult::Json(1);
}

TEST(JobWorker, ShowsProgress) {
    WithGround([](TestGround* ground) -> Task<void> {
        asio::thread_pool threads(1);
        Jobs jobs(ground->loop, threads, QuickJobs());
        bool go_on = false;
        jobs.Handle("slow", {}, [&go_on](JobContext& job) { return SayHalf(&go_on, &job); });
        jobs.Start(ground->db, TestKeyring());
        const TeamId team = co_await MakeTeam(&ground->db);
        const Result<JobId> id = co_await Ask(&jobs, team, TestJob("slow", "a"));
        Result<Job> job = co_await jobs.Find(team, *id);
        for (int i = 0; i < 1000 && job->progress == 0; ++i) {
            co_await Sleep(milliseconds(5));
            job = co_await jobs.Find(team, *id);
        }
        EXPECT_EQ(job->progress, 0.5);
        EXPECT_EQ(job->note, std::string(200, 'n'));
        go_on = true;
        co_await Until(&jobs, team, *id, JobState::kSucceeded);
        co_await jobs.Stop();
    });
}

TEST(JobWorker, NeverDoesAJobTwiceAtOnce) {
    WithGround([](TestGround* ground) -> Task<void> {
        asio::thread_pool threads(1);
        const auto second_db = events::OpenDatabase(ground->loop, events::SharedUrls());
        Jobs first(ground->loop, threads, QuickJobs());
        Jobs second(ground->loop, threads, QuickJobs());
        Stage stage;
        HandlerOptions options;
        options.concurrency = 3;
        HandleWith(first, stage, "shared", options);
        HandleWith(second, stage, "shared", options);
        first.Start(ground->db, TestKeyring());
        second.Start(*second_db, TestKeyring());
        const TeamId team = co_await MakeTeam(&ground->db);
        std::vector<JobId> ids;
        for (int i = 0; i < 60; ++i) {
            NewJob job = TestJob("shared", std::to_string(i));
            const Result<JobId> id = co_await Ask(&first, team, std::move(job));
            ids.push_back(*id);
        }
        for (const JobId id : ids) {
            const Job job = co_await Until(&first, team, id, JobState::kSucceeded);
            EXPECT_EQ(job.attempt, 1);
        }
        EXPECT_FALSE(stage.overlapped);
        EXPECT_EQ(stage.log.size(), 60U);
        co_await first.Stop();
        co_await second.Stop();
        second_db->Close();
    });
}

TEST(JobWorker, ThatLostItsLeaseIsNotHeardAnyMore) {
    WithGround([](TestGround* ground) -> Task<void> {
        asio::thread_pool threads(1);
        Jobs first(ground->loop, threads, QuickJobs());
        Jobs second(ground->loop, threads, QuickJobs());
        Stage slow;
        slow.is_open = false;
        slow.heeds_cancel = false;
        slow.failures = {ErrorKind::kInvalid};
        Stage quick;
        HandleWith(first, slow, "lost");
        HandleWith(second, quick, "lost");
        first.Start(ground->db, TestKeyring());
        const TeamId team = co_await MakeTeam(&ground->db);
        const Result<JobId> id = co_await Ask(&first, team, TestJob("lost", "a"));
        auto has_begun = [&slow] { return slow.log.size() == 1; };
        co_await Eventually(has_begun);
        second.Start(ground->db, TestKeyring());
        co_await LoseLease(ground, *id);
        co_await second.RecoverNow();
        // The first is busy, so that the second takes it.
        Job job = co_await Until(&second, team, *id, JobState::kSucceeded);
        EXPECT_EQ(job.attempt, 2);
        slow.is_open = true;
        auto has_ended = [&slow] { return slow.running.begin()->second == 0; };
        co_await Eventually(has_ended);
        co_await first.Stop();
        job = co_await Until(&second, team, *id, JobState::kSucceeded);
        EXPECT_EQ(job.state, JobState::kSucceeded);
        EXPECT_EQ(job.error_code, "");
        co_await second.Stop();
    });
}

TEST(JobWorker, ThatDiesTooOftenLeavesTheJobDead) {
    WithGround([](TestGround* ground) -> Task<void> {
        asio::thread_pool threads(1);
        Jobs jobs(ground->loop, threads, QuickJobs());
        Stage stage;
        stage.is_open = false;
        HandleWith(jobs, stage, "fatal", {.concurrency = 3, .lease = milliseconds(30'000)});
        jobs.Start(ground->db, TestKeyring());
        const TeamId team = co_await MakeTeam(&ground->db);
        NewJob wanted = TestJob("fatal", "a");
        wanted.max_attempts = 2;
        const Result<JobId> id = co_await Ask(&jobs, team, std::move(wanted));
        for (std::size_t run = 1; run <= 2; ++run) {
            auto has_begun = [&stage, run] { return stage.log.size() == run; };
            co_await Eventually(has_begun);
            co_await LoseLease(ground, *id);
            co_await jobs.RecoverNow();
        }
        Job job = co_await Until(&jobs, team, *id, JobState::kDead);
        EXPECT_EQ(job.state, JobState::kDead);
        EXPECT_EQ(job.error_code, "job_node_lost");
        // A cancelled one is not tried again when its worker dies.
        const Result<JobId> other = co_await Ask(&jobs, team, TestJob("fatal", "b"));
        auto has_begun = [&stage] { return stage.log.size() == 3; };
        co_await Eventually(has_begun);
        stage.heeds_cancel = false;
        (void)co_await jobs.Cancel(team, *other);
        co_await LoseLease(ground, *other);
        co_await jobs.RecoverNow();
        job = co_await Until(&jobs, team, *other, JobState::kCancelled);
        EXPECT_EQ(job.state, JobState::kCancelled);
        stage.is_open = true;
        co_await jobs.Stop();
    });
}

TEST(JobWorker, GoesRoundTheTeams) {
    WithGround([](TestGround* ground) -> Task<void> {
        asio::thread_pool threads(1);
        Jobs asking(ground->loop, threads, QuickJobs());
        asking.Start(ground->db, TestKeyring());
        std::vector<TeamId> teams;
        for (int i = 0; i < 3; ++i) {
            const TeamId team = co_await MakeTeam(&ground->db);
            teams.push_back(team);
        }
        JobId last;
        for (int i = 0; i < 9; ++i) {
            NewJob job = TestJob("fair", "many");
            (void)co_await Ask(&asking, teams[0], std::move(job));
        }
        // A job that is not due yet holds nobody up.
        NewJob later = TestJob("fair", "later");
        later.run_at = std::chrono::system_clock::now() + std::chrono::hours(1);
        (void)co_await Ask(&asking, teams[1], std::move(later));
        for (int i = 0; i < 2; ++i) {
            NewJob job = TestJob("fair", "few");
            const Result<JobId> id = co_await Ask(&asking, teams[2], std::move(job));
            last = *id;
        }
        Jobs working(ground->loop, threads, QuickJobs());
        Stage stage;
        HandleWith(working, stage, "fair");
        working.Start(ground->db, TestKeyring());
        co_await Until(&working, teams[2], last, JobState::kSucceeded);
        EXPECT_LE(stage.log.size(), 5U);  // few, many, few, many, …
        auto is_done = [&stage] { return stage.log.size() == 11; };
        co_await Eventually(is_done);
        EXPECT_EQ(stage.log.size(), 11U);
        co_await working.Stop();
        co_await asking.Stop();
    });
}

TEST(JobWorker, GivesBackWhatItCannotFinishAtAStop) {
    WithGround([](TestGround* ground) -> Task<void> {
        asio::thread_pool threads(1);
        Jobs jobs(ground->loop, threads, QuickJobs());
        Stage polite;
        polite.is_open = false;
        Stage stubborn;
        stubborn.is_open = false;
        stubborn.heeds_cancel = false;
        HandleWith(jobs, polite, "polite");
        HandleWith(jobs, stubborn, "stubborn");
        jobs.Start(ground->db, TestKeyring());
        const TeamId team = co_await MakeTeam(&ground->db);
        const Result<JobId> one = co_await Ask(&jobs, team, TestJob("polite", "a"));
        const Result<JobId> two = co_await Ask(&jobs, team, TestJob("stubborn", "b"));
        auto have_begun = [&] { return polite.log.size() + stubborn.log.size() == 2; };
        co_await Eventually(have_begun);
        co_await jobs.Stop();
        for (const JobId id : {*one, *two}) {
            const Result<Job> job = co_await jobs.Find(team, id);
            EXPECT_EQ(job.value().state, JobState::kQueued);
            EXPECT_EQ(job.value().attempt, 0);
            EXPECT_EQ(job.value().error_code, "");
        }
        stubborn.is_open = true;
        auto has_ended = [&stubborn] { return stubborn.running.begin()->second == 0; };
        co_await Eventually(has_ended);
        const Result<Job> job = co_await jobs.Find(team, *two);
        EXPECT_EQ(job.value().state, JobState::kQueued);
    });
}

TEST(JobWorker, WritesTheEndWhenTheDatabaseIsBack) {
    pg::TestCluster cluster;
    const pg::RoleUrls urls = events::PrepareCluster(cluster->url());
    asio::io_context loop;
    const auto db = events::OpenDatabase(loop, urls);
    TestGround ground{loop, *db};
    static pg::TestCluster* shared = nullptr;
    shared = &cluster;
    const events::GroundBody body = [](TestGround* g) -> Task<void> {
        asio::thread_pool threads(1);
        Jobs jobs(g->loop, threads, QuickJobs());
        Stage stage;
        stage.is_open = false;
        HandleWith(jobs, stage, "away");
        jobs.Start(g->db, TestKeyring());
        const TeamId team = co_await MakeTeam(&g->db);
        const Result<JobId> id = co_await Ask(&jobs, team, TestJob("away", "a"));
        auto has_begun = [&stage] { return stage.log.size() == 1; };
        co_await Eventually(has_begun);
        shared->Stop();
        stage.is_open = true;
        auto has_ended = [&stage] { return stage.running.begin()->second == 0; };
        co_await Eventually(has_ended);
        co_await Sleep(milliseconds(50));  // it tries to write
        shared->Start();
        co_await g->db.WaitAvailable(milliseconds(20'000));
        const Job job = co_await Until(&jobs, team, *id, JobState::kSucceeded);
        EXPECT_EQ(job.state, JobState::kSucceeded);
        EXPECT_EQ(job.attempt, 1);
        co_await jobs.Stop();
    };
    RunTask(loop, RunBody(&ground, &body));
}

}  // namespace
}  // namespace vf::jobs
