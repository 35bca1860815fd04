#pragma once
// From a PostgreSQL that answers to a database the server can use: login roles, schema, plans.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "app/app_settings.hpp"
#include "app/install_paths.hpp"
#include "pg/database.hpp"
#include "pg/migrations.hpp"
#include "pg/roles.hpp"
#include "secrets/keyring.hpp"

namespace vf::app {

struct PreparedDatabase {
    pg::RoleUrls urls;  // secret
    pg::MigrationReport migrations;
};

// Roles first, since the migrations grant to them. `url` is the owner's. Blocking; errors are for
// the operator, kUnavailable ones are worth another try.
Result<PreparedDatabase> PrepareDatabase(const AppSettings& settings, const std::string& url,
                                         const secrets::Keyring& keyring);

// The pools of a prepared database.
std::shared_ptr<pg::Database> OpenDatabase(asio::io_context& loop, const AppSettings& settings,
                                           const pg::RoleUrls& urls);

// A new installation gets the default catalogue of plans.
Task<Result<void>> EnsurePlans(pg::Database& database, const InstallPaths& paths);

// `secrets.key_file`, or server.key in the data folder.
std::filesystem::path KeyFile(const AppSettings& settings);

}  // namespace vf::app
