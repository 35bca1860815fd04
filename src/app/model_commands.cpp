#include "app/model_commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "app/install_paths.hpp"
#include "base/json.hpp"
#include "engines/spawn_plans.hpp"
#include "neural/catalogue.hpp"
#include "neural/download.hpp"
#include "neural/install.hpp"

namespace vf::app {
namespace {

namespace fs = std::filesystem;
using namespace neural;

int Fail(const Error& error) {
    fmt::print(stderr, "voiceflowd: {}\n", error.message());
    return 1;
}

bool IsUrl(const std::string& text) {
    return text.starts_with("https://") || text.starts_with("http://");
}

std::uint64_t BytesOf(const Manifest& manifest) {
    std::uint64_t bytes = 0;
    for (const ModelFile& file : manifest.files) bytes += file.size;
    return bytes;
}

json::object JsonOf(const Manifest& manifest) {
    json::array voices;
    for (const Speaker& speaker : manifest.speakers) {
        voices.push_back(json::object{{"id", speaker.voice},
                                      {"name", speaker.name},
                                      {"language", speaker.language},
                                      {"gender", speaker.gender}});
    }
    return {{"id", manifest.id},           {"kind", manifest.kind},
            {"quality", manifest.quality}, {"sample_rate", manifest.sample_rate},
            {"licence", manifest.licence}, {"source", manifest.source},
            {"bytes", BytesOf(manifest)},  {"installed_at", manifest.installed_at},
            {"voices", std::move(voices)}};
}

void Print(const json::value& value) {
    fmt::print("{}\n", json::Print(value));
}

std::string VoicesOf(const Manifest& manifest) {
    std::string text = manifest.speakers.front().voice;
    if (manifest.speakers.size() > 1) {
        text += fmt::format(" … {} ({} voices)", manifest.speakers.back().voice,
                            manifest.speakers.size());
    }
    return text;
}

int List(const ModelStore& store, bool wants_json) {
    json::array all;
    const std::vector<InstalledModel> models = store.List();
    for (const InstalledModel& model : models) {
        const Result<void> sound = ModelStore::Verify(model, false);
        if (wants_json) {
            json::object one =
                model.manifest ? JsonOf(*model.manifest) : json::object{{"id", model.id}};
            one["problem"] = sound ? json::value(nullptr) : json::value(sound.error().message());
            all.push_back(std::move(one));
        } else if (!sound) {
            fmt::print("{}  {}\n", model.id, sound.error().message());
        } else {
            const Manifest& manifest = *model.manifest;
            fmt::print("{}  {}, {} MiB, {}: {}\n", model.id, manifest.kind,
                       (BytesOf(manifest) >> 20U) + 1, manifest.licence, VoicesOf(manifest));
        }
    }
    if (wants_json) Print(json::object{{"models", std::move(all)}});
    if (!wants_json && models.empty()) fmt::print("no models are installed\n");
    return 0;
}

fs::path CatalogueFile() {
    return FindInstallPaths().models / "catalogue.toml";
}

int ListKnown(bool wants_json) {
    const Result<std::vector<KnownModel>> known = LoadKnownModels(CatalogueFile());
    if (!known) return Fail(known.error());
    json::array all;
    for (const KnownModel& model : *known) {
        if (wants_json) {
            all.push_back(json::object{{"name", model.name},
                                       {"languages", model.languages},
                                       {"licence", model.licence},
                                       {"about", model.about}});
        } else {
            fmt::print("{:<30} {:<18} {}\n", model.name, model.languages, model.about);
        }
    }
    if (wants_json) Print(json::object{{"models", std::move(all)}});
    return 0;
}

int Remove(const ModelStore& store, const ModelRequest& request) {
    if (!store.Find(request.id)) {
        const Result<void> missing = store.Remove(request.id);
        return missing ? 0 : Fail(missing.error());
    }
    const Result<StoreLock> lock = store.Lock();
    if (!lock) return Fail(lock.error());
    const Result<void> removed = store.Remove(request.id);
    if (!removed) return Fail(removed.error());
    if (request.json) {
        Print(json::object{{"id", request.id}, {"removed", true}});
    } else {
        fmt::print("removed {}\n", request.id);
    }
    return 0;
}

std::string LastPart(const std::string& url) {
    std::string path = url.substr(0, url.find_first_of("?#"));
    path.erase(0, path.rfind('/') + 1);
    // Only names that are safe as files; what is left tells the kind by its ending.
    std::erase_if(path, [](char c) {
        return !(std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-');
    });
    return path.empty() || path.front() == '.' ? "download" + path : path;
}

// What the words after `install` mean: files here, after downloading what is not.
class Source {
public:
    Source(const AppSettings& settings, const ModelRequest& request)
        : settings_(settings), request_(request) {}

    Result<InstallRequest> Make(const ModelStore& store) {
        out_.hints = {request_.id, request_.language, request_.licence};
        out_.replace = request_.replace;
        out_.limits.bytes = settings_.models.max_bytes;
        for (const std::string& from : request_.from) {
            const Result<void> added = Add(store, from);
            if (!added) return added.error();
        }
        return std::move(out_);
    }

private:
    Result<void> Add(const ModelStore& store, const std::string& from) {
        if (!out_.source.empty()) out_.source += ' ';
        out_.source += from;
        std::error_code ec;
        if (IsUrl(from)) return Download(store, from);
        if (fs::exists(from, ec)) {
            out_.files.push_back(from);
            return {};
        }
        const Result<std::vector<KnownModel>> known = LoadKnownModels(CatalogueFile());
        if (!known) return known.error();
        const auto model = std::ranges::find(*known, from, &KnownModel::name);
        if (model == known->end()) {
            return Error(ErrorKind::kNotFound, "unknown_package",
                         fmt::format("{} is neither a file, a folder, a URL nor a known name. "
                                     "\"voiceflowd models known\" lists the names.",
                                     from));
        }
        out_.name = from.substr(from.find('/') + 1);
        if (!from.starts_with("piper/")) out_.name = SafeId(from);
        if (out_.hints.licence.empty()) out_.hints.licence = model->licence;
        for (const KnownFile& file : model->files) {
            const Result<void> got = Get(store, file);
            if (!got) return got;
        }
        return {};
    }

    // A Piper voice is two files, the second of which is named after the first.
    Result<void> Download(const ModelStore& store, const std::string& url) {
        const Result<void> got = Get(store, {url, request_.sha256, 0});
        const std::string name = LastPart(url);
        if (!got || !name.ends_with(".onnx") || request_.from.size() > 1) return got;
        const std::size_t query = std::min(url.find_first_of("?#"), url.size());
        out_.name = name.substr(0, name.size() - 5);
        return Get(store, {url.substr(0, query) + ".json" + url.substr(query), "", 0});
    }

    Result<void> Get(const ModelStore& store, const KnownFile& file) {
        const Result<fs::path> staged = store.Stage("download");
        if (!staged) return staged.error();
        neural::Download download;
        download.url = file.url;
        download.file = *staged / LastPart(file.url);
        download.max_bytes = settings_.models.max_bytes;
        download.sha256 = file.sha256;
        download.size = file.size;
        if (!request_.json) fmt::print(stderr, "fetching {}\n", file.url);
        const Result<void> got = Fetch(download);
        if (got) out_.files.push_back(download.file);
        return got;
    }

    const AppSettings& settings_;
    const ModelRequest& request_;
    InstallRequest out_;
};

void Tell(const Installed& done, const ModelRequest& request, const char* what) {
    const ProbeReport& report = done.report;
    if (request.json) {
        json::object body = JsonOf(done.manifest);
        body["load_seconds"] = report.load_seconds;
        body["speak_seconds"] = report.speak_seconds;
        body["audio_seconds"] = report.audio_seconds;
        Print(body);
        return;
    }
    fmt::print("{} {}: {}, {} Hz, licence {}\n", what, done.manifest.id, done.manifest.kind,
               done.manifest.sample_rate, done.manifest.licence);
    fmt::print("it loads in {:.2f} s and spoke {:.2f} s of audio in {:.2f} s\n",
               report.load_seconds, report.audio_seconds, report.speak_seconds);
    fmt::print("voices: {}\n", VoicesOf(done.manifest));
}

// Downloads lie in the store until they have become a model, or not.
struct Cleared {
    const ModelStore& store;
    ~Cleared() { store.ClearStaging(); }
};

int InstallOrTry(const AppSettings& settings, const ModelStore& store,
                 const ModelRequest& request) {
    const bool is_trial = request.verb == ModelRequest::Verb::kProbe;
    const Result<StoreLock> lock = store.Lock();
    if (!lock) return Fail(lock.error());
    const Cleared cleared{store};
    const Result<InstallRequest> made = Source(settings, request).Make(store);
    if (!made) return Fail(made.error());
    const Result<Installed> done = is_trial ? TryPackage(store, settings.engines, *made)
                                            : Install(store, settings.engines, *made);
    if (!done) return Fail(done.error());
    Tell(*done, request, is_trial ? "works:" : "installed");
    return 0;
}

int ProbeInstalled(const AppSettings& settings, const InstalledModel& model,
                   const ModelRequest& request) {
    const Result<void> sound = ModelStore::Verify(model, true);
    if (!sound) return Fail(sound.error());
    const Result<ProbeReport> report =
        Probe(engines::PlanForModel(settings.engines, model.folder.string()), *model.manifest,
              settings.engines.model_start_timeout);
    if (!report) return Fail(report.error());
    Tell({*model.manifest, *report}, request, "works:");
    return 0;
}

}  // namespace

int RunModels(const AppSettings& settings, const ModelRequest& request) {
    const ModelStore store(fs::absolute(settings.data_dir));
    switch (request.verb) {
        case ModelRequest::Verb::kList: return List(store, request.json);
        case ModelRequest::Verb::kKnown: return ListKnown(request.json);
        case ModelRequest::Verb::kRemove: return Remove(store, request);
        case ModelRequest::Verb::kInstall: return InstallOrTry(settings, store, request);
        case ModelRequest::Verb::kProbe: break;
    }
    if (request.from.empty()) return 2;
    const auto installed = store.Find(request.from.front());
    if (installed) return ProbeInstalled(settings, *installed, request);
    return InstallOrTry(settings, store, request);
}

}  // namespace vf::app
