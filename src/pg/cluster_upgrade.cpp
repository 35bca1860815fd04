// Dump and restore of a private cluster from one major version to another.

#include <unistd.h>

#include <ctime>
#include <fstream>

#include "base/log.hpp"
#include "pg/cluster_keeper.hpp"

namespace vf::pg {
namespace fs = std::filesystem;
namespace {

Error Failed(const std::string& step, const ToolOutcome& outcome) {
    return ClusterError("upgrade_failed", step + " failed: " + LastLine(outcome.output) +
                                              ". The old cluster is unchanged.");
}

Error NeedsOldVersion(int major) {
    const std::string number = std::to_string(major);
    return ClusterError("upgrade_needs_old_version",
                        "Reading the old cluster takes PostgreSQL " + number +
                            ". Install it with `apt-get install postgresql-" + number +
                            "`, run `voiceflowd database upgrade` again, then remove it.");
}

// A client program of the new version against the cluster at `place`, as ourselves.
ToolOutcome RunClient(const fs::path& bin_dir, const ClusterPlace& place,
                      std::vector<std::string> arguments) {
    arguments[0] = (bin_dir / arguments[0]).string();
    ProcessSpec spec;
    spec.arguments = std::move(arguments);
    // Not on the command line, which everybody can read.
    spec.environment = {"PGPASSWORD=" + place.password, "PGHOST=" + place.socket_dir.string(),
                        std::string("PGUSER=") + kClusterUser,
                        std::string("PGDATABASE=") + kClusterDatabase};
    spec.user = {::geteuid(), ::getegid()};
    constexpr std::chrono::hours kLongest{12};
    return RunTool(std::move(spec), kLongest);
}

// The new cluster's superuser exists already; its CREATE ROLE line alone would stop the restore.
bool WithoutOwnRole(const fs::path& globals) {
    std::ifstream in(globals);
    std::string kept;
    for (std::string line; std::getline(in, line);) {
        if (line != std::string("CREATE ROLE ") + kClusterUser + ";") kept += line + "\n";
    }
    std::ofstream out(globals, std::ios::trunc);
    out << kept;
    out.close();
    return !in.bad() && out.good();
}

class Upgrade {
public:
    Upgrade(ClusterPlace from, ClusterPlace to)
        : from_(std::move(from)), to_(std::move(to)),
          globals_(from_.data_dir / "upgrade-roles.sql"),
          data_(from_.data_dir / "upgrade-data.sql") {}
    ~Upgrade() {
        std::error_code ignored;
        fs::remove(globals_, ignored);
        fs::remove(data_, ignored);
        fs::remove_all(to_.folder, ignored);  // has its final name when it succeeded
        fs::remove_all(to_.socket_dir, ignored);
    }

    Result<void> Dump() {
        ClusterKeeper old(from_);
        const Result<void> started = old.Start();
        if (!started) return started.error();
        ToolOutcome outcome = RunClient(
            to_.bin_dir, from_,
            {"pg_dumpall", "--globals-only", "--no-password", "--file=" + globals_.string()});
        if (outcome.exit_code != 0) return Failed("Dumping the roles", outcome);
        outcome =
            RunClient(to_.bin_dir, from_, {"pg_dump", "--no-password", "--file=" + data_.string()});
        if (outcome.exit_code != 0) return Failed("Dumping the data", outcome);
        if (!WithoutOwnRole(globals_)) {
            return ClusterError("upgrade_failed", globals_.string() + " cannot be rewritten.");
        }
        return {};
    }

    Result<void> Restore() {
        std::error_code ignored;
        fs::remove_all(to_.folder, ignored);
        const Result<void> made = MakeCluster(to_);
        if (!made) return made.error();
        ClusterKeeper fresh(to_);
        const Result<void> started = fresh.Start();
        if (!started) return started.error();
        for (const fs::path& file : {globals_, data_}) {
            const ToolOutcome outcome = RunClient(
                to_.bin_dir, to_,
                {"psql", "--no-psqlrc", "--no-password", "--quiet", "--single-transaction",
                 "--set=ON_ERROR_STOP=1", "--file=" + file.string()});
            if (outcome.exit_code != 0)
                return Failed("Restoring " + file.filename().string(), outcome);
        }
        const ToolOutcome outcome = RunClient(
            to_.bin_dir, to_, {"psql", "--no-psqlrc", "--no-password", "--command=ANALYZE"});
        if (outcome.exit_code != 0) return Failed("ANALYZE", outcome);
        return {};
    }

    Result<fs::path> Exchange() {
        const fs::path kept = from_.folder.string() + ".pg" + std::to_string(from_.major) + "-" +
                              std::to_string(std::time(nullptr));
        std::error_code error;
        fs::rename(from_.folder, kept, error);
        if (!error) {
            fs::rename(to_.folder, from_.folder, error);
            if (error) {
                std::error_code back;
                fs::rename(kept, from_.folder, back);
            }
        }
        ::sync();
        if (error) {
            return ClusterError("upgrade_failed",
                                "The folders could not be exchanged: " + error.message() + ".");
        }
        return kept;
    }

private:
    ClusterPlace from_;
    ClusterPlace to_;
    fs::path globals_;
    fs::path data_;
};

}  // namespace

Result<UpgradeReport> UpgradeCluster(const DataDirLock& lock, UpgradeOptions options) {
    const fs::path folder = lock.data_dir() / "postgres";
    const auto major = MajorOfFolder(folder);
    if (!major) {
        return ClusterError("cluster_unusable",
                            "There is no private PostgreSQL cluster in " + folder.string() + ".");
    }
    const Result<std::string> password = ReadPassword(lock.data_dir());
    if (!password) return password.error();
    const Result<fs::path> programs = FindPrograms(options.cluster.bin_dir, std::nullopt);
    if (!programs) return programs.error();
    options.cluster.bin_dir = programs->string();
    UpgradeReport report{*major, MajorOfPrograms(*programs).value_or(0), {}};
    if (report.from == report.to && !options.same_major_too) return report;
    if (report.from > report.to) {
        return ClusterError("postgres_version",
                            "The data folder was made by PostgreSQL " + std::to_string(*major) +
                                ", newer than the newest installed. Install postgresql-" +
                                std::to_string(*major) + ".");
    }
    PrivateClusterOptions old_options = options.cluster;
    old_options.bin_dir = options.old_bin_dir;
    if (old_options.bin_dir.empty()) {
        old_options.bin_dir = "/usr/lib/postgresql/" + std::to_string(*major) + "/bin";
    }
    if (MajorOfPrograms(old_options.bin_dir) != major) {
        return NeedsOldVersion(*major);
    }
    Result<ClusterPlace> from = FindPlace(lock.data_dir(), folder, old_options);
    if (!from) return from.error();
    // The new cluster belongs to whom the old one belongs.
    Result<ClusterPlace> to = FindPlace(lock.data_dir(), lock.data_dir() / "postgres.upgraded",
                                        options.cluster, from->user);
    if (!to) return to.error();
    from->password = *password;
    to->password = *password;
    Upgrade upgrade(std::move(from).value(), std::move(to).value());
    const Result<void> dumped = upgrade.Dump();
    if (!dumped) return dumped.error();
    const Result<void> restored = upgrade.Restore();
    if (!restored) return restored.error();
    const Result<fs::path> kept = upgrade.Exchange();
    if (!kept) return kept.error();
    report.kept = *kept;
    log::Info("private_postgres_upgraded", {{"from", report.from}, {"to", report.to}});
    return report;
}

}  // namespace vf::pg
