#include "dialects/elevenlabs/elevenlabs_models.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "text/names.hpp"

namespace vf::elevenlabs {
namespace {

constexpr std::size_t kOtherModels = 10'000;
constexpr std::size_t kMaxModelName = 100;

constexpr std::array<Model, 9> kModels = {{
    {"eleven_v3", "Eleven v3", "Speaks with the voice's own engine; texts up to 3,000 characters.",
     3'000, false},
    {"eleven_multilingual_v2", "Eleven Multilingual v2",
     "Speaks with the voice's own engine; texts up to 10,000 characters.", 10'000, false},
    {"eleven_flash_v2_5", "Eleven Flash v2.5",
     "Speaks with the voice's own engine; texts up to 40,000 characters.", 40'000, true},
    {"eleven_turbo_v2_5", "Eleven Turbo v2.5",
     "Speaks with the voice's own engine; texts up to 40,000 characters.", 40'000, true},
    {"eleven_flash_v2", "Eleven Flash v2",
     "Speaks with the voice's own engine; texts up to 30,000 characters.", 30'000, true},
    {"eleven_turbo_v2", "Eleven Turbo v2",
     "Speaks with the voice's own engine; texts up to 30,000 characters.", 30'000, true},
    {"eleven_multilingual_v1", "Eleven Multilingual v1",
     "Speaks with the voice's own engine; texts up to 10,000 characters.", 10'000, false},
    {"eleven_monolingual_v1", "Eleven English v1",
     "Speaks with the voice's own engine; texts up to 10,000 characters.", 10'000, false},
    {"eleven_english_v1", "Eleven English v1",
     "Speaks with the voice's own engine; texts up to 10,000 characters.", 10'000, false},
}};

json::array Languages(const engines::Catalogue& catalogue) {
    std::set<std::string> tags;
    for (const engines::Voice* voice : catalogue.All()) {
        for (const std::string& tag : voice->languages) tags.insert(tag.substr(0, tag.find('-')));
    }
    json::array out;
    for (const std::string& tag : tags) {
        out.push_back(json::object{{"language_id", tag}, {"name", text::EnglishLanguageName(tag)}});
    }
    return out;
}

}  // namespace

std::span<const Model> Models() {
    return kModels;
}

Result<std::size_t> ModelCharacters(std::string_view id) {
    const auto known =
        std::find_if(kModels.begin(), kModels.end(), [&](const Model& m) { return m.id == id; });
    if (known != kModels.end()) return known->characters;
    if (id.starts_with("eleven_") && id.size() <= kMaxModelName) return kOtherModels;
    const std::string words =
        "is not a model of this server; GET /v1/models lists them, and every name that begins "
        "with eleven_ is accepted.";
    return Error(ErrorKind::kInvalid, "unsupported_model", "The model_id " + words,
                 {{"/model_id", "unsupported_model", words}});
}

json::array ModelArray(const engines::Catalogue& catalogue) {
    const json::array languages = Languages(catalogue);
    json::array out;
    for (const Model& model : kModels) {
        const auto characters = static_cast<std::int64_t>(model.characters);
        out.push_back(
            json::object{{"model_id", model.id},
                         {"name", model.name},
                         {"description", model.description},
                         {"can_do_text_to_speech", true},
                         {"can_do_voice_conversion", false},
                         {"can_be_finetuned", false},
                         {"can_use_style", true},
                         {"can_use_speaker_boost", true},
                         {"serves_pro_voices", false},
                         {"token_cost_factor", 1.0},
                         {"requires_alpha_access", false},
                         {"max_characters_request_free_user", characters},
                         {"max_characters_request_subscribed_user", characters},
                         {"maximum_text_length_per_request", characters},
                         {"languages", languages},
                         {"model_rates", json::object{{"character_cost_multiplier", 1.0}}},
                         {"concurrency_group", model.is_fast ? "turbo" : "standard"}});
    }
    return out;
}

}  // namespace vf::elevenlabs
