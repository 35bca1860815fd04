// POST /v1/forced-alignment: where the words and characters of a text lie in a recording of it.
#include <algorithm>
#include <cmath>

#include "base/json_body.hpp"
#include "dialects/elevenlabs/elevenlabs_deps.hpp"
#include "dialects/elevenlabs/elevenlabs_error.hpp"
#include "http/multipart.hpp"
#include "speech/text_alignment.hpp"

namespace vf::elevenlabs {
namespace {

using http::Request;
using http::Response;

constexpr std::uint64_t kMaxBody = 64ULL << 20U;

double Rounded(double number) {
    return std::round(number * 1e3) / 1e3;
}

json::object ItemJson(const speech::TimelineItem& item) {
    return {{"text", item.label},
            {"start", Rounded(item.start_seconds)},
            {"end", Rounded(item.end_seconds)}};
}

json::object ToJson(const speech::TextAlignment& aligned) {
    json::array characters;
    for (const speech::TimelineItem& item : aligned.characters) {
        characters.push_back(ItemJson(item));
    }
    json::array words;
    for (const speech::AlignedWord& word : aligned.words) {
        json::object one = ItemJson(word.item);
        one["loss"] = Rounded(word.loss);
        words.push_back(std::move(one));
    }
    return {{"characters", std::move(characters)},
            {"words", std::move(words)},
            {"loss", Rounded(aligned.loss)}};
}

Task<Response> Align(Request& request, const Deps& deps) {
    auto parts = http::ParseMultipart(request.headers.Get("Content-Type"), request.body);
    if (!parts) co_return ErrorResponse(parts.error(), request);
    std::string text;
    std::shared_ptr<const std::string> file;
    for (http::Part& part : *parts) {
        if (part.name == "text") text = std::move(part.data);
        if (part.name == "file") file = std::make_shared<const std::string>(std::move(part.data));
    }
    std::vector<FieldError> missing;
    if (!file || file->empty()) missing.push_back({"/file", "required", "is required."});
    if (text.empty()) missing.push_back({"/text", "required", "is required."});
    if (!missing.empty()) {
        co_return ErrorResponse(json::BodyError(std::move(missing)), request);
    }
    Result<speech::TextAlignment> aligned =
        co_await speech::AlignText(&deps.engines, std::move(text), std::move(file));
    if (!aligned) co_return ErrorResponse(aligned.error(), request);
    co_return http::JsonResponse(200, ToJson(*aligned));
}

}  // namespace

void AddForcedAlignmentRoutes(http::Router& router, const Deps& deps) {
    const RouteAdder add{router, deps};
    add(http::Method::kPost, "/v1/forced-alignment", Scope::kSpeechWrite, &Align,
        {"multipart/form-data"}, kMaxBody);
}

}  // namespace vf::elevenlabs
