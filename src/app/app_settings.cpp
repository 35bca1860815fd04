#include "app/app_settings.hpp"

#include "app/install_paths.hpp"

namespace vf::app {

void DeclareSettings(SettingsSchema& schema, AppSettings& settings) {
    if (settings.data_dir.empty()) settings.data_dir = DefaultDataDir();
    const InstallPaths paths = FindInstallPaths();
    if (settings.engines.worker_dir.empty()) settings.engines.worker_dir = paths.workers.string();

    schema.Text("data.dir", settings.data_dir,
                {"\"/var/lib/voiceflow\"",
                 "Where everything that must stay is kept: the private database, keys, journals."});
    schema.Text("secrets.key_file", settings.key_file,
                {"\"/etc/voiceflow/server.key\"",
                 "The file with the keys that encrypt and sign, made at first start; empty: "
                 "server.key in the data folder. All nodes on one database need the same."});
    http::DeclareSettings(schema, settings.http);
    identity::DeclareSettings(schema, settings.access);
    speech::DeclareSettings(schema, settings.speech);
    dialects::DeclareSettings(schema, settings.sockets);
    native::DeclareSettings(schema, settings.previews);
    engines::DeclareSettings(schema, settings.engines);
    neural::DeclareSettings(schema, settings.models);
    pg::DeclareSettings(schema, settings.pool);
    schema.Secret("database.app_url", settings.app_url,
                  {"postgresql://voiceflow_teams:secret@db.example/voiceflow",
                   "The login role for team data, when the user of database.url may not make "
                   "roles; empty: the server makes it."});
    schema.Secret("database.system_url", settings.system_url,
                  {"postgresql://voiceflow_server:secret@db.example/voiceflow",
                   "The login role for what crosses teams, in the same case."});
    pg::DeclareSettings(schema, settings.cluster);
    usage::DeclareSettings(schema, settings.usage);
    limits::DeclareSettings(schema, settings.limits);
    events::DeclareSettings(schema, settings.events);
    jobs::DeclareSettings(schema, settings.jobs);
    blob::DeclareSettings(schema, settings.blob);
    idempotency::DeclareSettings(schema, settings.idempotency);
    dictionaries::DeclareSettings(schema, settings.dictionaries);
    history::DeclareSettings(schema, settings.history);
    vendors::DeclareSettings(schema, settings.vendors);
    schema.Choice("log.level", settings.log_level, {"debug", "info", "warning", "error"},
                  {"\"info\"", "The least important lines that are written."});
    schema.Choice("log.format", settings.log_format, {"json", "text"},
                  {"\"json\"", "One JSON object a line, or text for people."});
    schema.Text("log.file", settings.log_file,
                {"\"/var/log/voiceflow.log\"", "Where log lines go; empty is standard error."});
}

log::Level LogLevel(const AppSettings& settings) {
    if (settings.log_level == "debug") return log::Level::kDebug;
    if (settings.log_level == "warning") return log::Level::kWarning;
    if (settings.log_level == "error") return log::Level::kError;
    return log::Level::kInfo;
}

}  // namespace vf::app
