// The job that collects a team's events.

#include <fmt/format.h>

#include "exports/exports.hpp"

namespace vf::exports {
namespace {

constexpr std::int64_t kPage = 500;

Error TooLarge(std::uint64_t most) {
    return Error(
        ErrorKind::kTooLarge, "export_too_large",
        fmt::format("The export would be larger than {} bytes. Ask for a shorter period.", most));
}

// Times are compared as text: all are UTC, of one length, and checked by the route.
Task<Result<jobs::JobResult>> Collect(jobs::JobContext* job, events::Events* events,
                                      std::uint64_t max_bytes) {
    const std::string from(job->payload().at("from").as_string());
    const std::string to(job->payload().at("to").as_string());
    jobs::JobResult result;
    result.media_type = "application/x-ndjson";
    events::Query query;
    query.limit = kPage;
    std::int64_t lines = 0;
    for (;;) {
        if (job->cancelled()) {
            co_return Error(ErrorKind::kUnavailable, "export_cancelled", "The export was stopped.");
        }
        const Result<events::Page> page = co_await events->List(job->team(), query);
        if (!page.ok() && page.error().kind() == ErrorKind::kGone) {
            co_return Error(ErrorKind::kUnavailable, "export_interrupted",
                            "Old events went while they were being collected.");
        }
        if (!page.ok()) co_return page.error();
        const events::Page& found = page.value();
        for (const events::Event& event : found.events) {
            if (event.created_at < from || event.created_at >= to) continue;
            result.body += json::Print(events::ToJson(event));
            result.body += '\n';
            ++lines;
        }
        if (result.body.size() > max_bytes) co_return TooLarge(max_bytes);
        if (!found.next) break;
        query.after = found.next;
        job->Progress(0.5, fmt::format("{} events so far", lines));
    }
    job->Progress(1.0, fmt::format("{} events", lines));
    co_return result;
}

}  // namespace

void AddHandler(jobs::Jobs& jobs, events::Events& events, std::uint64_t max_bytes) {
    jobs::HandlerOptions options;
    options.concurrency = 1;
    jobs.Handle(kExportKind, options, [&events, max_bytes](jobs::JobContext& job) {
        return Collect(&job, &events, max_bytes);
    });
}

}  // namespace vf::exports
