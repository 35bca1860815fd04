#include "vendors/vendors_routes.hpp"

#include "http/problem.hpp"
#include "http/query.hpp"
#include "vendors/vendors_body.hpp"

namespace vf::vendors {
namespace {

using http::Request;
using http::Response;

constexpr std::uint64_t kMaxBody = 1ULL << 20U;

// The id, once the query holds nothing that it should not.
Result<ConnectionId> IdAlone(const Request& request) {
    if (auto wrong = http::QueryReader(request, {}).Wrong()) return *std::move(wrong);
    const auto id = ConnectionId::Parse(request.PathParam("id"));
    if (id) return *id;
    return Error(ErrorKind::kNotFound, "vendor_not_found",
                 "There is no vendor connection with this id. GET /api/vendors lists them.");
}

Response ShownOr(int status, const Result<Connection>& connection, const Request& request) {
    if (!connection) return http::ProblemResponse(connection.error(), request);
    Response response = http::JsonResponse(status, ToJson(*connection));
    if (status == 201) response.headers.Set("Location", "/api/vendors/" + connection->id.Wire());
    return response;
}

Task<Response> List(Request& request, Vendors& vendors) {
    http::QueryReader query(request, {"limit", "cursor"});
    const std::int64_t limit = query.Integer("limit", 20, 1, 100);
    const auto after = query.Id<ConnectionId>("cursor");
    if (auto wrong = query.Wrong()) co_return http::ProblemResponse(*wrong, request);
    const TeamId team = request.caller.team;
    const ConnectionPage page = co_await vendors.List(team, after, limit);
    json::array data;
    for (const Connection& one : page.connections) data.push_back(ToJson(one));
    json::value next;
    if (page.next) next = page.next->Wire();
    co_return http::JsonResponse(
        200, json::object{{"data", std::move(data)}, {"next_cursor", std::move(next)}});
}

Task<Response> Create(Request& request, Vendors& vendors) {
    if (auto wrong = http::QueryReader(request, {}).Wrong()) {
        co_return http::ProblemResponse(*wrong, request);
    }
    Result<NewConnection> body = ReadNewConnection(request.body);
    if (!body) co_return http::ProblemResponse(body.error(), request);
    const Caller caller = request.caller;
    const Result<Connection> made = co_await vendors.Create(caller, *std::move(body));
    co_return ShownOr(201, made, request);
}

Task<Response> Show(Request& request, Vendors& vendors) {
    const Result<ConnectionId> id = IdAlone(request);
    if (!id) co_return http::ProblemResponse(id.error(), request);
    const Result<Connection> found = co_await vendors.Find(request.caller.team, *id);
    co_return ShownOr(200, found, request);
}

Task<Response> Change(Request& request, Vendors& vendors) {
    const Result<ConnectionId> id = IdAlone(request);
    if (!id) co_return http::ProblemResponse(id.error(), request);
    Result<ConnectionChange> body = ReadChange(request.body);
    if (!body) co_return http::ProblemResponse(body.error(), request);
    const Caller caller = request.caller;
    const Result<Connection> changed = co_await vendors.Change(caller, *id, *std::move(body));
    co_return ShownOr(200, changed, request);
}

Task<Response> Delete(Request& request, Vendors& vendors) {
    const Result<ConnectionId> id = IdAlone(request);
    if (!id) co_return http::ProblemResponse(id.error(), request);
    const Caller caller = request.caller;
    const Result<void> done = co_await vendors.Delete(caller, *id);
    if (!done) co_return http::ProblemResponse(done.error(), request);
    co_return Response(204);
}

Task<Response> Test(Request& request, Vendors& vendors) {
    const Result<ConnectionId> id = IdAlone(request);
    if (!id) co_return http::ProblemResponse(id.error(), request);
    const Caller caller = request.caller;
    const Result<TestResult> tested = co_await vendors.Test(caller, *id);
    if (!tested) co_return http::ProblemResponse(tested.error(), request);
    co_return http::JsonResponse(200, ToJson(*tested));
}

}  // namespace

void AddRoutes(http::Router& router, Vendors& vendors, const identity::Access& access) {
    using http::Method;
    using Act = Task<Response> (*)(Request&, Vendors&);
    const auto add = [&](Method method, const std::string& path, Act act) {
        const bool is_read = method == Method::kGet;
        http::RouteOptions options;
        options.errors = &http::ProblemResponse;
        options.guard = access.Guard(is_read ? Scope::kVoicesRead : Scope::kAdminWrite);
        options.produces = {"application/json"};
        if (act == &Create || act == &Change) {
            options.consumes = {"application/json"};
            options.max_body = kMaxBody;
        }
        http::Handler handler = [act, &vendors](Request& request) { return act(request, vendors); };
        router.Add(method, "/api/vendors" + path, handler, options);
        router.Add(method, "/api/v1/vendors" + path, handler, options);
    };
    add(Method::kGet, "", &List);
    add(Method::kPost, "", &Create);
    add(Method::kGet, "/{id}", &Show);
    add(Method::kPatch, "/{id}", &Change);
    add(Method::kDelete, "/{id}", &Delete);
    add(Method::kPost, "/{id}/test", &Test);
}

}  // namespace vf::vendors
