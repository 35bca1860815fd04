// The export job, from the request for it to its lines.
#include "exports/exports.hpp"

#include "jobs/jobs_testing.hpp"

namespace vf::exports {
namespace {

using events::Happen;
using events::MakeTeam;
using events::TestEvent;
using events::TestGround;

constexpr pg::Statement kAge{"test_age_one",
                             "UPDATE events SET created_at = '2026-03-01T12:00:00Z' WHERE id = $1"};

jobs::NewJob ExportJob(const char* from, const char* to) {
    jobs::NewJob job;
    job.kind = kExportKind;
    job.payload = json::object{{"from", from}, {"to", to}};
    return job;
}

TEST(Exports, CollectTheTeamsEventsOfThePeriod) {
    events::WithGround([](TestGround* ground) -> Task<void> {
        asio::thread_pool threads(1);
        events::Events events(ground->loop, {});
        jobs::Jobs jobs(ground->loop, threads, jobs::QuickJobs());
        AddHandler(jobs, events, 100'000);
        events.Start(ground->db);
        jobs.Start(ground->db, jobs::TestKeyring());
        const TeamId team = co_await MakeTeam(&ground->db);
        const TeamId other = co_await MakeTeam(&ground->db);
        const EventId in = co_await Happen(&ground->db, team, TestEvent("in"));
        const EventId foreign = co_await Happen(&ground->db, other, TestEvent("foreign"));
        co_await Happen(&ground->db, team, TestEvent("later"));
        pg::SystemDb system = ground->db.System("the test makes time pass");
        for (const EventId id : {in, foreign}) {
            co_await system.Query(kAge, pg::TextParam(id.uuid.Dashed()));
        }
        jobs::NewJob job = ExportJob("2026-03-01T12:00:00.000Z", "2026-03-01T12:00:00.001Z");
        const Result<JobId> id = co_await jobs::Ask(&jobs, team, std::move(job));
        co_await jobs::Until(&jobs, team, *id, jobs::JobState::kSucceeded);
        const Result<jobs::JobResult> result = co_await jobs.ResultOf(team, *id);
        EXPECT_EQ(result.value().media_type, "application/x-ndjson");
        const std::string& text = result.value().body;
        EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
        EXPECT_NE(text.find(in.Wire()), std::string::npos);
        co_await jobs.Stop();
        co_await events.Stop();
    });
}

TEST(Exports, ThatWouldBeTooLargeFailWithWords) {
    events::WithGround([](TestGround* ground) -> Task<void> {
        asio::thread_pool threads(1);
        events::Events events(ground->loop, {});
        jobs::Jobs jobs(ground->loop, threads, jobs::QuickJobs());
        AddHandler(jobs, events, 100);
        events.Start(ground->db);
        jobs.Start(ground->db, jobs::TestKeyring());
        const TeamId team = co_await MakeTeam(&ground->db);
        co_await Happen(&ground->db, team, TestEvent("in"));
        jobs::NewJob job = ExportJob("2000-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z");
        const Result<JobId> id = co_await jobs::Ask(&jobs, team, std::move(job));
        const jobs::Job done = co_await jobs::Until(&jobs, team, *id, jobs::JobState::kFailed);
        EXPECT_EQ(done.error_code, "export_too_large");
        co_await jobs.Stop();
        co_await events.Stop();
    });
}

}  // namespace
}  // namespace vf::exports
