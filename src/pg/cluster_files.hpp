#pragma once
// Where a private cluster lives, as whom, with which programs. Inside src/pg only.

#include <optional>
#include <string>

#include "pg/private_cluster.hpp"
#include "pg/process.hpp"

namespace vf::pg {

inline constexpr const char* kClusterUser = "voiceflow";
inline constexpr const char* kClusterDatabase = "postgres";

struct ClusterPlace {
    PrivateClusterOptions options;
    std::filesystem::path data_dir;
    std::filesystem::path folder;      // PostgreSQL's own: data_dir/postgres
    std::filesystem::path socket_dir;  // short: sun_path holds 107 bytes
    std::filesystem::path bin_dir;
    int major = 0;
    RunAs user;
    std::string password;

    std::string Url() const;
};

// An error for the operator.
Error ClusterError(const char* code, std::string message);

// The major version of the cluster in `folder`; none: there is no cluster.
std::optional<int> MajorOfFolder(const std::filesystem::path& folder);
// The major version of the programs in `bin_dir`; none: they are not there.
std::optional<int> MajorOfPrograms(const std::filesystem::path& bin_dir);
// Programs for a cluster of version `major` (none: a new cluster).
Result<std::filesystem::path> FindPrograms(const std::string& bin_dir, std::optional<int> major);

// Everything but the password, with the socket folder made and the way to the data folder open for
// the user PostgreSQL runs as (`user`; none: by the rule in private_cluster.hpp).
Result<ClusterPlace> FindPlace(const std::filesystem::path& data_dir,
                               const std::filesystem::path& folder, PrivateClusterOptions options,
                               std::optional<RunAs> user = std::nullopt);

Result<std::string> ReadPassword(const std::filesystem::path& data_dir);
// Reads it, or makes one.
Result<std::string> EnsurePassword(const std::filesystem::path& data_dir);

// initdb into `place.folder`, which appears complete and synced to disk or not at all.
Result<void> MakeCluster(const ClusterPlace& place);

// What a running postmaster says of itself (postmaster.pid; PostgreSQL's miscadmin.h).
struct PostmasterFile {
    pid_t pid = 0;
    std::filesystem::path socket_dir;
    std::string status;  // "starting", "ready", "stopping", ""
};
std::optional<PostmasterFile> ReadPostmasterFile(const std::filesystem::path& folder);

// Processes that work in `folder`: a postmaster and its children do.
std::vector<pid_t> ProcessesIn(const std::filesystem::path& folder);

}  // namespace vf::pg
