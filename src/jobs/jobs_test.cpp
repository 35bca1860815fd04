// What a team may do with its jobs, without anybody working on them.
#include "jobs/jobs.hpp"

#include "jobs/jobs_testing.hpp"

namespace vf::jobs {
namespace {

using events::MakeTeam;
using events::TestGround;
using events::WithGround;

constexpr pg::Statement kStored{
    "test_stored_payload",
    "SELECT encode(payload, 'escape'), payload FROM jobs WHERE id = $1 AND payload IS NOT NULL"};
constexpr pg::Statement kMakeOld{"test_make_old",
                                 "UPDATE jobs SET payload_expires_at = now() - interval '1 s', "
                                 "result_expires_at = now() - interval '1 s' WHERE id = $1"};
constexpr pg::Statement kMakeDead{
    "test_make_dead",
    "UPDATE jobs SET state = 'dead', finished_at = now(), error_code = 'x', error_message = 'y', "
    "attempt = 5 WHERE id = $1"};
constexpr pg::Statement kMakeDone{
    "test_make_done",
    "UPDATE jobs SET state = 'succeeded', finished_at = now(), result = $2, "
    "result_type = 'text/plain', result_expires_at = now() + interval '1 h' WHERE id = $1"};
constexpr pg::Statement kMakeRunning{
    "test_make_running",
    "UPDATE jobs SET state = 'running', holder = 'h', lease_until = now() + interval '1 h' "
    "WHERE id = $1"};
constexpr pg::Statement kMakeAncient{
    "test_make_ancient", "UPDATE jobs SET finished_at = now() - interval '31 days' WHERE id = $1"};

Task<void> Change(TestGround* ground, pg::Statement statement, JobId id) {
    pg::SystemDb system = ground->db.System("the test makes a state");
    co_await system.Query(statement, pg::TextParam(id.uuid.Dashed()));
}

std::string CodeOf(const auto& result) {
    return result.ok() ? "" : result.error().code();
}

std::string NamesOf(const std::vector<Job>& jobs) {
    std::string text;
    for (const Job& job : jobs) text += (text.empty() ? "" : " ") + job.kind;
    return text;
}

TEST(Jobs, AreThereWithTheCommitAndForTheirTeamOnly) {
    WithGround([](TestGround* ground) -> Task<void> {
        asio::thread_pool threads(1);
        Jobs jobs(ground->loop, threads, QuickJobs());
        jobs.Start(ground->db, TestKeyring());
        const TeamId team = co_await MakeTeam(&ground->db);
        const TeamId other = co_await MakeTeam(&ground->db);
        pg::TeamDb db = ground->db.Team(team);
        auto transaction = co_await db.Begin();
        const Result<JobId> undone = co_await jobs.Enqueue(*transaction, TestJob("idle", "never"));
        co_await transaction->Rollback();
        const Result<JobId> id = co_await Ask(&jobs, team, TestJob("idle", "a"));
        Result<Job> found = co_await jobs.Find(team, *undone);
        EXPECT_EQ(CodeOf(found), "job_not_found");
        found = co_await jobs.Find(team, *id);
        EXPECT_EQ(found->state, JobState::kQueued);
        EXPECT_EQ(found->attempt, 0);
        const json::object shown = ToJson(*found);
        EXPECT_EQ(std::string(shown.at("state").as_string()), "queued");
        found = co_await jobs.Find(other, *id);
        EXPECT_EQ(CodeOf(found), "job_not_found");
        found = co_await jobs.Cancel(other, *id);
        EXPECT_EQ(CodeOf(found), "job_not_found");
        found = co_await jobs.Retry(other, *id);
        EXPECT_EQ(CodeOf(found), "job_not_found");
        const Result<void> gone = co_await jobs.Delete(other, *id);
        EXPECT_EQ(CodeOf(gone), "job_not_found");
        const Result<JobResult> result = co_await jobs.ResultOf(other, *id);
        EXPECT_EQ(CodeOf(result), "job_not_found");
        const JobPage page = co_await jobs.List(other, JobQuery());
        EXPECT_TRUE(page.jobs.empty());
        co_await jobs.Stop();
    });
}

TEST(Jobs, KeepTheirContentUnreadable) {
    WithGround([](TestGround* ground) -> Task<void> {
        asio::thread_pool threads(1);
        Jobs jobs(ground->loop, threads, QuickJobs());
        jobs.Start(ground->db, TestKeyring());
        const TeamId team = co_await MakeTeam(&ground->db);
        for (const std::size_t size : {std::size_t{10}, std::size_t{200'000}}) {
            const std::string secret = "whispered" + std::string(size, 'w');
            const Result<JobId> id = co_await Ask(&jobs, team, TestJob("idle", secret));
            pg::SystemDb system = ground->db.System("the test looks at what is stored");
            const pg::Rows rows = co_await system.Query(kStored, pg::TextParam(id->uuid.Dashed()));
            EXPECT_EQ(rows[0].Text(0).find("whisper"), std::string_view::npos);
            const auto opened = TestKeyring()->Decrypt("jobs", rows[0].Bytes(1));
            EXPECT_NE(opened.value().find(secret), std::string::npos);
        }
        co_await jobs.Stop();
    });
}

TEST(Jobs, AreListedNewestFirstByStateAndKind) {
    WithGround([](TestGround* ground) -> Task<void> {
        asio::thread_pool threads(1);
        Jobs jobs(ground->loop, threads, QuickJobs());
        jobs.Start(ground->db, TestKeyring());
        const TeamId team = co_await MakeTeam(&ground->db);
        for (const char* kind : {"idle_a", "idle_b", "idle_c"}) {
            NewJob job = TestJob(kind, kind);
            (void)co_await Ask(&jobs, team, std::move(job));
        }
        JobQuery query;
        query.limit = 2;
        JobPage page = co_await jobs.List(team, query);
        EXPECT_EQ(NamesOf(page.jobs), "idle_c idle_b");
        (void)co_await jobs.Cancel(team, page.jobs[0].id);
        query.before = page.next;
        page = co_await jobs.List(team, query);
        EXPECT_EQ(NamesOf(page.jobs), "idle_a");
        EXPECT_FALSE(page.next);
        JobQuery by_state;
        by_state.state = JobState::kCancelled;
        page = co_await jobs.List(team, by_state);
        EXPECT_EQ(NamesOf(page.jobs), "idle_c");
        JobQuery by_kind;
        by_kind.kind = "idle_b";
        page = co_await jobs.List(team, by_kind);
        EXPECT_EQ(NamesOf(page.jobs), "idle_b");
        co_await jobs.Stop();
    });
}

TEST(Jobs, FollowTheRulesOfTheirStates) {
    WithGround([](TestGround* ground) -> Task<void> {
        asio::thread_pool threads(1);
        Jobs jobs(ground->loop, threads, QuickJobs());
        jobs.Start(ground->db, TestKeyring());
        const TeamId team = co_await MakeTeam(&ground->db);
        const Result<JobId> asked = co_await Ask(&jobs, team, TestJob("idle", "a"));
        const JobId id = *asked;
        Result<Job> job = co_await jobs.Retry(team, id);
        EXPECT_EQ(CodeOf(job), "job_not_retryable");
        Result<JobResult> result = co_await jobs.ResultOf(team, id);
        EXPECT_EQ(CodeOf(result), "job_result_missing");
        job = co_await jobs.Cancel(team, id);
        EXPECT_EQ(job->state, JobState::kCancelled);
        EXPECT_TRUE(job->finished_at);
        job = co_await jobs.Cancel(team, id);
        EXPECT_EQ(CodeOf(job), "job_finished");
        job = co_await jobs.Retry(team, id);
        EXPECT_EQ(job->state, JobState::kQueued);
        EXPECT_FALSE(job->finished_at);
        co_await Change(ground, kMakeDead, id);
        job = co_await jobs.Retry(team, id);
        EXPECT_EQ(job->state, JobState::kQueued);
        EXPECT_EQ(job->attempt, 0);
        EXPECT_EQ(job->error_code, "");
        co_await Change(ground, kMakeRunning, id);
        job = co_await jobs.Cancel(team, id);
        EXPECT_EQ(job->state, JobState::kRunning);
        EXPECT_TRUE(job->cancel_requested);
        Result<void> gone = co_await jobs.Delete(team, id);
        EXPECT_EQ(CodeOf(gone), "job_running");
        const Result<JobId> other = co_await Ask(&jobs, team, TestJob("idle", "b"));
        gone = co_await jobs.Delete(team, *other);
        EXPECT_TRUE(gone.ok());
        job = co_await jobs.Find(team, *other);
        EXPECT_EQ(CodeOf(job), "job_not_found");
        co_await jobs.Stop();
    });
}

TEST(Jobs, AreBounded) {
    WithGround([](TestGround* ground) -> Task<void> {
        asio::thread_pool threads(1);
        JobOptions options = QuickJobs();
        options.open_per_team = 2;
        options.max_payload = 1024;
        Jobs jobs(ground->loop, threads, options);
        jobs.Start(ground->db, TestKeyring());
        const TeamId team = co_await MakeTeam(&ground->db);
        const TeamId other = co_await MakeTeam(&ground->db);
        Result<JobId> id = co_await Ask(&jobs, team, TestJob("idle", std::string(2000, 'x')));
        EXPECT_EQ(CodeOf(id), "job_payload_too_large");
        const Result<JobId> first = co_await Ask(&jobs, team, TestJob("idle", "a"));
        (void)co_await Ask(&jobs, team, TestJob("idle", "b"));
        id = co_await Ask(&jobs, team, TestJob("idle", "c"));
        EXPECT_EQ(CodeOf(id), "too_many_jobs");
        id = co_await Ask(&jobs, other, TestJob("idle", "c"));
        EXPECT_TRUE(id.ok());
        (void)co_await jobs.Cancel(team, *first);
        id = co_await Ask(&jobs, team, TestJob("idle", "c"));
        EXPECT_TRUE(id.ok());
        const Result<Job> again = co_await jobs.Retry(team, *first);
        EXPECT_EQ(CodeOf(again), "too_many_jobs");
        bool refused = false;
        try {
            (void)co_await Ask(&jobs, other, TestJob("Not a kind", "x"));
        } catch (const std::invalid_argument&) {
            refused = true;
        }
        EXPECT_TRUE(refused);
        co_await jobs.Stop();
    });
}

TEST(Jobs, LoseTheirContentWhenItExpires) {
    WithGround([](TestGround* ground) -> Task<void> {
        asio::thread_pool threads(1);
        Jobs jobs(ground->loop, threads, QuickJobs());
        jobs.Start(ground->db, TestKeyring());
        const TeamId team = co_await MakeTeam(&ground->db);
        pg::SystemDb system = ground->db.System("the test looks at what is stored");
        // Never started.
        const Result<JobId> queued = co_await Ask(&jobs, team, TestJob("idle", "a"));
        co_await Change(ground, kMakeOld, *queued);
        // Dead, with content that could be tried again until now.
        const Result<JobId> dead = co_await Ask(&jobs, team, TestJob("idle", "b"));
        co_await Change(ground, kMakeDead, *dead);
        co_await Change(ground, kMakeOld, *dead);
        // Done.
        const Result<JobId> done = co_await Ask(&jobs, team, TestJob("idle", "c"));
        pg::Params params;
        params.Text(done->uuid.Dashed()).Bytes(TestKeyring()->Encrypt("jobs", "the result"));
        co_await system.Query(kMakeDone, std::move(params));
        Result<JobResult> result = co_await jobs.ResultOf(team, *done);
        EXPECT_EQ(result->body, "the result");
        EXPECT_EQ(result->media_type, "text/plain");
        co_await Change(ground, kMakeOld, *done);
        result = co_await jobs.ResultOf(team, *done);  // also before anybody swept
        EXPECT_EQ(CodeOf(result), "job_result_expired");
        co_await jobs.SweepNow();
        result = co_await jobs.ResultOf(team, *done);
        EXPECT_EQ(CodeOf(result), "job_result_expired");
        Result<Job> job = co_await jobs.Find(team, *queued);
        EXPECT_EQ(job->state, JobState::kFailed);
        EXPECT_EQ(job->error_code, "job_payload_expired");
        job = co_await jobs.Retry(team, *dead);
        EXPECT_EQ(CodeOf(job), "job_payload_expired");
        for (const JobId id : {*queued, *dead, *done}) {
            const pg::Rows rows = co_await system.Query(kStored, pg::TextParam(id.uuid.Dashed()));
            EXPECT_TRUE(rows.empty());
        }
        co_await Change(ground, kMakeAncient, *dead);
        co_await jobs.SweepNow();
        job = co_await jobs.Find(team, *dead);
        EXPECT_EQ(CodeOf(job), "job_not_found");
        job = co_await jobs.Find(team, *done);
        EXPECT_TRUE(job.ok());
        co_await jobs.Stop();
    });
}

}  // namespace
}  // namespace vf::jobs
