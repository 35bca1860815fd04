#include "neural/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

namespace vf::neural {
namespace {

namespace fs = std::filesystem;

Error Unusable(const fs::path& path, const std::string& why) {
    return Error(ErrorKind::kUnavailable, "models_unusable",
                 fmt::format("{}: {}. Run the command as the owner of the data folder.",
                             path.string(), why));
}

struct FreeDigest {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

std::string ReadManifest(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::string text(kMaxManifestBytes + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    return text;
}

// Empty when there is no manifest.
std::string StampOf(const fs::path& folder) {
    struct stat info{};
    if (stat((folder / kManifestFile).c_str(), &info) != 0) return {};
    return fmt::format("{}.{}.{}.{}", info.st_ino, info.st_size, info.st_mtim.tv_sec,
                       info.st_mtim.tv_nsec);
}

InstalledModel Load(const fs::path& folder) {
    InstalledModel model{folder.filename().string(), folder, "", Error()};
    model.stamp = StampOf(folder);
    if (model.stamp.empty()) {
        model.manifest = Error(ErrorKind::kInvalid, "bad_manifest", "there is no manifest.toml");
        return model;
    }
    model.manifest = ParseManifest(ReadManifest(folder / kManifestFile));
    if (model.manifest && model.manifest->id != model.id) {
        model.manifest = Error(ErrorKind::kInvalid, "bad_manifest",
                               "manifest.toml is of the model " + model.manifest->id);
    }
    return model;
}

Error Damaged(const InstalledModel& model, const std::string& what) {
    return Error(ErrorKind::kInvalid, "model_damaged",
                 fmt::format("The model {} is damaged: {}. Install it again.", model.id, what));
}

bool IsModelFolder(const fs::directory_entry& entry) {
    std::error_code ec;
    return entry.is_directory(ec) && !entry.is_symlink(ec) &&
           IsModelId(entry.path().filename().string());
}

std::vector<fs::path> ModelFolders(const fs::path& folder) {
    std::vector<fs::path> folders;
    std::error_code ec;
    for (fs::directory_iterator at(folder, ec), end; !ec && at != end; at.increment(ec)) {
        if (IsModelFolder(*at)) folders.push_back(at->path());
    }
    std::ranges::sort(folders);
    if (folders.size() > kMostInstalled) folders.resize(kMostInstalled);
    return folders;
}

}  // namespace

StoreLock::~StoreLock() {
    if (fd_ >= 0) close(fd_);
}

std::vector<InstalledModel> ModelStore::List() const {
    std::vector<InstalledModel> models;
    for (const fs::path& folder : ModelFolders(folder_)) models.push_back(Load(folder));
    return models;
}

std::map<std::string, std::string> ModelStore::Stamps() const {
    std::map<std::string, std::string> stamps;
    for (const fs::path& folder : ModelFolders(folder_)) {
        stamps[folder.filename().string()] = StampOf(folder);
    }
    return stamps;
}

std::optional<InstalledModel> ModelStore::Find(const std::string& id) const {
    std::error_code ec;
    if (!IsModelId(id) || !fs::is_directory(folder_ / id, ec)) return std::nullopt;
    return Load(folder_ / id);
}

Result<void> ModelStore::Verify(const InstalledModel& model, bool with_hashes) {
    if (!model.manifest) return Damaged(model, model.manifest.error().message());
    for (const ModelFile& file : model.manifest->files) {
        std::error_code ec;
        const fs::path path = model.folder / file.path;
        const std::uint64_t size = fs::file_size(path, ec);
        if (ec) return Damaged(model, fmt::format("{} is missing", file.path));
        if (size != file.size) {
            return Damaged(
                model, fmt::format("{} has {} bytes instead of {}", file.path, size, file.size));
        }
        if (!with_hashes) continue;
        const Result<std::string> hash = Sha256OfFile(path);
        if (!hash) return Damaged(model, hash.error().message());
        if (*hash != file.sha256) {
            return Damaged(model, fmt::format("{} has other bytes than were installed", file.path));
        }
    }
    return {};
}

Result<StoreLock> ModelStore::Lock() const {
    std::error_code ec;
    fs::create_directories(folder_, ec);
    if (ec) return Unusable(folder_, ec.message());
    const fs::path file = folder_ / ".lock";
    const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return Unusable(file, std::strerror(errno));
    StoreLock lock(fd);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        return Error(ErrorKind::kConflict, "models_locked",
                     "Another command installs or removes a model right now. Try again when it is "
                     "done.");
    }
    ClearStaging();
    return lock;
}

void ModelStore::ClearStaging() const {
    std::error_code ec;
    std::vector<fs::path> left;
    for (fs::directory_iterator at(folder_, ec), end; !ec && at != end; at.increment(ec)) {
        if (at->path().filename().string().starts_with(".staging")) left.push_back(at->path());
    }
    for (const fs::path& path : left) fs::remove_all(path, ec);
}

Result<fs::path> ModelStore::Stage(const std::string& what) const {
    fs::path staged = folder_ / fmt::format(".staging-{}", what);
    std::error_code ec;
    fs::create_directory(staged, ec);
    if (ec) return Unusable(staged, ec.message());
    return staged;
}

Result<void> ModelStore::Publish(const fs::path& staged, const std::string& id) const {
    const int fd = open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return Unusable(folder_, std::strerror(errno));
    // Everything is on the disk before the name is.
    const bool is_synced = syncfs(fd) == 0;
    const fs::path place = folder_ / id;
    const unsigned flags = fs::exists(place) ? RENAME_EXCHANGE : RENAME_NOREPLACE;
    const bool is_moved =
        is_synced && renameat2(AT_FDCWD, staged.c_str(), AT_FDCWD, place.c_str(), flags) == 0;
    const int number = errno;
    if (is_moved) fsync(fd);
    close(fd);
    if (!is_moved) return Unusable(place, std::strerror(number));
    return {};
}

Result<void> ModelStore::Remove(const std::string& id) const {
    std::error_code ec;
    if (!IsModelId(id) || !fs::is_directory(folder_ / id, ec)) {
        return Error(ErrorKind::kNotFound, "model_not_found",
                     fmt::format("There is no installed model \"{}\". \"voiceflowd models list\" "
                                 "names them.",
                                 id));
    }
    const fs::path away = folder_ / fmt::format(".staging-removed-{}", getpid());
    fs::rename(folder_ / id, away, ec);
    if (ec) return Unusable(folder_ / id, ec.message());
    fs::remove_all(away, ec);
    if (ec) return Unusable(away, ec.message());
    return {};
}

Result<std::string> Sha256OfFile(const fs::path& file) {
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
    bool is_good = fd >= 0 && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
    std::vector<char> bytes(1 << 18);
    while (is_good) {
        const ssize_t got = read(fd, bytes.data(), bytes.size());
        if (got < 0) is_good = false;
        if (got <= 0) break;
        EVP_DigestUpdate(context.get(), bytes.data(), static_cast<std::size_t>(got));
    }
    if (fd >= 0) close(fd);
    if (!is_good) {
        return Error(ErrorKind::kUnavailable, "file_unreadable",
                     file.filename().string() + " cannot be read");
    }
    std::array<unsigned char, 32> digest{};
    EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
    std::string hex;
    for (const unsigned char byte : digest) hex += fmt::format("{:02x}", byte);
    return hex;
}

}  // namespace vf::neural
