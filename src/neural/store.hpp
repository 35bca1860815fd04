#pragma once
// The installed models: one folder each in <data folder>/models, whose manifest is the index. What
// begins with a dot there is being installed or removed. Files only; any thread.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "neural/manifest.hpp"

namespace vf::neural {

struct InstalledModel {
    std::string id;  // the folder's name
    std::filesystem::path folder;
    std::string stamp;  // changes whenever its manifest was written anew
    Result<Manifest> manifest;
};

// Holds the folder against other commands, not against the server, which only reads.
class StoreLock {
public:
    explicit StoreLock(int fd) : fd_(fd) {}
    ~StoreLock();
    StoreLock(StoreLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
    StoreLock& operator=(StoreLock&&) = delete;

private:
    int fd_;
};

class ModelStore {
public:
    explicit ModelStore(const std::filesystem::path& data_dir) : folder_(data_dir / "models") {}

    const std::filesystem::path& folder() const { return folder_; }

    // In the order of their ids; at most kMostInstalled.
    std::vector<InstalledModel> List() const;
    std::optional<InstalledModel> Find(const std::string& id) const;
    // The stamps alone, by id: what has changed is seen without reading a manifest.
    std::map<std::string, std::string> Stamps() const;

    // All files there, of the manifest's sizes and, when `with_hashes`, SHA-256. Error: kInvalid
    // model_damaged, naming the file.
    static Result<void> Verify(const InstalledModel& model, bool with_hashes);

    // Makes the folder when it is missing, clears what a broken command left. Errors: kConflict
    // models_locked, kUnavailable models_unusable.
    Result<StoreLock> Lock() const;
    // A folder for what is on its way, made when it is missing; the lock must be held. It goes with
    // the next Lock() or ClearStaging() at the latest.
    Result<std::filesystem::path> Stage(const std::string& what) const;
    void ClearStaging() const;
    // Puts a finished folder into place, instead of an older one if there is; atomically.
    Result<void> Publish(const std::filesystem::path& staged, const std::string& id) const;
    // Errors: kNotFound model_not_found, kUnavailable models_unusable.
    Result<void> Remove(const std::string& id) const;

private:
    std::filesystem::path folder_;
};

inline constexpr std::size_t kMostInstalled = 256;

// Lower-case hex. Error: kUnavailable file_unreadable.
Result<std::string> Sha256OfFile(const std::filesystem::path& file);

}  // namespace vf::neural
