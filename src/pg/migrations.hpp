#pragma once
// Forward-only migrations from a folder of NNNN_name.sql, numbered from 0001 without gaps.
//
// Each file runs in one transaction together with its row in schema_migrations (version, name,
// sha256, applied_at), under an advisory lock, so that of two servers starting at once one waits
// and finds the work done. What cannot run in a transaction (CREATE INDEX CONCURRENTLY, VACUUM) is
// not supported and fails. A file must not say BEGIN or COMMIT itself: that is found out and the
// file not recorded, but what it committed stays.

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/task.hpp"

namespace vf::pg {

struct MigrationOptions {
    std::string url;
    std::filesystem::path folder;
    std::chrono::milliseconds connect_timeout{5000};
    std::chrono::milliseconds lock_timeout{60000};  // for another server's migration, and for locks
};

struct MigrationReport {
    std::vector<std::string> applied;  // file names, in order, of this run
    int version = 0;                   // of the database now
};

// Errors, with a message for the operator (not for HTTP clients): schema_newer (an older server on
// a newer database), migration_changed (an applied file differs or is gone), migration_failed,
// migration_files (bad names, gaps), migration_locked, database_unavailable.
// Blocking; call from a thread that may wait.
Result<MigrationReport> MigrateNow(const MigrationOptions& options);

// The same on `threads`, for the loop.
Task<Result<MigrationReport>> Migrate(asio::thread_pool& threads, MigrationOptions options);

}  // namespace vf::pg
