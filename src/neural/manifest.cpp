#include "neural/manifest.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <set>
#include <sstream>

namespace vf::neural {
namespace {

constexpr std::size_t kMaxText = 1'000;

struct Wrong {
    std::string what;
};

std::string TextOf(const toml::table& table, std::string_view key, bool is_required) {
    const toml::node* node = table.get(key);
    if (node == nullptr) {
        if (is_required) throw Wrong{fmt::format("'{}' is missing", key)};
        return {};
    }
    const auto* text = node->as_string();
    if (text == nullptr || text->get().size() > kMaxText) {
        throw Wrong{fmt::format("'{}' must be a text", key)};
    }
    if (is_required && text->get().empty()) throw Wrong{fmt::format("'{}' is empty", key)};
    return text->get();
}

std::int64_t NumberOf(const toml::table& table, std::string_view key, std::int64_t most) {
    const std::optional<std::int64_t> number = table[key].value<std::int64_t>();
    if (!number || *number < 0 || *number > most) {
        throw Wrong{fmt::format("'{}' must be a number from 0 to {}", key, most)};
    }
    return *number;
}

double RealOf(const toml::table& table, std::string_view key) {
    return std::clamp(table[key].value<double>().value_or(0), 0.0, 10.0);
}

// What leaves the folder is refused: a manifest may have been edited by hand.
std::string PathOf(const toml::table& table, std::string_view key, bool is_required) {
    std::string path = TextOf(table, key, is_required);
    std::string_view rest = path;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find_first_of("/,"), rest.size());
        const std::string_view part = rest.substr(0, end);
        if (part.empty() || part == "." || part == "..") {
            throw Wrong{fmt::format("'{}' must be a path inside of the folder", key)};
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return path;
}

ModelParts PartsOf(const toml::table& table) {
    ModelParts parts;
    parts.model = PathOf(table, "model", true);
    parts.tokens = PathOf(table, "tokens", true);
    parts.data_dir = PathOf(table, "data_dir", false);
    parts.lexicon = PathOf(table, "lexicon", false);
    parts.voices = PathOf(table, "voices", false);
    parts.vocoder = PathOf(table, "vocoder", false);
    parts.rule_fsts = PathOf(table, "rule_fsts", false);
    parts.rule_fars = PathOf(table, "rule_fars", false);
    parts.noise_scale = RealOf(table, "noise_scale");
    parts.noise_scale_w = RealOf(table, "noise_scale_w");
    parts.length_scale = RealOf(table, "length_scale");
    return parts;
}

const toml::array& Tables(const toml::table& root, std::string_view key, std::size_t most) {
    const toml::array* list = root[key].as_array();
    if (list == nullptr || list->empty() || list->size() > most || !list->is_array_of_tables()) {
        throw Wrong{fmt::format("[[{}]] must stand 1 to {} times", key, most)};
    }
    return *list;
}

std::vector<Speaker> SpeakersOf(const toml::table& root) {
    std::vector<Speaker> speakers;
    std::set<std::string> voices;
    for (const toml::node& node : Tables(root, "speaker", kMaxSpeakers)) {
        const toml::table& table = *node.as_table();
        Speaker speaker;
        speaker.number = static_cast<int>(NumberOf(table, "number", 1'000'000));
        speaker.voice = TextOf(table, "voice", true);
        speaker.name = TextOf(table, "name", true);
        speaker.language = TextOf(table, "language", true);
        speaker.gender = TextOf(table, "gender", true);
        if (!IsModelId(speaker.voice) || !voices.insert(speaker.voice).second) {
            throw Wrong{fmt::format("'{}' cannot be a voice's id here", speaker.voice)};
        }
        speakers.push_back(std::move(speaker));
    }
    return speakers;
}

std::vector<ModelFile> FilesOf(const toml::table& root) {
    std::vector<ModelFile> files;
    for (const toml::node& node : Tables(root, "file", kMaxFiles)) {
        const toml::table& table = *node.as_table();
        ModelFile file;
        file.path = PathOf(table, "path", true);
        file.size = static_cast<std::uint64_t>(NumberOf(table, "size", INT64_MAX));
        file.sha256 = TextOf(table, "sha256", true);
        if (file.sha256.size() != 64) throw Wrong{"'sha256' must have 64 digits"};
        files.push_back(std::move(file));
    }
    return files;
}

Manifest ManifestOf(const toml::table& root) {
    if (NumberOf(root, "format", 1'000) != 1) {
        throw Wrong{"'format' is not 1: it was written by another version"};
    }
    Manifest manifest;
    manifest.id = TextOf(root, "id", true);
    if (!IsModelId(manifest.id)) throw Wrong{"'id' is not a model's id"};
    manifest.kind = TextOf(root, "kind", true);
    manifest.quality = TextOf(root, "quality", true);
    manifest.sample_rate = static_cast<int>(NumberOf(root, "sample_rate", 192'000));
    manifest.gain_db = std::clamp(root["gain_db"].value<double>().value_or(0), -30.0, 30.0);
    manifest.licence = TextOf(root, "licence", false);
    manifest.source = TextOf(root, "source", false);
    manifest.sha256 = TextOf(root, "sha256", false);
    manifest.installed_at = TextOf(root, "installed_at", false);
    const toml::table* parts = root["parts"].as_table();
    if (parts == nullptr) throw Wrong{"[parts] is missing"};
    manifest.parts = PartsOf(*parts);
    manifest.speakers = SpeakersOf(root);
    manifest.files = FilesOf(root);
    return manifest;
}

Error Bad(const std::string& what) {
    return Error(ErrorKind::kInvalid, "bad_manifest", fmt::format("{}: {}", kManifestFile, what));
}

}  // namespace

bool IsModelId(std::string_view text) {
    const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !text.empty() && text.size() <= 64 && is_plain(text.front()) &&
           std::ranges::all_of(
               text, [&](char c) { return is_plain(c) || c == '-' || c == '_' || c == '.'; });
}

Result<Manifest> ParseManifest(std::string_view text) {
    if (text.size() > kMaxManifestBytes) return Bad("is too large");
    try {
        return ManifestOf(toml::parse(text, std::string_view(kManifestFile)));
    } catch (const toml::parse_error& e) {
        return Bad(fmt::format("line {}: {}", e.source().begin.line, e.description()));
    } catch (const Wrong& e) {
        return Bad(e.what);
    }
}

std::string WriteManifest(const Manifest& manifest) {
    const auto set = [](toml::table& table, std::string_view key, const std::string& value) {
        if (!value.empty()) table.insert_or_assign(key, value);
    };
    const ModelParts& from = manifest.parts;
    toml::table parts;
    set(parts, "model", from.model);
    set(parts, "tokens", from.tokens);
    set(parts, "data_dir", from.data_dir);
    set(parts, "lexicon", from.lexicon);
    set(parts, "voices", from.voices);
    set(parts, "vocoder", from.vocoder);
    set(parts, "rule_fsts", from.rule_fsts);
    set(parts, "rule_fars", from.rule_fars);
    if (from.noise_scale > 0) parts.insert_or_assign("noise_scale", from.noise_scale);
    if (from.noise_scale_w > 0) parts.insert_or_assign("noise_scale_w", from.noise_scale_w);
    if (from.length_scale > 0) parts.insert_or_assign("length_scale", from.length_scale);
    toml::array speakers, files;
    for (const Speaker& one : manifest.speakers) {
        speakers.push_back(toml::table{{"number", one.number},
                                       {"voice", one.voice},
                                       {"name", one.name},
                                       {"language", one.language},
                                       {"gender", one.gender}});
    }
    for (const ModelFile& one : manifest.files) {
        files.push_back(toml::table{{"path", one.path},
                                    {"size", static_cast<std::int64_t>(one.size)},
                                    {"sha256", one.sha256}});
    }
    toml::table root;
    root.insert_or_assign("format", 1);
    set(root, "id", manifest.id);
    set(root, "kind", manifest.kind);
    set(root, "quality", manifest.quality);
    root.insert_or_assign("sample_rate", manifest.sample_rate);
    root.insert_or_assign("gain_db", manifest.gain_db);
    set(root, "licence", manifest.licence);
    set(root, "source", manifest.source);
    set(root, "sha256", manifest.sha256);
    set(root, "installed_at", manifest.installed_at);
    root.insert_or_assign("parts", std::move(parts));
    root.insert_or_assign("speaker", std::move(speakers));
    root.insert_or_assign("file", std::move(files));
    std::ostringstream out;
    out << "# Written by \"voiceflowd models install\".\n" << root << '\n';
    return out.str();
}

}  // namespace vf::neural
