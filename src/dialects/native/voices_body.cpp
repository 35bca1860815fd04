#include "dialects/native/voices_body.hpp"

#include <algorithm>
#include <set>

#include "base/utf8.hpp"
#include "speech/catalogue_match.hpp"
#include "text/language_names.hpp"

namespace vf::native {
namespace {

struct Filter {
    std::string language;
    std::string gender;
    std::string engine;
    std::string quality;
    std::string technology;
    std::string search;
};

Result<Filter> ReadFilter(const http::Request& request) {
    Filter filter;
    std::vector<FieldError> wrong;
    std::set<std::string> seen;
    const auto one_of = [&](const std::string& name, const std::string& value,
                            std::initializer_list<std::string_view> allowed, const char* words) {
        if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
            wrong.push_back({name, "not_allowed", words});
        }
    };
    for (const auto& [name, value] : request.QueryParams()) {
        if (!seen.insert(name).second) {
            wrong.push_back({name, "duplicate_parameter", "stands twice."});
        } else if (name == "language") {
            filter.language = value;
            if (!speech::IsLanguageTag(value)) {
                wrong.push_back({name, "invalid_language", "must be a BCP 47 tag such as en-GB."});
            }
        } else if (name == "gender") {
            filter.gender = value;
            one_of(name, value, {"female", "male", "neutral"}, "must be female, male or neutral.");
        } else if (name == "quality") {
            filter.quality = value;
            one_of(name, value, {"basic", "standard", "high"}, "must be basic, standard or high.");
        } else if (name == "technology") {
            filter.technology = value;
            one_of(name, value, {"formant", "diphone", "statistical", "neural", "unknown"},
                   "must be formant, diphone, statistical, neural or unknown.");
        } else if (name == "engine") {
            filter.engine = value;
            if (value.empty() || value.size() > 64) {
                wrong.push_back({name, "out_of_range", "must have 1 to 64 characters."});
            }
        } else if (name == "search") {
            filter.search = http::LowerCase(value);
            if (value.empty() || Utf8FindInvalid(value) || Utf8Count(value) > 100) {
                wrong.push_back({name, "out_of_range", "must have 1 to 100 characters."});
            }
        } else {
            wrong.push_back({name, "unknown_parameter",
                             "is not a filter; there are language, gender, engine, quality, "
                             "technology and search."});
        }
    }
    if (wrong.empty()) return filter;
    std::string message =
        "The query parameter \"" + wrong.front().path + "\" " + wrong.front().message;
    return Error(ErrorKind::kInvalid, "invalid_request", std::move(message), std::move(wrong));
}

bool Matches(const engines::Voice& voice, const Filter& filter) {
    if (!filter.language.empty() && speech::LanguageMatch(voice, filter.language) < 2) return false;
    if (!filter.gender.empty() && voice.gender != filter.gender) return false;
    if (!filter.engine.empty() && voice.engine != filter.engine) return false;
    if (!filter.quality.empty() && voice.quality != filter.quality) return false;
    if (!filter.technology.empty() && voice.technology != filter.technology) return false;
    return filter.search.empty() ||
           http::LowerCase(voice.id + "\n" + voice.name + "\n" + voice.description)
                   .find(filter.search) != std::string::npos;
}

}  // namespace

json::value VoiceJson(const engines::Voice& voice) {
    json::array languages;
    for (const std::string& tag : voice.languages) languages.emplace_back(tag);
    const std::string_view own =
        voice.languages.empty() ? "" : std::string_view(voice.languages[0]);
    json::value preview;  // a vendor's voice has none: speaking costs the team money there
    if (!voice.speaker) preview = "/api/voices/" + voice.id + "/preview";
    return json::object{{"id", voice.id},
                        {"name", voice.name},
                        {"description", voice.description},
                        {"languages", std::move(languages)},
                        {"language_name", text::LanguageName(own, "en")},
                        {"native_language_name", text::NativeLanguageName(own)},
                        {"support", voice.is_limited ? "limited" : "full"},
                        {"gender", voice.gender},
                        {"age", voice.age},
                        {"style", voice.style},
                        {"engine", voice.engine},
                        {"technology", voice.technology},
                        {"quality", voice.quality},
                        {"sample_rate", voice.sample_rate},
                        {"licence", voice.licence},
                        {"preview_url", std::move(preview)}};
}

Result<json::value> VoicesBody(const http::Request& request, const engines::VoiceView& all) {
    Result<Filter> filter = ReadFilter(request);
    if (!filter) return std::move(filter).error();
    std::vector<const engines::Voice*> found;
    for (const engines::Voice* voice : all.All()) {
        if (Matches(*voice, *filter)) found.push_back(voice);
    }
    std::sort(found.begin(), found.end(),
              [](const auto* a, const auto* b) { return a->id < b->id; });
    json::array voices;
    for (const engines::Voice* voice : found) voices.push_back(VoiceJson(*voice));
    return json::value(json::object{{"voices", std::move(voices)}});
}

}  // namespace vf::native
