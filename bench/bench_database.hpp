#pragma once
// A private cluster in a temporary folder with roles and schema, for programs that measure.

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "pg/migrations.hpp"
#include "pg/pg.hpp"
#include "pg/private_cluster.hpp"
#include "pg/roles.hpp"

namespace vf::bench {

class BenchDatabase {
public:
    BenchDatabase() {
        std::string pattern = (std::filesystem::temp_directory_path() / "vf_bench_XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
        lock_ = std::make_unique<pg::DataDirLock>(pg::DataDirLock::Acquire(folder_).value());
        cluster_ = pg::PrivateCluster::Start(*lock_, {}).value();
        pg::RoleOptions roles;
        roles.owner_url = cluster_->url();
        roles.app_password = "app";
        roles.system_password = "system";
        urls_ = pg::EnsureRoles(roles).value();
        pg::MigrationOptions migrations;
        migrations.url = cluster_->url();
        migrations.folder = std::filesystem::path(VF_SOURCE_DIR) / "migrations";
        if (!pg::MigrateNow(migrations)) throw std::runtime_error("the migrations failed");
    }
    ~BenchDatabase() {
        cluster_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    std::shared_ptr<pg::Database> Open(asio::io_context& loop) const {
        pg::PoolOptions app;
        app.url = urls_.app;
        pg::PoolOptions system;
        system.url = urls_.system;
        return std::make_shared<pg::Database>(loop, app, system);
    }
    const pg::RoleUrls& urls() const { return urls_; }
    const std::string& owner_url() const { return cluster_->url(); }

private:
    std::filesystem::path folder_;
    std::unique_ptr<pg::DataDirLock> lock_;
    std::unique_ptr<pg::PrivateCluster> cluster_;
    pg::RoleUrls urls_;
};

}  // namespace vf::bench
