#pragma once
// The PostgreSQL server that VoiceFlow runs for itself in `<data_dir>/postgres` when no database is
// configured: made on first start, reachable over a unix socket only, durable settings, small
// memory, started and stopped with the server and started again when it dies.
//
// As root it runs as the owner of an existing data folder, else as the first of the users
// `voiceflow`, `postgres`, `nobody` that exists; the socket folder (mode 0700) belongs to that user
// too. Because other programs may run as that user, the socket alone is not taken as proof of
// identity: the cluster asks for a password (SCRAM), random, in `<data_dir>/postgres.password`
// (mode 0600, the server's user). Its log is `<data_dir>/postgres.log`; statements, parameters and
// their errors are kept out of it, since they may carry customers' text.

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/settings.hpp"
#include "pg/data_dir_lock.hpp"

namespace vf::pg {

struct PrivateClusterOptions {
    std::string
        bin_dir;  // with initdb and postgres; empty: the newest in /usr/lib/postgresql/*/bin
    std::uint64_t shared_buffers = 24u << 20;  // bytes
    std::int64_t max_connections = 30;
    std::chrono::milliseconds start_timeout{60000};  // recovery after a crash included
    std::chrono::milliseconds stop_timeout{8000};    // fast shutdown; after that, immediate
    std::string run_as;  // for root: the user to run as, instead of the rule above
};

// Section "database": bin_dir, shared_buffers, …
void DeclareSettings(SettingsSchema& schema, PrivateClusterOptions& options);

class ClusterKeeper;

class PrivateCluster {
public:
    // Blocks until queries are answered: about half a second the first time, tens of milliseconds
    // later, longer after a crash. The caller keeps `lock` for as long as the cluster lives.
    // A server of an earlier process that still runs on this folder is adopted.
    // Errors, for the operator: postgres_missing, postgres_version (another major version),
    // cluster_unusable (owner, mode or place of a folder), cluster_failed (with the log's last
    // line).
    static Result<std::unique_ptr<PrivateCluster>> Start(const DataDirLock& lock,
                                                         PrivateClusterOptions options);
    // The url of a cluster that another process keeps running on this folder; none: none runs, or
    // this user may not read its password.
    static std::optional<std::string> UrlOfRunning(const std::filesystem::path& data_dir);
    // Stops the server, as Stop does.
    ~PrivateCluster();

    const std::string& url() const;  // with the password: secret
    int version() const;             // major, e.g. 15
    bool adopted() const;            // it was already running
    int process_id() const;          // of the postmaster now; 0 between death and restart
    // Fast shutdown, immediate after stop_timeout. Blocks; safe to repeat, from any one thread.
    void Stop();

private:
    explicit PrivateCluster(std::unique_ptr<ClusterKeeper> keeper);
    std::unique_ptr<ClusterKeeper> keeper_;
};

struct UpgradeOptions {
    PrivateClusterOptions cluster;  // the new version's
    std::string old_bin_dir;        // empty: /usr/lib/postgresql/<old major>/bin
    bool same_major_too = false;    // rewrite the cluster even when the version is already right
};

struct UpgradeReport {
    int from = 0;
    int to = 0;
    std::filesystem::path kept;  // the old folder's new name; empty when nothing was to do
};

// `voiceflowd database upgrade`: dumps the cluster with the old version's server and the new
// version's pg_dump, restores into a fresh cluster, keeps the old folder under another name. The
// old cluster is untouched until the new one is complete. Needs room for both and the dump.
// Errors: as Start, and upgrade_needs_old_version (naming the Debian package), upgrade_failed.
Result<UpgradeReport> UpgradeCluster(const DataDirLock& lock, UpgradeOptions options);

}  // namespace vf::pg
