#include "pg/migrations.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

#include "base/log.hpp"
#include "pg/blocking.hpp"

namespace vf::pg {
namespace {

struct MigrationFile {
    int version = 0;
    std::string name;  // "0001_instance.sql"
    std::string sql;
    std::string sha256;
};

// Any number that no other program takes for an advisory lock of its own ("voicflow" in ASCII).
constexpr const char* kTakeLock = "SELECT pg_advisory_lock(8533465783654674295)";

constexpr const char* kMakeTable =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    "version integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, "
    "applied_at timestamptz NOT NULL DEFAULT now())";

Error Refusal(const char* code, std::string message) {
    return Error(ErrorKind::kConflict, code, std::move(message));
}

std::string Sha256(const std::string& text) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
    constexpr char kHex[] = "0123456789abcdef";
    std::string hex;
    for (const unsigned char byte : digest) {
        hex += kHex[byte >> 4];
        hex += kHex[byte & 15];
    }
    return hex;
}

bool IsMigrationName(const std::string& name) {
    constexpr std::size_t kDigits = 4;
    return name.size() > kDigits + 5 && name[kDigits] == '_' &&
           std::all_of(name.begin(), name.begin() + kDigits,
                       [](char c) { return c >= '0' && c <= '9'; });
}

// The folder's files in order; versions must be 1, 2, 3, …
Result<std::vector<MigrationFile>> ReadFolder(const std::filesystem::path& folder) {
    std::vector<MigrationFile> files;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        if (entry.path().extension() != ".sql") continue;
        MigrationFile file;
        file.name = entry.path().filename().string();
        if (!IsMigrationName(file.name)) {
            return Refusal("migration_files", file.name + " is not named NNNN_name.sql.");
        }
        file.version = std::stoi(file.name.substr(0, 4));
        std::ifstream in(entry.path(), std::ios::binary);
        file.sql.assign(std::istreambuf_iterator<char>(in), {});
        if (!in) return Refusal("migration_files", file.name + " cannot be read.");
        file.sha256 = Sha256(file.sql);
        files.push_back(std::move(file));
    }
    if (error) {
        return Refusal("migration_files",
                       "The migrations folder cannot be read: " + error.message() + ".");
    }
    std::sort(files.begin(), files.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (files[i].version != static_cast<int>(i) + 1) {
            return Refusal("migration_files", "Migrations are numbered from 0001 without gaps; " +
                                                  files[i].name + " does not follow.");
        }
    }
    return files;
}

// What the database has must be a beginning of what the folder has.
Result<int> CheckApplied(BlockingConnection& connection, const std::vector<MigrationFile>& files) {
    const Rows applied =
        connection.Run("SELECT version, name, sha256 FROM schema_migrations ORDER BY version");
    int version = 0;
    for (const Row row : applied) {
        version = static_cast<int>(row.Int(0));
        const auto index = static_cast<std::size_t>(version) - 1;
        if (index >= files.size()) {
            return Refusal("schema_newer",
                           "The database is at version " + std::string(row.Text(1)) +
                               ", which this server does not know (its newest is " +
                               (files.empty() ? "none" : files.back().name) +
                               "). Start the newer server, or restore an older backup.");
        }
        if (files[index].name != row.Text(1) || files[index].sha256 != row.Text(2)) {
            return Refusal("migration_changed",
                           "Migration " + std::string(row.Text(1)) +
                               " was applied in another form than the file " + files[index].name +
                               " has now. Applied migrations must not change; add a new one.");
        }
    }
    if (version != static_cast<int>(applied.size())) {
        return Refusal("migration_changed", "schema_migrations has gaps.");
    }
    return version;
}

Result<void> Apply(BlockingConnection& connection, const MigrationFile& file) {
    // The transaction's id shows a file that ended its own transaction, and maybe began another.
    constexpr const char* kTransaction = "SELECT pg_current_xact_id()::text";
    std::string failure;
    try {
        connection.Run("BEGIN");
        const std::string before(connection.Run(kTransaction)[0].Text(0));
        connection.Run(file.sql);
        const std::string after(connection.Run(kTransaction)[0].Text(0));
        if (before == after) {
            connection.Run(
                "INSERT INTO schema_migrations (version, name, sha256) VALUES ($1, $2, $3)",
                {std::to_string(file.version), file.name, file.sha256});
            connection.Run("COMMIT");
            return {};
        }
        failure = "it begins or ends a transaction itself; parts of it may be in force";
    } catch (const QueryError& e) {
        failure = std::string(e.what()) + " (SQLSTATE " + e.sqlstate() + ")";
    }
    connection.Run("ROLLBACK");
    return Refusal("migration_failed", "Migration " + file.name + " failed: " + failure + ".");
}

Result<MigrationReport> MigrateOn(BlockingConnection& connection, const MigrationOptions& options,
                                  const std::vector<MigrationFile>& files) {
    connection.Run("SET lock_timeout = " + std::to_string(options.lock_timeout.count()));
    try {
        connection.Run(kTakeLock);
    } catch (const QueryError& e) {
        if (e.sqlstate() != "55P03") throw;
        return Refusal("migration_locked",
                       "Another server has been migrating this database for longer than " +
                           std::to_string(options.lock_timeout.count()) + " ms.");
    }
    connection.Run(kMakeTable);
    const Result<int> version = CheckApplied(connection, files);
    if (!version) return version.error();
    MigrationReport report;
    report.version = *version;
    for (const MigrationFile& file : files) {
        if (file.version <= *version) continue;
        const Result<void> applied = Apply(connection, file);
        if (!applied) return applied.error();
        log::Info("migration_applied", {{"name", file.name}});
        report.applied.push_back(file.name);
        report.version = file.version;
    }
    return report;
}

}  // namespace

Result<MigrationReport> MigrateNow(const MigrationOptions& options) {
    const Result<std::vector<MigrationFile>> files = ReadFolder(options.folder);
    if (!files) return files.error();
    try {
        BlockingConnection connection(options.url, options.connect_timeout);
        return MigrateOn(connection, options, *files);  // closing gives the lock back
    } catch (const DatabaseUnavailable& e) {
        return e.error;
    } catch (const QueryError& e) {
        return Refusal("migration_failed", std::string(e.what()) + " (SQLSTATE " + e.sqlstate() +
                                               ") while preparing the migrations.");
    }
}

Task<Result<MigrationReport>> Migrate(asio::thread_pool& threads, MigrationOptions options) {
    auto work = [options = std::move(options)] { return MigrateNow(options); };
    return Offload(threads, std::move(work));
}

}  // namespace vf::pg
