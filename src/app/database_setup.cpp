#include "app/database_setup.hpp"

#include "pg/pg.hpp"
#include "plans/plans.hpp"

namespace vf::app {

Result<PreparedDatabase> PrepareDatabase(const AppSettings& settings, const std::string& url,
                                         const secrets::Keyring& keyring) {
    pg::RoleOptions roles;
    roles.owner_url = url;
    roles.app_url = settings.app_url;
    roles.system_url = settings.system_url;
    roles.app_password = keyring.Password("database app role");
    roles.system_password = keyring.Password("database system role");
    roles.connect_timeout = settings.pool.connect_timeout;
    Result<pg::RoleUrls> urls = pg::EnsureRoles(roles);
    if (!urls) return std::move(urls).error();
    pg::MigrationOptions migrations;
    migrations.url = url;
    migrations.folder = FindInstallPaths().migrations;
    Result<pg::MigrationReport> report = pg::MigrateNow(migrations);
    if (!report) return std::move(report).error();
    return PreparedDatabase{*std::move(urls), *std::move(report)};
}

std::shared_ptr<pg::Database> OpenDatabase(asio::io_context& loop, const AppSettings& settings,
                                           const pg::RoleUrls& urls) {
    pg::PoolOptions app = settings.pool;
    app.url = urls.app;
    pg::PoolOptions system = settings.pool;
    system.url = urls.system;
    return std::make_shared<pg::Database>(loop, std::move(app), std::move(system));
}

Task<Result<void>> EnsurePlans(pg::Database& database, const InstallPaths& paths) {
    pg::SystemDb system = database.System("the first catalogue of plans");
    std::filesystem::path file = paths.plans / "default.toml";
    const Result<bool> made = co_await plans::EnsureCatalogue(system, std::move(file));
    if (!made) co_return made.error();
    co_return Result<void>();
}

std::filesystem::path KeyFile(const AppSettings& settings) {
    if (!settings.key_file.empty()) return settings.key_file;
    return std::filesystem::path(settings.data_dir) / "server.key";
}

}  // namespace vf::app
