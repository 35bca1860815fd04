#include "jobs/jobs_routes.hpp"

#include "http/problem.hpp"
#include "http/query.hpp"

namespace vf::jobs {
namespace {

Result<JobId> IdOf(const http::Request& request) {
    const std::optional<JobId> id = JobId::Parse(request.PathParam("job_id"));
    if (id) return *id;
    return Error(ErrorKind::kNotFound, "job_not_found", "There is no such job.");
}

http::Response Answer(const Result<Job>& job, int status, const http::Request& request) {
    if (!job) return http::ProblemResponse(job.error(), request);
    return http::JsonResponse(status, ToJson(*job));
}

// A team's data must not stay in a cache on the way.
http::Response Private(http::Response response) {
    response.headers.Set("Cache-Control", "no-store");
    return response;
}

// These routes know no parameters; a misspelt one should not pass silently.
std::optional<Error> UnknownParameter(const http::Request& request) {
    return http::QueryReader(request, {}).Wrong();
}

Result<JobQuery> ReadQuery(const http::Request& request) {
    http::QueryReader reader(request, {"limit", "cursor", "state", "kind"});
    JobQuery query;
    query.limit = reader.Integer("limit", 100, 1, 1000);
    query.before = reader.Id<JobId>("cursor");
    query.kind = reader.Text("kind");
    if (query.kind && (query.kind->empty() || query.kind->size() > 63)) {
        reader.Fail("kind", "out_of_range", "must have 1 to 63 characters.");
    }
    const std::optional<std::string> state = reader.Text("state");
    if (state) {
        query.state = ParseState(*state);
        if (!query.state) {
            reader.Fail("state", "not_allowed",
                        "must be queued, running, succeeded, failed, cancelled or dead.");
        }
    }
    std::optional<Error> wrong = reader.Wrong();
    if (wrong) return *std::move(wrong);
    return query;
}

Task<http::Response> List(http::Request& request, Jobs& jobs) {
    Result<JobQuery> query = ReadQuery(request);
    if (!query) co_return http::ProblemResponse(query.error(), request);
    const JobPage page = co_await jobs.List(request.caller.team, *std::move(query));
    json::array data;
    for (const Job& job : page.jobs) data.push_back(ToJson(job));
    json::value next;
    if (page.next) next = page.next->Wire();
    co_return Private(http::JsonResponse(
        200, json::object{{"data", std::move(data)}, {"next_cursor", std::move(next)}}));
}

Task<http::Response> Get(http::Request& request, Jobs& jobs) {
    const Result<JobId> id = IdOf(request);
    if (!id) co_return http::ProblemResponse(id.error(), request);
    const std::optional<Error> wrong = UnknownParameter(request);
    if (wrong) co_return http::ProblemResponse(*wrong, request);
    const JobId job_id = *id;
    const Result<Job> job = co_await jobs.Find(request.caller.team, job_id);
    co_return Private(Answer(job, 200, request));
}

Task<http::Response> GetResult(http::Request& request, Jobs& jobs) {
    const Result<JobId> id = IdOf(request);
    if (!id) co_return http::ProblemResponse(id.error(), request);
    const std::optional<Error> wrong = UnknownParameter(request);
    if (wrong) co_return http::ProblemResponse(*wrong, request);
    const JobId job_id = *id;
    Result<JobResult> result = co_await jobs.ResultOf(request.caller.team, job_id);
    if (!result) co_return http::ProblemResponse(result.error(), request);
    const std::string media_type = result->media_type;
    co_return Private(http::Response(200, media_type, std::move(result->body)));
}

Task<http::Response> Cancel(http::Request& request, Jobs& jobs) {
    const Result<JobId> id = IdOf(request);
    if (!id) co_return http::ProblemResponse(id.error(), request);
    const JobId job_id = *id;
    const Result<Job> job = co_await jobs.Cancel(request.caller.team, job_id);
    co_return Answer(job, 202, request);
}

Task<http::Response> Retry(http::Request& request, Jobs& jobs) {
    const Result<JobId> id = IdOf(request);
    if (!id) co_return http::ProblemResponse(id.error(), request);
    const JobId job_id = *id;
    const Result<Job> job = co_await jobs.Retry(request.caller.team, job_id);
    co_return Answer(job, 202, request);
}

Task<http::Response> Delete(http::Request& request, Jobs& jobs) {
    const Result<JobId> id = IdOf(request);
    if (!id) co_return http::ProblemResponse(id.error(), request);
    const JobId job_id = *id;
    const Result<void> done = co_await jobs.Delete(request.caller.team, job_id);
    if (!done) co_return http::ProblemResponse(done.error(), request);
    co_return http::Response(204);
}

}  // namespace

void AddRoutes(http::Router& router, Jobs& jobs, const http::Guard& read,
               const http::Guard& write) {
    using Handling = Task<http::Response> (*)(http::Request&, Jobs&);
    const auto add = [&](http::Method method, const std::string& path, Handling handling,
                         const http::RouteOptions& options) {
        router.AddAll(
            method, {"/api/jobs" + path, "/api/v1/jobs" + path},
            [&jobs, handling](http::Request& request) { return handling(request, jobs); }, options);
    };
    http::RouteOptions reading;
    reading.guard = read;
    http::RouteOptions listing = reading;
    listing.produces = {"application/json"};
    http::RouteOptions writing;
    writing.guard = write;
    add(http::Method::kGet, "", &List, listing);
    add(http::Method::kGet, "/{job_id}", &Get, listing);
    add(http::Method::kGet, "/{job_id}/result", &GetResult, reading);
    add(http::Method::kPost, "/{job_id}/cancel", &Cancel, writing);
    add(http::Method::kPost, "/{job_id}/retry", &Retry, writing);
    add(http::Method::kDelete, "/{job_id}", &Delete, writing);
}

}  // namespace vf::jobs
