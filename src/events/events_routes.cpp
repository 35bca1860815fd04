#include "events/events_routes.hpp"

#include "http/negotiate.hpp"
#include "http/problem.hpp"
#include "http/query.hpp"

namespace vf::events {
namespace {

constexpr std::size_t kMostTypes = 50;

// "a.b,c.d"
void ReadTypes(http::QueryReader& reader, Query& query) {
    const std::optional<std::string> text = reader.Text("types");
    if (!text) return;
    std::size_t from = 0;
    while (from <= text->size()) {
        const std::size_t comma = std::min(text->find(',', from), text->size());
        const std::string type = text->substr(from, comma - from);
        if (!IsEventType(type) || query.types.size() >= kMostTypes) {
            reader.Fail("types", "invalid_type",
                        "must be at most 50 event types such as job.dead, with commas between "
                        "them.");
            return;
        }
        query.types.insert(type);
        from = comma + 1;
    }
}

void ReadStart(http::QueryReader& reader, const http::Request& request, bool is_page,
               Query& query) {
    query.after = reader.Id<EventId>("after");
    const std::optional<EventId> cursor = reader.Id<EventId>("cursor");
    const std::string_view last = request.headers.Get("Last-Event-ID");
    if (cursor && query.after) {
        reader.Fail("after", "conflict", "cannot stand beside cursor.");
    }
    if (cursor) query.after = cursor;
    if (is_page || last.empty()) return;
    // The browser's own way to resume goes before the address it was once opened with.
    query.after = EventId::Parse(last);
    if (!query.after) reader.Fail("Last-Event-ID", "invalid_id", "is not the id of an event.");
}

Result<Query> ReadQuery(const http::Request& request, bool is_page) {
    http::QueryReader reader(request, {"after", "types", "limit", "cursor", "order"});
    Query query;
    ReadTypes(reader, query);
    ReadStart(reader, request, is_page, query);
    query.limit = reader.Integer("limit", 100, 1, 1000);
    const std::string order = reader.Text("order").value_or("asc");
    if (order != "asc" && order != "desc") {
        reader.Fail("order", "not_allowed", "must be asc or desc.");
    }
    query.newest_first = order == "desc";
    if (!is_page) {
        for (const char* name : {"limit", "cursor", "order"}) {
            if (reader.Text(name)) {
                reader.Fail(name, "not_allowed", "is for pages (Accept: application/json) only.");
            }
        }
    }
    std::optional<Error> wrong = reader.Wrong();
    if (wrong) return *std::move(wrong);
    return query;
}

Task<http::Response> GetPage(http::Request& request, Events& events) {
    Result<Query> query = ReadQuery(request, true);
    if (!query) co_return http::ProblemResponse(query.error(), request);
    const Result<Page> page = co_await events.List(request.caller.team, *std::move(query));
    if (!page) co_return http::ProblemResponse(page.error(), request);
    json::array data;
    for (const Event& event : (*page).events) data.push_back(ToJson(event));
    json::value next;
    if ((*page).next) next = (*page).next->Wire();
    http::Response response = http::JsonResponse(
        200, json::object{{"data", std::move(data)}, {"next_cursor", std::move(next)}});
    response.headers.Set("Cache-Control", "no-store");
    response.headers.Set("Vary", "Accept");
    co_return response;
}

Task<http::Response> GetStream(http::Request& request, Events& events) {
    Result<Query> query = ReadQuery(request, false);
    if (!query) co_return http::ProblemResponse(query.error(), request);
    const Result<std::shared_ptr<BytePipe>> pipe =
        co_await events.Follow(request.caller.team, *std::move(query));
    if (!pipe) co_return http::ProblemResponse(pipe.error(), request);
    http::Response response = http::StreamResponse("text/event-stream", *pipe);
    response.headers.Set("Cache-Control", "no-store");
    response.headers.Set("X-Accel-Buffering", "no");
    response.headers.Set("Vary", "Accept");
    co_return response;
}

Task<http::Response> Get(http::Request& request, Events& events) {
    const std::string accept = request.headers.Joined("Accept");
    const bool wants_stream = http::AcceptsOneOf(accept, {"text/event-stream"});
    if (wants_stream) return GetStream(request, events);
    return GetPage(request, events);
}

}  // namespace

void AddRoutes(http::Router& router, Events& events, const http::Guard& read) {
    http::RouteOptions options;
    options.produces = {"text/event-stream", "application/json"};
    options.guard = read;
    router.AddAll(
        http::Method::kGet, {"/api/events", "/api/v1/events"},
        [&events](http::Request& request) { return Get(request, events); }, options);
}

}  // namespace vf::events
