#include "neural/package.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/utf8.hpp"
#include "neural/onnx.hpp"

namespace vf::neural {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostModels = 32;
constexpr std::size_t kMostName = 60;

struct Wrong {
    std::string code;
    std::string what;
};

struct Found {
    std::string name;  // of the .onnx file
    OnnxInfo info;
};

std::vector<std::string> FilesEnding(const fs::path& folder, std::string_view end) {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        std::string name = entry.path().filename().string();
        if (entry.is_regular_file() && name.ends_with(end)) names.push_back(std::move(name));
    }
    std::ranges::sort(names);
    return names;
}

std::vector<Found> ModelsIn(const fs::path& folder, const std::string& only) {
    std::vector<std::string> names = FilesEnding(folder, ".onnx");
    if (!only.empty()) names = {only};
    if (names.empty()) {
        throw Wrong{"unknown_package", "There is no .onnx file in it."};
    }
    if (names.size() > kMostModels) {
        throw Wrong{"unknown_package", "It holds too many .onnx files: name one."};
    }
    std::vector<Found> found;
    for (const std::string& name : names) {
        Result<OnnxInfo> info = ReadOnnx(folder / name);
        if (!info) throw Wrong{info.error().code(), info.error().message() + "."};
        found.push_back({name, *std::move(info)});
    }
    return found;
}

std::string KindOf(const OnnxInfo& info) {
    const std::string type = info.Get("model_type");
    if (type == "hifigan" || type == "vocos" || type == "matcha-tts vocos") return "vocoder";
    if (type == "kitten-tts") return "kitten";
    if (type.starts_with("kokoro")) return "kokoro";
    if (type.starts_with("matcha") || !info.Get("use_eos_bos").empty()) {
        return info.Get("comment").empty() || type.starts_with("matcha") ? "matcha" : "vits";
    }
    if (!info.Get("style_dim").empty()) return "kokoro";
    if (!info.Get("sample_rate").empty() && !info.Get("comment").empty()) return "vits";
    return "";
}

// Of several exports of one model the plain one: the others are smaller and sound worse.
const Found* BestOf(const std::vector<Found>& models) {
    const Found* best = nullptr;
    for (const Found& model : models) {
        const std::string kind = KindOf(model.info);
        if (kind.empty() || kind == "vocoder") continue;
        const auto is_small = [](const Found& one) {
            return one.name.find("int8") != std::string::npos;
        };
        if (best == nullptr || (is_small(*best) && !is_small(model))) best = &model;
    }
    return best;
}

int NumberOf(const OnnxInfo& info, const std::string& key, int otherwise) {
    const std::string text = info.Get(key);
    if (text.empty() || text.size() > 7 ||
        text.find_first_not_of("0123456789") != std::string::npos) {
        return otherwise;
    }
    return std::stoi(text);
}

std::vector<std::string> Split(std::string_view text) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        parts.emplace_back(text.substr(0, comma));
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return parts;
}

// Kokoro's names begin with a letter for the language and one for the gender: "bf_emma".
void ReadKokoroName(const std::string& name, Speaker& speaker) {
    constexpr std::pair<char, const char*> kLanguages[] = {
        {'a', "en-US"}, {'b', "en-GB"}, {'e', "es"},    {'f', "fr-FR"}, {'h', "hi"},
        {'i', "it"},    {'j', "ja"},    {'p', "pt-BR"}, {'z', "zh-CN"}};
    const auto language = std::ranges::find(kLanguages, name.empty() ? '?' : name.front(),
                                            &std::pair<char, const char*>::first);
    if (language == std::end(kLanguages)) return;
    speaker.language = language->second;
    if (name.size() > 1 && name[1] == 'f') speaker.gender = "female";
    if (name.size() > 1 && name[1] == 'm') speaker.gender = "male";
    const std::size_t line = name.find('_');
    if (line != std::string::npos) speaker.name = PeopleName(name.substr(line + 1));
}

std::string LanguageOf(const OnnxInfo& info, const PackageHints& hints, const std::string& id) {
    if (!hints.language.empty()) return hints.language;
    std::string tag = LanguageTag(info.Get("voice"));
    // "vits-piper-de_DE-thorsten-low": more exact than the name of a language.
    const std::size_t dash = id.find('-');
    if (tag.empty() || tag.size() == 2) {
        const std::string by_name = LanguageTag(id.substr(0, std::min(dash, id.size())));
        if (by_name.size() == 5 && (tag.empty() || by_name.starts_with(tag))) tag = by_name;
    }
    if (!tag.empty()) return tag;
    constexpr std::pair<std::string_view, const char*> kNames[] = {
        {"English", "en"}, {"Chinese", "zh"}, {"German", "de"},  {"French", "fr"},
        {"Spanish", "es"}, {"Italian", "it"}, {"Persian", "fa"}, {"Russian", "ru"}};
    const std::string language = info.Get("language");
    for (const auto& [name, known] : kNames) {
        if (language.starts_with(name)) return known;
    }
    throw Wrong{"bad_package", "Nothing in it says which language it speaks: give --language."};
}

std::vector<Speaker> SpeakersOf(const OnnxInfo& info, const std::string& kind,
                                const std::string& language, const std::string& name) {
    const int count = std::max(1, NumberOf(info, "n_speakers", 1));
    if (count > static_cast<int>(kMaxSpeakers)) {
        throw Wrong{"bad_package", "It names more than 1000 speakers."};
    }
    const std::vector<std::string> names = Split(info.Get("speaker_names"));
    std::vector<Speaker> speakers;
    for (int i = 0; i < count; ++i) {
        Speaker speaker;
        speaker.number = i;
        speaker.language = language;
        speaker.name = count == 1 ? name : fmt::format("{} {}", name, i);
        const bool has_name = static_cast<std::size_t>(i) < names.size();
        if (has_name && count > 1) {
            const std::string& own = names[static_cast<std::size_t>(i)];
            speaker.voice = own;
            speaker.name = PeopleName(own);
            if (kind == "kokoro") ReadKokoroName(own, speaker);
            if (own.ends_with("-f")) speaker.gender = "female";
            if (own.ends_with("-m")) speaker.gender = "male";
        }
        // Kanji is read by its English names, which is not Japanese.
        if (speaker.language == "ja" && count > 1) continue;
        speakers.push_back(std::move(speaker));
    }
    return speakers;
}

std::string LicenceOf(const fs::path& folder, const PackageHints& hints) {
    if (!hints.licence.empty()) return hints.licence;
    for (const char* name : {"LICENSE", "LICENCE", "LICENSE.txt"}) {
        std::ifstream file(folder / name);
        std::string head(400, '\0');
        file.read(head.data(), static_cast<std::streamsize>(head.size()));
        if (head.find("Apache License") != std::string::npos) return "Apache-2.0";
        if (head.find("MIT License") != std::string::npos) return "MIT";
    }
    std::ifstream card(folder / "MODEL_CARD");
    std::string line;
    for (int i = 0; i < 200 && std::getline(card, line) && line.size() < 1'000; ++i) {
        const std::size_t at = line.find("License:");
        if (at == std::string::npos) continue;
        std::string text = line.substr(at + 8);
        text.erase(0, std::min(text.find_first_not_of(" \t*"), text.size()));
        std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
        if (!text.empty() && text.size() <= kMostName && !Utf8FindInvalid(text)) return text;
    }
    return "unknown";
}

class Recogniser {
public:
    Recogniser(const fs::path& folder, const std::string& name, const PackageHints& hints)
        : folder_(folder), hints_(hints) {
        std::string id = name;
        for (const std::string_view prefix : {"vits-piper-", "voice-"}) {
            if (id.starts_with(prefix)) id.erase(0, prefix.size());
        }
        package_.manifest.id = SafeId(hints.id.empty() ? id : hints.id);
        if (!IsModelId(package_.manifest.id)) {
            throw Wrong{"bad_package", "Its name makes no id: give --id."};
        }
        if (!hints.language.empty() && LanguageTag(hints.language) != hints.language) {
            throw Wrong{"bad_package", "--language must be a tag such as en or en-GB."};
        }
        if (hints.licence.size() > kMostName || Utf8FindInvalid(hints.licence)) {
            throw Wrong{"bad_package", "--licence has more than 60 characters."};
        }
        package_.manifest.licence = LicenceOf(folder, hints);
    }

    Package Run(const std::string& only) {
        const std::vector<Found> models = ModelsIn(folder_, only);
        const Found* model = BestOf(models);
        const bool has_styles = fs::is_regular_file(folder_ / "voices.npz");
        if (model == nullptr && has_styles && models.size() == 1) {
            Kitten(models.front());
        } else if (model == nullptr) {
            Piper(models);
        } else {
            WithMetadata(*model, models);
        }
        NameVoices(package_.manifest);
        for (const char* name : {"LICENSE", "LICENCE", "MODEL_CARD", "README.md"}) {
            if (fs::is_regular_file(folder_ / name)) package_.contents[name] = folder_ / name;
        }
        return std::move(package_);
    }

private:
    ModelParts& parts() { return package_.manifest.parts; }

    void Piper(const std::vector<Found>& models) {
        std::vector<const Found*> voices;
        for (const Found& model : models) {
            if (fs::is_regular_file(folder_ / (model.name + ".json"))) voices.push_back(&model);
        }
        if (voices.empty()) {
            throw Wrong{"unknown_package",
                        fmt::format("{} has no metadata that tells what kind of model it is, and "
                                    "there is neither a {}.json beside it, as Piper's voices have, "
                                    "nor a voices.npz, as KittenTTS has. Of other kinds install "
                                    "sherpa-onnx's packages, which carry their metadata.",
                                    models.front().name, models.front().name)};
        }
        if (voices.size() > 1) {
            throw Wrong{"unknown_package",
                        fmt::format("It holds {} voices: name one .onnx file.", voices.size())};
        }
        Manifest& manifest = package_.manifest;
        // Whatever the folder is called: Piper's names say language, speaker and quality.
        const std::string stem = fs::path(voices.front()->name).stem().string();
        if (hints_.id.empty() && IsModelId(SafeId(stem))) manifest.id = SafeId(stem);
        manifest.kind = "vits";
        parts().model = "model.onnx";
        parts().tokens = "tokens.txt";
        package_.contents["model.onnx"] = folder_ / voices.front()->name;
        const Result<void> read =
            ReadPiper(folder_ / (voices.front()->name + ".json"), hints_, package_);
        if (!read) throw Wrong{read.error().code(), read.error().message()};
        Data(true);
    }

    void Kitten(const Found& model) {
        const std::vector<std::string>& inputs = model.info.inputs;
        if (std::ranges::find(inputs, "style") == inputs.end()) {
            throw Wrong{"unknown_package",
                        fmt::format("{} lies beside a voices.npz, but takes no style as KittenTTS "
                                    "does.",
                                    model.name)};
        }
        parts().model = Use("model.onnx", model.name);
        parts().tokens = "tokens.txt";
        parts().voices = "voices.bin";
        const Result<void> read = ReadKitten(folder_, hints_, package_);
        if (!read) throw Wrong{read.error().code(), read.error().message()};
        Data(true);
    }

    void WithMetadata(const Found& model, const std::vector<Found>& all) {
        Manifest& manifest = package_.manifest;
        manifest.kind = KindOf(model.info);
        manifest.sample_rate = NumberOf(model.info, "sample_rate", 0);
        if (manifest.sample_rate < 8'000 || manifest.sample_rate > 96'000) {
            throw Wrong{"bad_package", model.name + " has no sample_rate in its metadata."};
        }
        const bool is_low = manifest.id.ends_with("-low") || manifest.id.ends_with("-x_low");
        manifest.quality = is_low ? "standard" : "high";
        const std::string language = LanguageOf(model.info, hints_, manifest.id);
        manifest.speakers =
            SpeakersOf(model.info, manifest.kind, language, PeopleName(manifest.id));
        parts().model = Use("model.onnx", model.name);
        parts().tokens = Use("tokens.txt", "tokens.txt");
        if (manifest.kind == "kokoro" || manifest.kind == "kitten") {
            parts().voices = Use("voices.bin", "voices.bin");
        }
        if (manifest.kind == "matcha" && model.info.outputs.front() != "audio_output") Vocoder(all);
        Lists();
        Data(manifest.kind == "kokoro" || manifest.kind == "kitten" || parts().lexicon.empty());
    }

    std::string Use(const std::string& there, const std::string& here) {
        if (!fs::is_regular_file(folder_ / here)) {
            throw Wrong{"bad_package", fmt::format("The file {} is missing from it.", here)};
        }
        package_.contents[there] = folder_ / here;
        return there;
    }

    void Vocoder(const std::vector<Found>& all) {
        for (const Found& model : all) {
            if (KindOf(model.info) != "vocoder") continue;
            parts().vocoder = Use("vocoder.onnx", model.name);
            return;
        }
        throw Wrong{"bad_package",
                    "It is a Matcha model without its vocoder: put the vocoder's .onnx file (vocos "
                    "or hifigan) into the same folder and install the folder."};
    }

    // Lexicons and rewriting rules, which models for Chinese come with.
    void Lists() {
        const auto add = [&](std::string& list, std::string_view end, std::string_view begin) {
            for (const std::string& name : FilesEnding(folder_, end)) {
                if (!name.starts_with(begin)) continue;
                if (!list.empty()) list += ',';
                list += Use(name, name);
            }
        };
        add(parts().lexicon, ".txt", "lexicon");
        add(parts().rule_fsts, ".fst", "");
        add(parts().rule_fars, ".far", "");
    }

    // The model's own tables for espeak, else the machine's.
    void Data(bool is_needed) {
        if (fs::is_directory(folder_ / "espeak-ng-data")) {
            parts().data_dir = "espeak-ng-data";
            package_.contents["espeak-ng-data"] = folder_ / "espeak-ng-data";
        } else if (is_needed) {
            parts().data_dir = kSystemData;
        }
    }

    const fs::path& folder_;
    const PackageHints& hints_;
    Package package_;
};

}  // namespace

Result<Package> Recognise(const fs::path& folder, const std::string& name, const std::string& only,
                          const PackageHints& hints) {
    try {
        return Recogniser(folder, name, hints).Run(only);
    } catch (const Wrong& e) {
        return Error(ErrorKind::kInvalid, e.code, e.what);
    } catch (const fs::filesystem_error& e) {
        return Error(ErrorKind::kInvalid, "bad_package",
                     "The package cannot be read: " + e.code().message() + ".");
    }
}

}  // namespace vf::neural
