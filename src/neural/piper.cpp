// Piper voices: x.onnx without any metadata, and x.onnx.json, which says everything.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/json.hpp"
#include "base/utf8.hpp"
#include "neural/package.hpp"

namespace vf::neural {
namespace {

constexpr std::size_t kMaxJson = 4 << 20;

struct Wrong {
    std::string what;
};

std::string ReadText(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::string text(kMaxJson + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.empty() || text.size() > kMaxJson) throw Wrong{"is empty or too large"};
    return text;
}

const json::object& ObjectOf(const json::object& from, std::string_view key) {
    const json::value* value = from.if_contains(key);
    if (value == nullptr || !value->is_object()) throw Wrong{fmt::format("has no \"{}\"", key)};
    return value->get_object();
}

std::string TextOf(const json::object& from, std::string_view key) {
    const json::value* value = from.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

double NumberOf(const json::object& from, std::string_view key) {
    const json::value* value = from.if_contains(key);
    if (value == nullptr || !value->is_number()) return 0;
    return value->is_double() ? value->get_double() : value->to_number<double>();
}

// One line for each symbol that has exactly one id, as the engine wants it.
std::string TokensOf(const json::object& ids) {
    std::string tokens;
    for (const auto& [symbol, list] : ids) {
        if (!list.is_array() || list.get_array().empty() || !list.get_array()[0].is_int64()) {
            throw Wrong{"has a phoneme_id_map that is not one of Piper's"};
        }
        // The engine takes single characters; longer symbols are of other phonemisers.
        if (Utf8Count(symbol) != 1) continue;
        tokens += fmt::format("{} {}\n", std::string_view(symbol), list.get_array()[0].get_int64());
    }
    if (tokens.empty()) throw Wrong{"has an empty phoneme_id_map"};
    return tokens;
}

std::vector<Speaker> SpeakersOf(const json::object& root, const std::string& language,
                                const std::string& name) {
    const int count = std::max(1, static_cast<int>(NumberOf(root, "num_speakers")));
    if (count > static_cast<int>(kMaxSpeakers)) throw Wrong{"names more than 1000 speakers"};
    std::vector<Speaker> speakers(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        Speaker& speaker = speakers[static_cast<std::size_t>(i)];
        speaker.number = i;
        speaker.language = language;
        speaker.name = count == 1 ? name : fmt::format("{} {}", name, i);
    }
    const json::value* map = root.if_contains("speaker_id_map");
    if (count == 1 || map == nullptr || !map->is_object()) return speakers;
    for (const auto& [key, number] : map->get_object()) {
        if (!number.is_int64() || number.get_int64() < 0 || number.get_int64() >= count) {
            throw Wrong{"has a speaker_id_map that does not fit its num_speakers"};
        }
        Speaker& speaker = speakers[static_cast<std::size_t>(number.get_int64())];
        speaker.voice = key;
        speaker.name = fmt::format("{} {}", name, std::string_view(key));
    }
    return speakers;
}

void Read(const json::object& root, const PackageHints& hints, Package& package) {
    const json::object& audio = ObjectOf(root, "audio");
    const json::object& espeak = ObjectOf(root, "espeak");
    Manifest& manifest = package.manifest;
    manifest.sample_rate = static_cast<int>(NumberOf(audio, "sample_rate"));
    if (manifest.sample_rate < 8'000 || manifest.sample_rate > 96'000) {
        throw Wrong{"has no sample_rate from 8000 to 96000"};
    }
    const std::string voice = TextOf(espeak, "voice");
    const std::string phonemes = TextOf(root, "phoneme_type");
    if (voice.empty() || (!phonemes.empty() && phonemes != "espeak"))
        throw Wrong{"has no espeak voice: only voices phonemised by espeak work"};
    const json::value* spoken = root.if_contains("language");
    const bool has_language = spoken != nullptr && spoken->is_object();
    std::string language = hints.language;
    if (language.empty() && has_language) {
        language = LanguageTag(TextOf(spoken->get_object(), "code"));
    }
    if (language.empty()) language = LanguageTag(voice);
    if (language.empty()) throw Wrong{"does not say its language; give --language"};
    const std::string quality = TextOf(audio, "quality");
    manifest.quality = quality == "low" || quality == "x_low" ? "standard" : "high";
    manifest.speakers = SpeakersOf(root, language, PeopleName(manifest.id));
    const json::value* inference = root.if_contains("inference");
    if (inference != nullptr && inference->is_object()) {
        manifest.parts.noise_scale = NumberOf(inference->get_object(), "noise_scale");
        manifest.parts.noise_scale_w = NumberOf(inference->get_object(), "noise_w");
        manifest.parts.length_scale = NumberOf(inference->get_object(), "length_scale");
    }
    package.written["tokens.txt"] = TokensOf(ObjectOf(root, "phoneme_id_map"));
    const std::string name =
        has_language ? TextOf(spoken->get_object(), "name_english") : std::string();
    package.metadata[manifest.parts.model] = {
        {"model_type", "vits"},
        {"comment", "piper"},
        {"language", name.empty() ? language : name},
        {"voice", voice},
        {"has_espeak", "1"},
        {"n_speakers", std::to_string(manifest.speakers.size())},
        {"sample_rate", std::to_string(manifest.sample_rate)}};
}

}  // namespace

Result<void> ReadPiper(const std::filesystem::path& json, const PackageHints& hints,
                       Package& package) {
    std::string what;
    try {
        const Result<json::Parsed> parsed = json::Parse(ReadText(json));
        if (!parsed || !parsed->root.is_object()) throw Wrong{"is not JSON"};
        Read(parsed->root.get_object(), hints, package);
        return {};
    } catch (const Wrong& e) {
        what = e.what;
    }
    return Error(ErrorKind::kInvalid, "bad_package",
                 fmt::format("{} {}.", json.filename().string(), what));
}

}  // namespace vf::neural
