#include "dialects/openai/openai_models.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace vf::openai {
namespace {

constexpr std::array<std::string_view, 4> kModels = {"tts-1", "tts-1-hd", "gpt-4o-mini-tts",
                                                     "gpt-4o-mini-tts-2025-12-15"};
// When the first of these routes came into being (2026-11-21): clients want a time, not a truth.
constexpr std::int64_t kCreated = 1'795'219'200;

std::vector<std::string> ModelIds(const engines::Catalogue& catalogue) {
    std::vector<std::string> ids(kModels.begin(), kModels.end());
    for (const engines::Voice* voice : catalogue.All()) {
        if (std::find(ids.begin(), ids.end(), voice->engine) == ids.end()) {
            ids.push_back(voice->engine);
        }
    }
    return ids;
}

json::value ModelJson(const std::string& id) {
    return json::object{
        {"id", id}, {"object", "model"}, {"created", kCreated}, {"owned_by", "voiceflow"}};
}

}  // namespace

json::value ModelList(const engines::Catalogue& catalogue) {
    json::array data;
    for (const std::string& id : ModelIds(catalogue)) data.push_back(ModelJson(id));
    return json::object{{"object", "list"}, {"data", std::move(data)}};
}

std::optional<json::value> FindModel(const engines::Catalogue& catalogue, std::string_view id) {
    for (const std::string& known : ModelIds(catalogue)) {
        if (known == id) return ModelJson(known);
    }
    return std::nullopt;
}

json::value AudioVoices(const engines::VoiceView& all) {
    json::array voices;
    for (const engines::Voice* voice : all.All()) {
        voices.push_back(json::object{{"id", voice->id}, {"name", voice->name}});
    }
    return json::object{{"voices", std::move(voices)}};
}

json::value AudioModels(const engines::Catalogue& catalogue) {
    json::array models;
    for (const std::string& id : ModelIds(catalogue)) {
        models.push_back(json::object{{"id", id}, {"name", id}});
    }
    return json::object{{"models", std::move(models)}};
}

bool IsWithoutEvents(std::string_view model) {
    return model == "tts-1" || model == "tts-1-hd";
}

}  // namespace vf::openai
