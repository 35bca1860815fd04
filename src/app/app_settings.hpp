#pragma once
// Every setting of the server in one place: the options of all modules, declared by the modules.

#include <span>
#include <string>

#include "base/log.hpp"
#include "base/settings.hpp"
#include "blob/blob.hpp"
#include "dialects/native/preview.hpp"
#include "dialects/socket_access.hpp"
#include "dictionaries/dictionaries.hpp"
#include "engines/engines.hpp"
#include "events/events.hpp"
#include "history/history.hpp"
#include "http/server.hpp"
#include "idempotency/idempotency.hpp"
#include "identity/access.hpp"
#include "jobs/jobs.hpp"
#include "limits/limits.hpp"
#include "neural/neural.hpp"
#include "pg/pg.hpp"
#include "pg/private_cluster.hpp"
#include "speech/options.hpp"
#include "usage/usage.hpp"
#include "vendors/vendors.hpp"

namespace vf::app {

struct AppSettings {
    std::string data_dir;    // DefaultDataDir()
    std::string key_file;    // empty: server.key in data_dir
    std::string app_url;     // login roles made by hand; secret
    std::string system_url;  // secret
    std::string log_level = "info";
    std::string log_format = "json";
    std::string log_file;
    http::ServerOptions http;
    identity::AccessOptions access;
    pg::PoolOptions pool;
    pg::PrivateClusterOptions cluster;
    engines::EngineOptions engines;
    neural::ModelOptions models;
    speech::SpeechOptions speech;
    dialects::SocketOptions sockets;
    native::PreviewOptions previews;
    usage::UsageOptions usage;
    limits::LimitsOptions limits;
    events::EventOptions events;
    jobs::JobOptions jobs;
    blob::BlobOptions blob;
    idempotency::IdempotencyOptions idempotency;
    dictionaries::DictionaryOptions dictionaries;
    history::HistoryOptions history;
    vendors::VendorOptions vendors;
};

// `settings` must outlive the schema.
void DeclareSettings(SettingsSchema& schema, AppSettings& settings);

log::Level LogLevel(const AppSettings& settings);

}  // namespace vf::app
