// Pronunciation dictionaries as ElevenLabs' clients manage them.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <unordered_map>

#include "dialects/elevenlabs/dictionary_bodies.hpp"
#include "dialects/elevenlabs/elevenlabs_deps.hpp"
#include "dialects/elevenlabs/elevenlabs_error.hpp"
#include "http/multipart.hpp"
#include "text/pls.hpp"

namespace vf::elevenlabs {

namespace {

using dictionaries::Dictionary;
using dictionaries::DictionaryId;
using dictionaries::Rules;
using http::Request;
using http::Response;

constexpr std::uint64_t kMaxBody = 4ULL << 20U;
constexpr std::int64_t kDefaultPage = 30;
constexpr std::int64_t kMaxPage = 100;

Error NotFound() {
    return {ErrorKind::kNotFound, "dictionary_not_found",
            "There is no pronunciation dictionary with this id."};
}

Error Parameter(const char* name, const char* code, std::string words) {
    return {ErrorKind::kInvalid,
            code,
            fmt::format("The query parameter {} {}", name, words),
            {{name, code, words}}};
}

Result<DictionaryId> IdOf(const Request& request) {
    const auto id = DictionaryId::Parse(request.PathParam("pronunciation_dictionary_id"));
    if (!id) return NotFound();
    return *id;
}

Task<Response> Create(Request& request, const Deps& deps, dictionaries::NewDictionary wanted) {
    const Caller caller = request.caller;
    const Result<Dictionary> made = co_await deps.dictionaries.Create(caller, std::move(wanted));
    if (!made) co_return ErrorResponse(made.error(), request);
    co_return http::JsonResponse(200, MadeJson(*made));
}

Task<Response> AddFromRules(Request& request, const Deps& deps) {
    Result<FromRulesBody> body = json::ReadBody<FromRulesBody>(request.body, json::Members::kOpen);
    if (!body) co_return ErrorResponse(body.error(), request);
    Result<Rules> rules = RulesOf(body->rules.value);
    if (!rules) co_return ErrorResponse(rules.error(), request);
    dictionaries::NewDictionary wanted;
    wanted.name = std::move(body->name.value);
    wanted.description = body->description.value_or("");
    wanted.rules = *std::move(rules);
    co_return co_await Create(request, deps, std::move(wanted));
}

Task<Response> AddFromFile(Request& request, const Deps& deps) {
    const auto parts = http::ParseMultipart(request.headers.Get("Content-Type"), request.body);
    if (!parts) co_return ErrorResponse(parts.error(), request);
    dictionaries::NewDictionary wanted;
    const std::string* file = nullptr;
    for (const http::Part& part : *parts) {
        if (part.name == "name") wanted.name = part.data;
        if (part.name == "description") wanted.description = part.data;
        if (part.name == "file") file = &part.data;
    }
    std::vector<FieldError> missing;
    if (wanted.name.empty()) missing.push_back({"/name", "required", "is required."});
    if (!missing.empty()) {
        co_return ErrorResponse(json::BodyError(std::move(missing)), request);
    }
    if (file && !file->empty()) {
        Result<text::PlsDocument> document = text::ReadPls(*file);
        if (!document) co_return ErrorResponse(document.error(), request);
        wanted.rules = std::move(document->rules);
    }
    co_return co_await Create(request, deps, std::move(wanted));
}

struct ListQuery {
    std::int64_t page_size = kDefaultPage;
    std::optional<DictionaryId> after;
    bool by_name = false;
    bool descending = true;
    bool with_archived = false;
};

Result<ListQuery> ReadListQuery(const Request& request) {
    ListQuery out;
    for (const auto& [name, value] : request.QueryParams()) {
        if (value.empty()) continue;
        if (name == "page_size") {
            const auto [end, ec] =
                std::from_chars(value.data(), value.data() + value.size(), out.page_size);
            if (ec != std::errc() || end != value.data() + value.size() || out.page_size < 1 ||
                out.page_size > kMaxPage) {
                return Parameter("page_size", "invalid_page_size", "must be 1 to 100.");
            }
        } else if (name == "cursor") {
            out.after = DictionaryId::Parse(value);
            if (!out.after) {
                return Parameter("cursor", "invalid_cursor", "is not the next_cursor of a page.");
            }
        } else if (name == "sort") {
            if (value != "name" && value != "creation_time_unix") {
                return Parameter("sort", "invalid_parameters",
                                 "must be name or creation_time_unix.");
            }
            out.by_name = value == "name";
        } else if (name == "sort_direction") {
            const std::string direction = http::LowerCase(value);
            if (!direction.starts_with("asc") && !direction.starts_with("desc")) {
                return Parameter("sort_direction", "invalid_parameters", "must be asc or desc.");
            }
            out.descending = direction.starts_with("desc");
        } else if (name == "include_archived") {
            out.with_archived = http::LowerCase(value) == "true";
        }
    }
    return out;
}

// A team has a few hundred at most (dictionaries.per_team), so that they are sorted here.
Task<std::vector<Dictionary>> AllOf(const Deps& deps, TeamId team, bool with_archived) {
    std::vector<Dictionary> all;
    std::optional<DictionaryId> after;
    for (;;) {
        auto page = co_await deps.dictionaries.List(team, with_archived, after, kMaxPage);
        for (Dictionary& one : page.dictionaries) all.push_back(std::move(one));
        if (!page.next) co_return all;
        after = page.next;
    }
}

Task<Response> List(Request& request, const Deps& deps) {
    const Result<ListQuery> query = ReadListQuery(request);
    if (!query) co_return ErrorResponse(query.error(), request);
    const TeamId team = request.caller.team;
    std::vector<Dictionary> all = co_await AllOf(deps, team, query->with_archived);
    if (query->by_name) {
        std::stable_sort(all.begin(), all.end(),
                         [](const auto& a, const auto& b) { return a.name > b.name; });
    }
    if (!query->descending) std::reverse(all.begin(), all.end());
    auto begin = all.begin();
    if (query->after) {
        begin = std::find_if(all.begin(), all.end(),
                             [&](const Dictionary& one) { return one.id == *query->after; });
        if (begin != all.end()) ++begin;
    }
    const auto end = begin + std::min<std::int64_t>(query->page_size, all.end() - begin);
    json::array out;
    for (auto at = begin; at != end; ++at) out.push_back(MetadataJson(*at));
    const bool has_more = end != all.end();
    json::value next;
    if (has_more) next = (end - 1)->id.Wire();
    co_return http::JsonResponse(200, json::object{{"pronunciation_dictionaries", std::move(out)},
                                                   {"next_cursor", std::move(next)},
                                                   {"has_more", has_more}});
}

Task<Response> Show(Request& request, const Deps& deps) {
    const Result<DictionaryId> id = IdOf(request);
    if (!id) co_return ErrorResponse(id.error(), request);
    const TeamId team = request.caller.team;
    const Result<Dictionary> found = co_await deps.dictionaries.Find(team, *id);
    if (!found) co_return ErrorResponse(found.error(), request);
    const dictionaries::Locator locator{*id, found->latest};
    const auto lexicon = co_await deps.dictionaries.Load(team, locator);
    if (!lexicon) co_return ErrorResponse(lexicon.error(), request);
    json::object body = MetadataJson(*found);
    json::array rules;
    for (const text::LexiconRule& rule : (*lexicon)->rules()) rules.push_back(RuleJson(rule));
    body["rules"] = std::move(rules);
    co_return http::JsonResponse(200, std::move(body));
}

Task<Response> Patch(Request& request, const Deps& deps) {
    const Result<DictionaryId> id = IdOf(request);
    if (!id) co_return ErrorResponse(id.error(), request);
    Result<PatchBody> body = json::ReadBody<PatchBody>(request.body, json::Members::kOpen);
    if (!body) co_return ErrorResponse(body.error(), request);
    dictionaries::DictionaryChange change;
    change.name = std::move(body->name);
    change.archived = body->archived;
    const Caller caller = request.caller;
    const auto changed = co_await deps.dictionaries.Change(caller, *id, std::move(change));
    if (!changed) co_return ErrorResponse(changed.error(), request);
    co_return http::JsonResponse(200, MetadataJson(*changed));
}

Task<Response> ChangeRules(Request& request, const Deps& deps, dictionaries::ChangeRules change) {
    const Result<DictionaryId> id = IdOf(request);
    if (!id) co_return ErrorResponse(id.error(), request);
    const Caller caller = request.caller;
    const auto changed = co_await deps.dictionaries.SetRules(caller, *id, std::move(change));
    if (!changed) co_return ErrorResponse(changed.error(), request);
    co_return http::JsonResponse(200, ChangedJson(*changed));
}

Result<Rules> ReadRules(const Request& request) {
    Result<RulesBody> body = json::ReadBody<RulesBody>(request.body, json::Members::kOpen);
    if (!body) return std::move(body).error();
    return RulesOf(body->rules.value);
}

Task<Response> SetRules(Request& request, const Deps& deps) {
    Result<Rules> rules = ReadRules(request);
    if (!rules) co_return ErrorResponse(rules.error(), request);
    dictionaries::ChangeRules change = [wanted = *std::move(rules)](const Rules&) -> Result<Rules> {
        return wanted;
    };
    co_return co_await ChangeRules(request, deps, std::move(change));
}

// A rule for a text that has one already takes its place.
Task<Response> AddRules(Request& request, const Deps& deps) {
    Result<Rules> rules = ReadRules(request);
    if (!rules) co_return ErrorResponse(rules.error(), request);
    dictionaries::ChangeRules change = [wanted = *std::move(rules)](Rules old) -> Result<Rules> {
        std::unordered_map<std::string, std::size_t> places;
        for (std::size_t i = 0; i < old.size(); ++i) places.emplace(old[i].grapheme, i);
        for (const text::LexiconRule& rule : wanted) {
            const auto [place, is_new] = places.emplace(rule.grapheme, old.size());
            if (is_new) {
                old.push_back(rule);
            } else {
                old[place->second] = rule;
            }
        }
        return old;
    };
    co_return co_await ChangeRules(request, deps, std::move(change));
}

Task<Response> RemoveRules(Request& request, const Deps& deps) {
    Result<RuleStringsBody> body =
        json::ReadBody<RuleStringsBody>(request.body, json::Members::kOpen);
    if (!body) co_return ErrorResponse(body.error(), request);
    dictionaries::ChangeRules change =
        [strings = std::move(body->rule_strings.value)](Rules old) -> Result<Rules> {
        const std::set<std::string> gone(strings.begin(), strings.end());
        std::erase_if(old,
                      [&](const text::LexiconRule& rule) { return gone.contains(rule.grapheme); });
        return old;
    };
    co_return co_await ChangeRules(request, deps, std::move(change));
}

Task<Response> Download(Request& request, const Deps& deps) {
    const Result<DictionaryId> id = IdOf(request);
    if (!id) co_return ErrorResponse(id.error(), request);
    const auto version = dictionaries::VersionId::Parse(request.PathParam("version_id"));
    if (!version) {
        const Error error(ErrorKind::kNotFound, "dictionary_version_not_found",
                          "The pronunciation dictionary has no version with this id.");
        co_return ErrorResponse(error, request);
    }
    const dictionaries::Locator locator{*id, *version};
    const auto lexicon = co_await deps.dictionaries.Load(request.caller.team, locator);
    if (!lexicon) co_return ErrorResponse(lexicon.error(), request);
    text::PlsDocument document;
    document.rules = (*lexicon)->rules();
    Response response(200, "application/pls+xml", text::WritePls(document));
    response.headers.Set("Content-Disposition",
                         "attachment; filename=\"" + version->Wire() + ".pls\"");
    co_return response;
}

}  // namespace

void AddDictionaryRoutes(http::Router& router, const Deps& deps) {
    using http::Method;
    const RouteAdder add{router, deps};
    constexpr Scope kRead = Scope::kVoicesRead;
    constexpr Scope kWrite = Scope::kVoicesWrite;
    const std::vector<std::string> json{"application/json"};
    add(Method::kGet, "/v1/pronunciation-dictionaries", kRead, &List);
    add(Method::kPost, "/v1/pronunciation-dictionaries/add-from-rules", kWrite, &AddFromRules, json,
        kMaxBody);
    add(Method::kPost, "/v1/pronunciation-dictionaries/add-from-file", kWrite, &AddFromFile,
        {"multipart/form-data"}, kMaxBody);
    add(Method::kGet, "/v1/pronunciation-dictionaries/{pronunciation_dictionary_id}", kRead, &Show);
    add(Method::kPatch, "/v1/pronunciation-dictionaries/{pronunciation_dictionary_id}", kWrite,
        &Patch, json);
    add(Method::kPost, "/v1/pronunciation-dictionaries/{pronunciation_dictionary_id}/set-rules",
        kWrite, &SetRules, json, kMaxBody);
    add(Method::kPost, "/v1/pronunciation-dictionaries/{pronunciation_dictionary_id}/add-rules",
        kWrite, &AddRules, json, kMaxBody);
    add(Method::kPost, "/v1/pronunciation-dictionaries/{pronunciation_dictionary_id}/remove-rules",
        kWrite, &RemoveRules, json, kMaxBody);
    add(Method::kGet,
        "/v1/pronunciation-dictionaries/{pronunciation_dictionary_id}/{version_id}/download", kRead,
        &Download);
}

}  // namespace vf::elevenlabs
