#include <boost/describe.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "base/json_body.hpp"
#include "exports/exports.hpp"
#include "http/problem.hpp"

namespace vf::exports {
namespace {

struct ExportBody {
    json::Required<std::string> from;
    json::Required<std::string> to;
};
BOOST_DESCRIBE_STRUCT(ExportBody, (), (from, to))

// "2026-01-31T00:00:00Z", with up to three decimals of a second; in the form that events bear
// ("….000Z"), or nothing.
std::optional<std::string> ReadTime(const std::string& text) {
    static constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
    constexpr std::size_t kMostDecimals = 3;
    if (text.size() <= kShape.size() || text.back() != 'Z') return std::nullopt;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    for (std::size_t i = 0; i < kShape.size(); ++i) {
        const bool fits = kShape[i] == 'd' ? is_digit(text[i]) : text[i] == kShape[i];
        if (!fits) return std::nullopt;
    }
    std::string decimals = text.substr(kShape.size(), text.size() - kShape.size() - 1);
    if (!decimals.empty()) {
        const bool is_fraction = decimals.front() == '.' && decimals.size() > 1 &&
                                 decimals.size() <= kMostDecimals + 1 &&
                                 std::all_of(decimals.begin() + 1, decimals.end(), is_digit);
        if (!is_fraction) return std::nullopt;
        decimals.erase(0, 1);
    }
    decimals.resize(kMostDecimals, '0');
    const auto number = [&](std::size_t at, std::size_t count) {
        return std::stoi(text.substr(at, count));
    };
    const std::chrono::year_month_day day(std::chrono::year(number(0, 4)),
                                          std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                          std::chrono::day(static_cast<unsigned>(number(8, 2))));
    if (!day.ok() || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 59) {
        return std::nullopt;
    }
    return text.substr(0, kShape.size()) + "." + decimals + "Z";
}

void CheckBody(const ExportBody& body, json::Checker& check) {
    const auto from = ReadTime(*body.from);
    const auto to = ReadTime(*body.to);
    constexpr const char* kWords = "must be a time such as 2026-01-31T00:00:00Z.";
    if (!from) check.Fail("from", "invalid_time", kWords);
    if (!to) check.Fail("to", "invalid_time", kWords);
    if (from && to && *from >= *to) check.Fail("to", "out_of_range", "must be later than from.");
}

Task<http::Response> Start(http::Request& request, jobs::Jobs& jobs) {
    const Result<ExportBody> body =
        json::ReadBody<ExportBody>(request.body, json::Members::kClosed);
    if (!body) co_return http::ProblemResponse(body.error(), request);
    const ExportBody& wanted = *body;
    jobs::NewJob job;
    job.kind = kExportKind;
    job.live = request.caller.live;
    job.key = request.caller.key;
    job.payload = json::object{{"from", *ReadTime(*wanted.from)}, {"to", *ReadTime(*wanted.to)}};
    pg::TeamDb db = jobs.Team(request.caller.team);
    auto transaction = co_await db.Begin();
    const Result<JobId> id = co_await jobs.Enqueue(*transaction, std::move(job));
    if (!id) co_return http::ProblemResponse(id.error(), request);
    co_await transaction->Commit();
    const JobId job_id = *id;
    const Result<jobs::Job> made = co_await jobs.Find(request.caller.team, job_id);
    if (!made) co_return http::ProblemResponse(made.error(), request);
    http::Response response = http::JsonResponse(202, jobs::ToJson(*made));
    response.headers.Set("Location", "/api/jobs/" + job_id.Wire());
    co_return response;
}

}  // namespace

void AddRoutes(http::Router& router, jobs::Jobs& jobs, const http::Guard& write) {
    http::RouteOptions options;
    options.guard = write;
    options.consumes = {"application/json"};
    options.produces = {"application/json"};
    router.AddAll(
        http::Method::kPost, {"/api/exports", "/api/v1/exports"},
        [&jobs](http::Request& request) { return Start(request, jobs); }, options);
}

}  // namespace vf::exports
