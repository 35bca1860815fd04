#include "pg/private_cluster.hpp"

#include "pg/cluster_keeper.hpp"

namespace vf::pg {
namespace {

Error OtherMajor(int folder, int programs) {
    const std::string have = std::to_string(folder);
    const std::string installed = std::to_string(programs);
    return ClusterError("postgres_version",
                        "The data folder was made by PostgreSQL " + have + ", but PostgreSQL " +
                            installed +
                            " is installed. Run `voiceflowd database upgrade` to bring the data "
                            "over (it needs the Debian package postgresql-" +
                            have + " for the time of the upgrade), or install postgresql-" + have +
                            " to go on as before.");
}

}  // namespace

void DeclareSettings(SettingsSchema& schema, PrivateClusterOptions& options) {
    using std::chrono::milliseconds;
    schema.Text("database.bin_dir", options.bin_dir,
                {"/usr/lib/postgresql/15/bin",
                 "Where the private PostgreSQL's programs are; empty: the newest installed."});
    schema.Bytes("database.shared_buffers", options.shared_buffers, 1u << 20, 64ull << 30,
                 {"24MiB", "Page cache of the private PostgreSQL."});
    schema.Integer("database.max_connections", options.max_connections, 10, 1000,
                   {"30", "Connections the private PostgreSQL accepts."});
    schema.Duration("database.start_timeout", options.start_timeout, milliseconds(1000),
                    milliseconds(3600000),
                    {"60s", "How long the private PostgreSQL may take to start or recover."});
    schema.Duration("database.stop_timeout", options.stop_timeout, milliseconds(100),
                    milliseconds(600000),
                    {"8s", "How long the private PostgreSQL may take to stop cleanly."});
}

PrivateCluster::PrivateCluster(std::unique_ptr<ClusterKeeper> keeper)
    : keeper_(std::move(keeper)) {}

PrivateCluster::~PrivateCluster() = default;

Result<std::unique_ptr<PrivateCluster>> PrivateCluster::Start(const DataDirLock& lock,
                                                              PrivateClusterOptions options) {
    const auto folder = lock.data_dir() / "postgres";
    Result<ClusterPlace> place = FindPlace(lock.data_dir(), folder, std::move(options));
    if (!place) return place.error();
    const auto existing = MajorOfFolder(folder);
    if (existing && *existing != place->major) return OtherMajor(*existing, place->major);
    Result<std::string> password =
        existing ? ReadPassword(lock.data_dir()) : EnsurePassword(lock.data_dir());
    if (!password) return password.error();
    place->password = *password;
    if (!existing) {
        const Result<void> made = MakeCluster(*place);
        if (!made) return made.error();
    }
    auto keeper = std::make_unique<ClusterKeeper>(std::move(place).value());
    const Result<void> started = keeper->Start();
    if (!started) return started.error();
    return std::unique_ptr<PrivateCluster>(new PrivateCluster(std::move(keeper)));
}

std::optional<std::string> PrivateCluster::UrlOfRunning(const std::filesystem::path& data_dir) {
    const std::optional<PostmasterFile> running = ReadPostmasterFile(data_dir / "postgres");
    if (!running || running->status != "ready") return std::nullopt;
    const Result<std::string> password = ReadPassword(data_dir);
    if (!password) return std::nullopt;
    ClusterPlace place;
    place.socket_dir = running->socket_dir;
    place.password = *password;
    return place.Url();
}

const std::string& PrivateCluster::url() const {
    return keeper_->url();
}

int PrivateCluster::version() const {
    return keeper_->major();
}

bool PrivateCluster::adopted() const {
    return keeper_->adopted();
}

int PrivateCluster::process_id() const {
    return keeper_->process_id();
}

void PrivateCluster::Stop() {
    keeper_->Stop();
}

}  // namespace vf::pg
