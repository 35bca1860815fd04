// What was spoken lately: list, single items, their audio, and several of them in one file.

#include <fmt/format.h>

#include <boost/describe.hpp>
#include <charconv>

#include "base/json_body.hpp"
#include "dialects/elevenlabs/elevenlabs_deps.hpp"
#include "dialects/elevenlabs/elevenlabs_error.hpp"
#include "dialects/elevenlabs/zip.hpp"

namespace vf::elevenlabs {

struct DownloadBody {
    json::Required<std::vector<std::string>> history_item_ids;
    std::optional<std::string> output_format;
};
BOOST_DESCRIBE_STRUCT(DownloadBody, (), (history_item_ids, output_format))

constexpr std::size_t kMaxDownload = 100;                  // items
constexpr std::uint64_t kMaxDownloadBytes = 64ULL << 20U;  // of the archive

void CheckBody(const DownloadBody& body, json::Checker& check) {
    if (body.history_item_ids->empty() || body.history_item_ids->size() > kMaxDownload) {
        check.Fail("history_item_ids", "out_of_range",
                   fmt::format("must have 1 to {} ids.", kMaxDownload));
    }
}

namespace {

using history::HistoryId;
using http::Request;
using http::Response;

constexpr std::int64_t kMaxPage = 1'000;

Error NotFound() {
    return {ErrorKind::kNotFound, "history_item_not_found",
            "There is no history item with this id; it may be deleted, or too old."};
}

Error Parameter(const std::string& name, const char* code, const std::string& words) {
    return {ErrorKind::kInvalid,
            code,
            fmt::format("The query parameter {} {}", name, words),
            {{name, code, words}}};
}

std::int64_t Seconds(history::Clock::time_point time) {
    return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

json::object ItemJson(const history::Item& item) {
    return {{"history_item_id", item.id.Wire()},
            {"request_id", item.request_id},
            {"voice_id", item.voice},
            {"voice_name", item.voice_name},
            {"voice_category", "premade"},
            {"model_id", item.model},
            {"text", item.text},
            {"date_unix", Seconds(item.created_at)},
            {"character_count_change_from", 0},
            {"character_count_change_to", item.characters},
            {"content_type", item.content_type},
            {"state", "created"},
            {"settings", item.settings},
            {"feedback", nullptr},
            {"share_link_id", nullptr},
            {"source", "TTS"},
            {"alignments", item.alignments},
            {"dialogue", item.dialogue},
            {"output_format", item.output_format}};
}

std::optional<std::int64_t> Number(const std::string& text) {
    std::int64_t out = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (text.empty() || ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return out;
}

// Unix seconds, within what a clock holds.
Result<void> ReadTime(const std::string& name, const std::string& value,
                      std::optional<history::Clock::time_point>& out) {
    const auto seconds = Number(value);
    if (!seconds || *seconds < 0 || *seconds > 4'102'444'800) {
        return Parameter(name, "invalid_parameters", "must be a time in Unix seconds.");
    }
    out = history::Clock::time_point(std::chrono::seconds(*seconds));
    return {};
}

struct ListQuery {
    history::Filter filter;
    bool is_nothing = false;  // a source that there is nothing of
};

Result<void> ReadParameter(const std::string& name, const std::string& value, ListQuery& out) {
    history::Filter& filter = out.filter;
    if (name == "page_size") {
        const auto size = Number(value);
        if (!size || *size < 1 || *size > kMaxPage) {
            return Parameter(name, "invalid_page_size", "must be 1 to 1000.");
        }
        filter.limit = *size;
    } else if (name == "start_after_history_item_id") {
        filter.after = HistoryId::Parse(value);
        if (!filter.after) {
            return Parameter(name, "invalid_cursor", "is not the id of a history item.");
        }
    } else if (name == "voice_id" || name == "model_id") {
        if (value.size() > 200 || value.find('\0') != std::string::npos) {
            return Parameter(name, "invalid_parameters", "is too long, or has a NUL in it.");
        }
        (name == "voice_id" ? filter.voice : filter.model) = value;
    } else if (name == "date_before_unix") {
        return ReadTime(name, value, filter.to);
    } else if (name == "date_after_unix") {
        return ReadTime(name, value, filter.from);
    } else if (name == "sort_direction") {
        if (value != "asc" && value != "desc") {
            return Parameter(name, "invalid_parameters", "must be asc or desc.");
        }
        filter.oldest_first = value == "asc";
    } else if (name == "search") {
        filter.search = value;
    } else if (name == "source") {
        out.is_nothing = value != "TTS";
    }
    return {};
}

Task<Response> List(Request& request, const Deps& deps) {
    ListQuery query;
    for (const auto& [name, value] : request.QueryParams()) {
        if (value.empty()) continue;
        const Result<void> read = ReadParameter(name, value, query);
        if (!read) co_return ErrorResponse(read.error(), request);
    }
    history::Page page;
    if (!query.is_nothing) {
        const TeamId team = request.caller.team;
        page = co_await deps.history.List(team, std::move(query.filter));
    }
    json::array items;
    for (const history::Item& item : page.items) items.push_back(ItemJson(item));
    json::value last;
    json::value scanned;
    if (!page.items.empty()) last = page.items.back().id.Wire();
    if (page.scanned_until) {
        last = page.scanned_until->Wire();
        scanned = static_cast<std::int64_t>(page.scanned_until->uuid.UnixMillis() / 1000);
    }
    co_return http::JsonResponse(200, json::object{{"history", std::move(items)},
                                                   {"has_more", page.has_more},
                                                   {"last_history_item_id", std::move(last)},
                                                   {"scanned_until", std::move(scanned)}});
}

Task<Result<history::Item>> FindItem(const Request& request, const Deps& deps, std::string wire) {
    const auto id = HistoryId::Parse(wire);
    if (!id) co_return NotFound();
    const HistoryId known = *id;
    co_return co_await deps.history.Find(request.caller.team, known);
}

Task<Response> Show(Request& request, const Deps& deps) {
    std::string id(request.PathParam("history_item_id"));
    const Result<history::Item> item = co_await FindItem(request, deps, std::move(id));
    if (!item) co_return ErrorResponse(item.error(), request);
    co_return http::JsonResponse(200, ItemJson(*item));
}

Task<Response> Delete(Request& request, const Deps& deps) {
    const auto id = HistoryId::Parse(request.PathParam("history_item_id"));
    if (!id) co_return ErrorResponse(NotFound(), request);
    const Result<void> done = co_await deps.history.Delete(request.caller.team, *id);
    if (!done) co_return ErrorResponse(done.error(), request);
    co_return http::JsonResponse(200, json::object{{"status", "ok"}});
}

// Errors in this dialect's words.
Task<Result<blob::BlobContent>> OpenAudio(const Request& request, const Deps& deps,
                                          const history::Item& item) {
    Result<blob::BlobContent> content = co_await deps.history.Audio(request.caller.team, item);
    co_return content;
}

Task<Response> Audio(Request& request, const Deps& deps) {
    std::string id(request.PathParam("history_item_id"));
    const Result<history::Item> item = co_await FindItem(request, deps, std::move(id));
    if (!item) co_return ErrorResponse(item.error(), request);
    Result<blob::BlobContent> content = co_await OpenAudio(request, deps, *item);
    if (!content) co_return ErrorResponse(content.error(), request);
    Response response(200, item->content_type, http::StreamBody{content->pipe, content->length});
    response.headers.Set("Content-Disposition", "attachment; filename=\"" + item->id.Wire() + "." +
                                                    item->extension + "\"");
    co_return response;
}

Task<Result<std::string>> WholeAudio(const Request& request, const Deps& deps,
                                     const history::Item& item) {
    Result<blob::BlobContent> content = co_await OpenAudio(request, deps, item);
    if (!content) co_return std::move(content).error();
    std::string out;
    for (;;) {
        const std::optional<std::string> chunk = co_await content->pipe->Read();
        if (!chunk) break;
        out += *chunk;
    }
    if (content->pipe->failed()) co_return *content->pipe->error();
    co_return out;
}

Task<Response> DownloadOne(Request& request, const Deps& deps, history::Item item) {
    Result<std::string> audio = co_await WholeAudio(request, deps, item);
    if (!audio) co_return ErrorResponse(audio.error(), request);
    Response response(200, item.content_type, *std::move(audio));
    response.headers.Set("Content-Disposition",
                         "attachment; filename=\"" + item.id.Wire() + "." + item.extension + "\"");
    co_return response;
}

Task<Response> Download(Request& request, const Deps& deps) {
    const Result<DownloadBody> body =
        json::ReadBody<DownloadBody>(request.body, json::Members::kOpen);
    if (!body) co_return ErrorResponse(body.error(), request);
    const std::string format = body->output_format.value_or("default");
    std::vector<history::Item> items;
    for (const std::string& wire : *body->history_item_ids) {
        std::string id = wire;
        Result<history::Item> item = co_await FindItem(request, deps, std::move(id));
        if (!item) co_return ErrorResponse(item.error(), request);
        if (format != "default" && format != item->extension) {
            const std::string words =
                fmt::format("can only be default: the item {} is {}, and is not converted.",
                            item->id.Wire(), item->output_format);
            const Error error(ErrorKind::kInvalid, "invalid_output_format",
                              "The member output_format " + words,
                              {{"/output_format", "invalid_output_format", words}});
            co_return ErrorResponse(error, request);
        }
        items.push_back(*std::move(item));
    }
    if (items.size() == 1) {
        co_return co_await DownloadOne(request, deps, std::move(items.front()));
    }
    ZipWriter zip;
    for (const history::Item& item : items) {
        const Result<std::string> audio = co_await WholeAudio(request, deps, item);
        if (!audio) co_return ErrorResponse(audio.error(), request);
        if (zip.size() + audio->size() > kMaxDownloadBytes) {
            const Error error(ErrorKind::kInvalid, "invalid_parameters",
                              fmt::format("These items have more than {} MiB together. Ask for "
                                          "fewer of them at once.",
                                          kMaxDownloadBytes >> 20U));
            co_return ErrorResponse(error, request);
        }
        zip.Add(item.id.Wire() + "." + item.extension, *audio);
    }
    Response response(200, "application/zip", zip.Finish());
    response.headers.Set("Content-Disposition", "attachment; filename=\"history.zip\"");
    co_return response;
}

}  // namespace

void AddHistoryRoutes(http::Router& router, const Deps& deps) {
    using http::Method;
    const RouteAdder add{router, deps};
    add(Method::kGet, "/v1/history", Scope::kSpeechRead, &List);
    add(Method::kPost, "/v1/history/download", Scope::kSpeechRead, &Download, {"application/json"});
    add(Method::kGet, "/v1/history/{history_item_id}", Scope::kSpeechRead, &Show);
    add(Method::kDelete, "/v1/history/{history_item_id}", Scope::kSpeechWrite, &Delete);
    add(Method::kGet, "/v1/history/{history_item_id}/audio", Scope::kSpeechRead, &Audio);
}

}  // namespace vf::elevenlabs
