#include "dictionaries/dictionaries_routes.hpp"

#include "dictionaries/dictionaries_body.hpp"
#include "http/problem.hpp"
#include "http/query.hpp"
#include "text/pls.hpp"

namespace vf::dictionaries {
namespace {

using http::Request;
using http::Response;

constexpr std::uint64_t kMaxBody = 4ULL << 20U;  // 10,000 rules with room
constexpr const char* kPlsType = "application/pls+xml";

Error NoSuchDictionary() {
    return {ErrorKind::kNotFound, "dictionary_not_found",
            "There is no pronunciation dictionary with this id."};
}

Result<DictionaryId> IdOf(const Request& request) {
    const auto id = DictionaryId::Parse(request.PathParam("id"));
    if (!id) return NoSuchDictionary();
    return *id;
}

// The id, once the query holds nothing that it should not.
Result<DictionaryId> IdAlone(const Request& request) {
    if (auto wrong = http::QueryReader(request, {}).Wrong()) return *std::move(wrong);
    return IdOf(request);
}

Response Shown(int status, const Dictionary& dictionary) {
    Response response = http::JsonResponse(status, ToJson(dictionary));
    if (status == 201) {
        response.headers.Set("Location", "/api/dictionaries/" + dictionary.id.Wire());
    }
    return response;
}

Response ShownOr(int status, const Result<Dictionary>& dictionary, const Request& request) {
    if (!dictionary) return http::ProblemResponse(dictionary.error(), request);
    return Shown(status, *dictionary);
}

Task<Response> List(Request& request, Dictionaries& dictionaries) {
    http::QueryReader query(request, {"limit", "cursor", "archived"});
    const std::int64_t limit = query.Integer("limit", 20, 1, 100);
    const auto after = query.Id<DictionaryId>("cursor");
    const std::string archived = query.Text("archived").value_or("false");
    if (archived != "true" && archived != "false") {
        query.Fail("archived", "not_allowed", "must be true or false.");
    }
    if (auto wrong = query.Wrong()) co_return http::ProblemResponse(*wrong, request);
    const bool with_archived = archived == "true";
    const TeamId team = request.caller.team;
    const DictionaryPage page = co_await dictionaries.List(team, with_archived, after, limit);
    json::array data;
    for (const Dictionary& one : page.dictionaries) data.push_back(ToJson(one));
    json::value next;
    if (page.next) next = page.next->Wire();
    co_return http::JsonResponse(
        200, json::object{{"data", std::move(data)}, {"next_cursor", std::move(next)}});
}

Task<Response> Create(Request& request, Dictionaries& dictionaries) {
    if (auto wrong = http::QueryReader(request, {}).Wrong()) {
        co_return http::ProblemResponse(*wrong, request);
    }
    Result<NewDictionary> body = ReadNewDictionary(request.body);
    if (!body) co_return http::ProblemResponse(body.error(), request);
    const Caller caller = request.caller;
    const Result<Dictionary> made = co_await dictionaries.Create(caller, *std::move(body));
    co_return ShownOr(201, made, request);
}

Task<Response> Import(Request& request, Dictionaries& dictionaries) {
    http::QueryReader query(request, {"name", "description"});
    NewDictionary wanted;
    wanted.name = query.Text("name").value_or("");
    wanted.description = query.Text("description").value_or("");
    if (wanted.name.empty()) query.Fail("name", "required", "is required.");
    if (auto wrong = query.Wrong()) co_return http::ProblemResponse(*wrong, request);
    Result<text::PlsDocument> document = text::ReadPls(request.body);
    if (!document) co_return http::ProblemResponse(document.error(), request);
    wanted.rules = std::move(document->rules);
    const Caller caller = request.caller;
    const Result<Dictionary> made = co_await dictionaries.Create(caller, std::move(wanted));
    co_return ShownOr(201, made, request);
}

Task<Response> Show(Request& request, Dictionaries& dictionaries) {
    const Result<DictionaryId> id = IdAlone(request);
    if (!id) co_return http::ProblemResponse(id.error(), request);
    const Result<Dictionary> found = co_await dictionaries.Find(request.caller.team, *id);
    co_return ShownOr(200, found, request);
}

Task<Response> Change(Request& request, Dictionaries& dictionaries) {
    const Result<DictionaryId> id = IdAlone(request);
    if (!id) co_return http::ProblemResponse(id.error(), request);
    Result<DictionaryChange> body = ReadChange(request.body);
    if (!body) co_return http::ProblemResponse(body.error(), request);
    const Caller caller = request.caller;
    const Result<Dictionary> changed = co_await dictionaries.Change(caller, *id, *std::move(body));
    co_return ShownOr(200, changed, request);
}

Task<Response> Delete(Request& request, Dictionaries& dictionaries) {
    const Result<DictionaryId> id = IdAlone(request);
    if (!id) co_return http::ProblemResponse(id.error(), request);
    const Caller caller = request.caller;
    const Result<void> done = co_await dictionaries.Delete(caller, *id);
    if (!done) co_return http::ProblemResponse(done.error(), request);
    co_return Response(204);
}

Task<Response> SetTo(Request& request, Dictionaries& dictionaries, DictionaryId id, Rules rules) {
    ChangeRules change = [rules = std::move(rules)](const Rules&) -> Result<Rules> {
        return rules;
    };
    const Caller caller = request.caller;
    const Result<Dictionary> changed =
        co_await dictionaries.SetRules(caller, id, std::move(change));
    co_return ShownOr(200, changed, request);
}

Task<Response> SetRules(Request& request, Dictionaries& dictionaries) {
    const Result<DictionaryId> id = IdAlone(request);
    if (!id) co_return http::ProblemResponse(id.error(), request);
    Result<Rules> rules = ReadRules(request.body);
    if (!rules) co_return http::ProblemResponse(rules.error(), request);
    co_return co_await SetTo(request, dictionaries, *id, *std::move(rules));
}

Task<Response> SetPls(Request& request, Dictionaries& dictionaries) {
    const Result<DictionaryId> id = IdAlone(request);
    if (!id) co_return http::ProblemResponse(id.error(), request);
    Result<text::PlsDocument> document = text::ReadPls(request.body);
    if (!document) co_return http::ProblemResponse(document.error(), request);
    co_return co_await SetTo(request, dictionaries, *id, std::move(document->rules));
}

// The dictionary of the path and the version that ?version= names, or the latest.
Task<Result<Version>> FindVersion(const Request& request, Dictionaries& dictionaries) {
    http::QueryReader query(request, {"version"});
    const auto wanted = query.Id<VersionId>("version");
    if (auto wrong = query.Wrong()) co_return *std::move(wrong);
    const Result<DictionaryId> id = IdOf(request);
    if (!id) co_return id.error();
    const TeamId team = request.caller.team;
    const Result<Dictionary> dictionary = co_await dictionaries.Find(team, *id);
    if (!dictionary) co_return dictionary.error();
    const VersionId version = wanted.value_or(dictionary->latest);
    co_return co_await dictionaries.FindVersion(team, *id, version);
}

Task<Response> ShowRules(Request& request, Dictionaries& dictionaries) {
    const Result<Version> version = co_await FindVersion(request, dictionaries);
    if (!version) co_return http::ProblemResponse(version.error(), request);
    const Locator locator{version->dictionary, version->id};
    const Result<Lexicon> lexicon = co_await dictionaries.Load(request.caller.team, locator);
    if (!lexicon) co_return http::ProblemResponse(lexicon.error(), request);
    json::object body = ToJson(*version);
    body["rules"] = RulesJson((*lexicon)->rules());
    co_return http::JsonResponse(200, std::move(body));
}

Task<Response> ShowPls(Request& request, Dictionaries& dictionaries) {
    const Result<Version> version = co_await FindVersion(request, dictionaries);
    if (!version) co_return http::ProblemResponse(version.error(), request);
    const Locator locator{version->dictionary, version->id};
    const Result<Lexicon> lexicon = co_await dictionaries.Load(request.caller.team, locator);
    if (!lexicon) co_return http::ProblemResponse(lexicon.error(), request);
    text::PlsDocument document;
    document.rules = (*lexicon)->rules();
    Response response(200, kPlsType, text::WritePls(document));
    response.headers.Set("Content-Disposition",
                         "attachment; filename=\"" + version->dictionary.Wire() + ".pls\"");
    co_return response;
}

Task<Response> ListVersions(Request& request, Dictionaries& dictionaries) {
    http::QueryReader query(request, {"limit", "cursor"});
    const std::int64_t limit = query.Integer("limit", 20, 1, 100);
    const auto after = query.Id<VersionId>("cursor");
    if (auto wrong = query.Wrong()) co_return http::ProblemResponse(*wrong, request);
    const Result<DictionaryId> id = IdOf(request);
    if (!id) co_return http::ProblemResponse(id.error(), request);
    const TeamId team = request.caller.team;
    const Result<VersionPage> page = co_await dictionaries.Versions(team, *id, after, limit);
    if (!page) co_return http::ProblemResponse(page.error(), request);
    json::array data;
    for (const Version& version : page->versions) data.push_back(ToJson(version));
    json::value next;
    if (page->next) next = page->next->Wire();
    co_return http::JsonResponse(
        200, json::object{{"data", std::move(data)}, {"next_cursor", std::move(next)}});
}

Response DefaultsResponse(const std::vector<DictionaryId>& ids) {
    json::array wire;
    for (const DictionaryId& id : ids) wire.emplace_back(id.Wire());
    return http::JsonResponse(200, json::object{{"dictionaries", std::move(wire)}});
}

Task<Response> ShowDefaults(Request& request, Dictionaries& dictionaries) {
    if (auto wrong = http::QueryReader(request, {}).Wrong()) {
        co_return http::ProblemResponse(*wrong, request);
    }
    const std::vector<DictionaryId> ids = co_await dictionaries.Defaults(request.caller.team);
    co_return DefaultsResponse(ids);
}

Task<Response> SetDefaults(Request& request, Dictionaries& dictionaries) {
    if (auto wrong = http::QueryReader(request, {}).Wrong()) {
        co_return http::ProblemResponse(*wrong, request);
    }
    const Result<std::vector<DictionaryId>> ids = ReadDefaults(request.body);
    if (!ids) co_return http::ProblemResponse(ids.error(), request);
    const Caller caller = request.caller;
    const Result<void> done = co_await dictionaries.SetDefaults(caller, *ids);
    if (!done) co_return http::ProblemResponse(done.error(), request);
    co_return DefaultsResponse(*ids);
}

}  // namespace

void AddRoutes(http::Router& router, Dictionaries& dictionaries, const identity::Access& access) {
    using http::Method;
    http::RouteOptions read;
    read.guard = access.Guard(Scope::kVoicesRead);
    read.produces = {"application/json"};
    http::RouteOptions download = read;
    download.produces = {kPlsType, "application/xml"};
    http::RouteOptions write = read;
    write.guard = access.Guard(Scope::kVoicesWrite);
    http::RouteOptions with_json = write;
    with_json.consumes = {"application/json"};
    with_json.max_body = kMaxBody;
    http::RouteOptions with_pls = write;
    with_pls.consumes = {kPlsType, "application/xml", "text/xml"};
    with_pls.max_body = kMaxBody;

    const auto add = [&](Method method, const std::string& rest, auto handler,
                         const http::RouteOptions& options) {
        router.AddAll(
            method, {"/api/dictionaries" + rest, "/api/v1/dictionaries" + rest},
            [&dictionaries, handler](Request& request) { return handler(request, dictionaries); },
            options);
    };
    add(Method::kGet, "", &List, read);
    add(Method::kPost, "", &Create, with_json);
    add(Method::kPost, "/import", &Import, with_pls);
    add(Method::kGet, "/defaults", &ShowDefaults, read);
    add(Method::kPut, "/defaults", &SetDefaults, with_json);
    add(Method::kGet, "/{id}", &Show, read);
    add(Method::kPatch, "/{id}", &Change, with_json);
    add(Method::kDelete, "/{id}", &Delete, write);
    add(Method::kGet, "/{id}/versions", &ListVersions, read);
    add(Method::kGet, "/{id}/rules", &ShowRules, read);
    add(Method::kPut, "/{id}/rules", &SetRules, with_json);
    add(Method::kGet, "/{id}/pls", &ShowPls, download);
    add(Method::kPut, "/{id}/pls", &SetPls, with_pls);
}

}  // namespace vf::dictionaries
