#include "neural/install.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>

#include "audio/loudness.hpp"
#include "engines/spawn_plans.hpp"
#include "neural/onnx.hpp"

namespace vf::neural {
namespace {

namespace fs = std::filesystem;

constexpr double kWantedLufs = -20;
constexpr double kMostGain = 20;

// Thrown and caught in this file: everything here ends the installation.
struct Refusal {
    Error error;
};

[[noreturn]] void Refuse(ErrorKind kind, std::string code, std::string message) {
    throw Refusal{Error(kind, std::move(code), std::move(message))};
}

template <class T>
T Want(Result<T> result) {
    if (!result) throw Refusal{std::move(result).error()};
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// Deleted whatever happens; moved away from when all went well.
class Staging {
public:
    explicit Staging(fs::path folder) : folder_(std::move(folder)) {}
    ~Staging() {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }
    Staging(const Staging&) = delete;
    Staging& operator=(const Staging&) = delete;
    const fs::path& path() const { return folder_; }

private:
    fs::path folder_;
};

std::string Stem(const fs::path& path) {
    std::string name = path.filename().string();
    if (name.empty()) name = path.parent_path().filename().string();
    for (const std::string_view end :
         {".onnx", ".tar.bz2", ".tbz2", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar", ".zip"}) {
        if (name.size() > end.size() && name.ends_with(end)) {
            name.resize(name.size() - end.size());
            break;
        }
    }
    return name;
}

// Archives hold one folder with everything in it, as a rule.
fs::path RootOf(fs::path folder) {
    for (int depth = 0; depth < 3; ++depth) {
        fs::path only;
        int entries = 0;
        for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
            ++entries;
            if (entry.is_directory()) only = entry.path();
        }
        if (entries != 1 || only.empty()) break;
        folder = only;
    }
    return folder;
}

std::string Now() {
    const auto now =
        std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", now);
}

class Installation {
public:
    Installation(const ModelStore& store, const engines::EngineOptions& engines,
                 const InstallRequest& request)
        : store_(store), engines_(engines), request_(request),
          staging_(Want(store.Stage("install"))) {}

    // Everything but putting it into place.
    Installed Prepare(bool must_be_new) {
        const fs::path from = Source();
        const std::string name =
            request_.name.empty() ? Stem(request_.files.front()) : request_.name;
        Package package = Want(Recognise(from, name, only_, request_.hints));
        Manifest& manifest = package.manifest;
        manifest.source = request_.source;
        manifest.installed_at = Now();
        if (must_be_new) CheckNew(manifest);
        Assemble(package);
        if (is_one_file_) manifest.sha256 = Want(Sha256OfFile(request_.files.front()));
        manifest.files = FilesOf();
        WriteText(kManifestFile, WriteManifest(manifest));
        OpenToReaders();
        const engines::SpawnPlan plan = engines::PlanForModel(engines_, model().string());
        ProbeReport report = Want(Probe(plan, manifest, engines_.model_start_timeout));
        const double lufs =
            audio::MeasureLoudness(report.samples, manifest.sample_rate).integrated_lufs;
        if (lufs > -70) manifest.gain_db = std::clamp(kWantedLufs - lufs, -kMostGain, kMostGain);
        WriteText(kManifestFile, WriteManifest(manifest));
        OpenToReaders();
        return {std::move(manifest), std::move(report)};
    }

    void Publish(const std::string& id) { Want(store_.Publish(model(), id)); }

private:
    fs::path model() const { return staging_.path() / "model"; }

    // The folder in which the package lies open.
    fs::path Source() {
        const fs::path& first = request_.files.front();
        std::error_code ec;
        if (request_.files.size() == 1 && fs::is_directory(first, ec)) return first;
        const fs::path open = staging_.path() / "open";
        fs::create_directory(open);
        fs::path root = open;
        for (const fs::path& file : request_.files) {
            if (!fs::is_regular_file(file, ec)) {
                Refuse(ErrorKind::kInvalid, "unknown_package",
                       fmt::format("{} is neither a file nor a folder.", file.string()));
            }
            if (!IsArchive(file.filename().string())) continue;
            Want(Unpack(file, open, request_.limits));
            owns_source_ = true;
            root = RootOf(open);
        }
        is_one_file_ = request_.files.size() == 1;
        if (!owns_source_ && is_one_file_) return Single(first);
        for (const fs::path& file : request_.files) {
            if (!IsArchive(file.filename().string())) {
                fs::create_symlink(fs::absolute(file), root / file.filename());
            }
        }
        return root;
    }

    // One .onnx file: what belongs to it lies beside it.
    fs::path Single(const fs::path& file) {
        if (file.extension() != ".onnx") {
            Refuse(ErrorKind::kInvalid, "unknown_package",
                   fmt::format("{} is none of: a folder, an .onnx file, an archive (.tar.bz2, "
                               ".tar.gz, .tar.xz, .tar, .zip).",
                               file.string()));
        }
        only_ = file.filename().string();
        return fs::absolute(file).parent_path();
    }

    void CheckNew(const Manifest& manifest) const {
        const std::vector<InstalledModel> models = store_.List();
        for (const InstalledModel& other : models) {
            if (other.id == manifest.id) {
                if (request_.replace) continue;
                Refuse(ErrorKind::kConflict, "model_installed",
                       fmt::format("The model {} is installed already. Give --replace to put this "
                                   "one in its place, or --id for another name.",
                                   manifest.id));
            }
            if (!other.manifest) continue;
            for (const Speaker& speaker : other.manifest->speakers) {
                if (std::ranges::find(manifest.speakers, speaker.voice, &Speaker::voice) !=
                    manifest.speakers.end()) {
                    Refuse(ErrorKind::kConflict, "voice_taken",
                           fmt::format("The installed model {} has the voice {} already. Give "
                                       "--id for another name.",
                                       other.id, speaker.voice));
                }
            }
        }
        if (models.size() >= kMostInstalled && !request_.replace) {
            Refuse(ErrorKind::kConflict, "too_many_models",
                   fmt::format("There are {} models already. Remove one.", models.size()));
        }
    }

    void Assemble(const Package& package) {
        fs::create_directory(model());
        for (const auto& [there, here] : package.contents) Take(here, model() / there, 0);
        for (const auto& [there, pairs] : package.metadata) {
            std::ofstream out(model() / there, std::ios::binary | std::ios::app);
            out << EncodeMetadata(pairs);
            if (!out.flush())
                throw fs::filesystem_error("no room",
                                           std::error_code(ENOSPC, std::generic_category()));
        }
        for (const auto& [there, content] : package.written) WriteText(there, content);
    }

    void Take(const fs::path& here, const fs::path& there, int depth) {
        if (fs::is_directory(here)) {
            if (depth > 6) Refuse(ErrorKind::kInvalid, "bad_package", "Its folders are too deep.");
            fs::create_directory(there);
            for (const fs::directory_entry& entry : fs::directory_iterator(here)) {
                Take(entry.path(), there / entry.path().filename(), depth + 1);
            }
            return;
        }
        if (!fs::is_regular_file(here)) return;
        bytes_ += fs::file_size(here);
        if (bytes_ > request_.limits.bytes) {
            Refuse(ErrorKind::kInvalid, "bad_package",
                   fmt::format("It has more than {} MiB (models.max_bytes).",
                               request_.limits.bytes >> 20U));
        }
        if (owns_source_ && !fs::is_symlink(here)) {
            fs::rename(here, there);
        } else {
            fs::copy_file(here, there);
        }
    }

    void WriteText(const std::string& name, const std::string& text) {
        std::ofstream out(model() / name, std::ios::binary | std::ios::trunc);
        out << text;
        out.close();
        if (!out)
            throw fs::filesystem_error("no room", std::error_code(ENOSPC, std::generic_category()));
    }

    // The model's own file first: it names the revision.
    std::vector<ModelFile> FilesOf() const {
        std::vector<ModelFile> files;
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(model())) {
            if (!entry.is_regular_file()) continue;
            const std::string path = fs::relative(entry.path(), model()).string();
            if (path == kManifestFile) continue;
            files.push_back({path, entry.file_size(), Want(Sha256OfFile(entry.path()))});
        }
        if (files.size() > kMaxFiles) {
            Refuse(ErrorKind::kInvalid, "bad_package",
                   fmt::format("It has more than {} files.", kMaxFiles));
        }
        std::ranges::sort(files, [](const ModelFile& a, const ModelFile& b) {
            const bool first = a.path == "model.onnx", second = b.path == "model.onnx";
            return first != second ? first : a.path < b.path;
        });
        return files;
    }

    // For the workers' user; and the data folder's owner is theirs when root installs.
    void OpenToReaders() const {
        struct stat owner{};
        const bool is_root =
            geteuid() == 0 && stat(store_.folder().parent_path().c_str(), &owner) == 0;
        const auto open = [&](const fs::path& path, bool is_folder) {
            if (chmod(path.c_str(), is_folder ? 0755 : 0644) != 0 ||
                (is_root && lchown(path.c_str(), owner.st_uid, owner.st_gid) != 0)) {
                throw fs::filesystem_error("no rights", path,
                                           std::error_code(errno, std::generic_category()));
            }
        };
        open(model(), true);
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(model())) {
            open(entry.path(), entry.is_directory());
        }
        if (is_root && lchown(store_.folder().c_str(), owner.st_uid, owner.st_gid) != 0) return;
    }

    const ModelStore& store_;
    const engines::EngineOptions& engines_;
    const InstallRequest& request_;
    Staging staging_;
    std::string only_;
    bool owns_source_ = false;  // it was unpacked for us
    bool is_one_file_ = false;
    std::uint64_t bytes_ = 0;
};

Result<Installed> Run(const ModelStore& store, const engines::EngineOptions& engines,
                      const InstallRequest& request, bool is_trial) {
    try {
        Installation installation(store, engines, request);
        Installed installed = installation.Prepare(!is_trial);
        if (!is_trial) installation.Publish(installed.manifest.id);
        return installed;
    } catch (const Refusal& e) {
        return e.error;
    } catch (const fs::filesystem_error& e) {
        return Error(ErrorKind::kUnavailable, "models_unusable",
                     fmt::format("The package cannot be copied: {}.", e.code().message()));
    } catch (const std::runtime_error& e) {
        return Error(ErrorKind::kUnavailable, "models_unusable", e.what());
    }
}

}  // namespace

Result<Installed> Install(const ModelStore& store, const engines::EngineOptions& engines,
                          const InstallRequest& request) {
    return Run(store, engines, request, false);
}

Result<Installed> TryPackage(const ModelStore& store, const engines::EngineOptions& engines,
                             const InstallRequest& request) {
    return Run(store, engines, request, true);
}

}  // namespace vf::neural
