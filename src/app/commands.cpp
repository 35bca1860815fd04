#include "app/commands.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "app/admin_commands.hpp"
#include "app/app_settings.hpp"
#include "app/database_setup.hpp"
#include "app/install_paths.hpp"
#include "app/model_commands.hpp"
#include "app/server_app.hpp"
#include "base/log.hpp"
#include "pg/data_dir_lock.hpp"
#include "pg/migrations.hpp"
#include "pg/private_cluster.hpp"

namespace vf::app {
namespace {

constexpr const char* kUsage =
    "Usage: voiceflowd COMMAND [--config FILE] [--section.name=value ...]\n"
    "\n"
    "  serve              run the server in the foreground (the default)\n"
    "  migrate            bring the database's schema up to date, then end\n"
    "  admin              make teams and API keys, change plans: voiceflowd admin --help\n"
    "  models             install, list, probe and remove neural models: voiceflowd models --help\n"
    "  config             print every setting with its documentation and present value, as TOML\n"
    "  database upgrade   rewrite the private database for the installed PostgreSQL version\n"
    "  routes             print every route, one a line\n"
    "  version            print the version\n"
    "\n"
    "Settings come from the file (--config, else VOICEFLOW_CONFIG_FILE), the environment\n"
    "(VOICEFLOW_SECTION_NAME) and the command line, in that order.\n";

struct CommandLine {
    std::string config_file;
    std::vector<std::string> settings;
};

// Takes --config out of the arguments; false when its value is missing.
bool ReadCommandLine(std::span<const std::string> arguments, CommandLine& line) {
    if (const char* file = std::getenv("VOICEFLOW_CONFIG_FILE")) line.config_file = file;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (arguments[i] == "--config") {
            if (++i == arguments.size()) return false;
            line.config_file = arguments[i];
        } else if (arguments[i].starts_with("--config=")) {
            line.config_file = arguments[i].substr(9);
        } else {
            line.settings.push_back(arguments[i]);
        }
    }
    return true;
}

std::vector<const char*> Environment() {
    std::vector<const char*> environment;
    for (char** item = environ; *item; ++item) {
        // Read above, and not a setting.
        if (!std::string_view(*item).starts_with("VOICEFLOW_CONFIG_FILE=")) {
            environment.push_back(*item);
        }
    }
    return environment;
}

int Fail(const std::string& message) {
    fmt::print(stderr, "voiceflowd: {}\n", message);
    return 1;
}

int Serve(const AppSettings& settings) {
    return ServerApp(settings).Run();
}

int Migrate(const AppSettings& settings) {
    Result<pg::DataDirLock> lock = Error();
    std::unique_ptr<pg::PrivateCluster> cluster;
    std::string url = settings.pool.url;
    if (url.empty()) {
        lock = pg::DataDirLock::Acquire(settings.data_dir);
        if (!lock) return Fail(lock.error().message());
        auto started = pg::PrivateCluster::Start(*lock, settings.cluster);
        if (!started) return Fail(started.error().message());
        cluster = *std::move(started);
        url = cluster->url();
    }
    const auto keyring = secrets::Keyring::LoadOrMake(KeyFile(settings));
    if (!keyring) return Fail(keyring.error().message());
    const Result<PreparedDatabase> prepared = PrepareDatabase(settings, url, **keyring);
    if (!prepared) return Fail(prepared.error().message());
    for (const std::string& file : prepared->migrations.applied) fmt::print("applied {}\n", file);
    fmt::print("the schema is at version {}\n", prepared->migrations.version);
    return 0;
}

int UpgradeDatabase(const AppSettings& settings) {
    Result<pg::DataDirLock> lock = pg::DataDirLock::Acquire(settings.data_dir);
    if (!lock) return Fail(lock.error().message());
    pg::UpgradeOptions options;
    options.cluster = settings.cluster;
    const Result<pg::UpgradeReport> report = pg::UpgradeCluster(*lock, options);
    if (!report) return Fail(report.error().message());
    if (report->kept.empty()) {
        fmt::print("nothing to do: the database is of PostgreSQL {}\n", report->to);
    } else {
        fmt::print("rewritten from PostgreSQL {} to {}; the old database is kept in {}\n",
                   report->from, report->to, report->kept.string());
    }
    return 0;
}

}  // namespace

int RunCommand(std::span<const std::string> arguments) {
    std::string command = arguments.empty() || arguments[0].starts_with("--config") ||
                                  arguments[0].find('.') != std::string::npos
                              ? "serve"
                              : arguments[0];
    if (!arguments.empty() && command == arguments[0]) arguments = arguments.subspan(1);
    if (command == "database" && !arguments.empty()) {
        command += " " + arguments[0];
        arguments = arguments.subspan(1);
    }
    if (command == "version" || command == "--version") {
        fmt::print("voiceflowd {}\n", VOICEFLOW_VERSION);
        return 0;
    }
    if (command == "help" || command == "--help" || command == "-h") {
        fmt::print("{}", kUsage);
        return 0;
    }

    AdminCommandLine admin;
    if (command == "admin") {
        admin = ReadAdminCommandLine(arguments);
        if (admin.exit_code) return *admin.exit_code;
        arguments = admin.request.settings;
    }
    ModelCommandLine models;
    if (command == "models") {
        models = ReadModelCommandLine(arguments);
        if (models.exit_code) return *models.exit_code;
        arguments = models.request.settings;
    }
    AppSettings settings;
    SettingsSchema schema;
    DeclareSettings(schema, settings);
    schema.AlsoFromEnvironment("database.url", "DATABASE_URL");
    CommandLine line;
    if (!ReadCommandLine(arguments, line)) return Fail("--config needs the name of a file");
    const std::vector<const char*> environment = Environment();
    const Result<SettingsSchema::Loaded> loaded =
        schema.Load(line.config_file, environment, line.settings);
    if (!loaded) {
        fmt::print(stderr, "voiceflowd: {}\n", loaded.error().message());
        return 2;
    }
    if (command == "config") {
        fmt::print("{}", schema.Document());
        return 0;
    }
    log::Configure(LogLevel(settings),
                   settings.log_format == "text" ? log::Format::kText : log::Format::kJson,
                   settings.log_file);
    for (const std::string& warning : loaded->warnings) {
        log::Warning("unknown_variable", {{"warning", warning}});
    }
    if (command == "serve") return Serve(settings);
    if (command == "admin") return RunAdmin(settings, admin.request);
    if (command == "models") return RunModels(settings, models.request);
    if (command == "migrate") return Migrate(settings);
    if (command == "database upgrade") return UpgradeDatabase(settings);
    if (command == "routes") {
        fmt::print("{}", ServerApp(settings).Routes());
        return 0;
    }
    fmt::print(stderr, "voiceflowd: unknown command '{}'\n\n{}", command, kUsage);
    return 2;
}

}  // namespace vf::app
