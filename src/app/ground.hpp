#pragma once
// What many features stand on and what needs the database: keys' freshness, the usage journal and
// its shipping, budgets, events. Opened before the loop runs, started when the database is up,
// stopped before it closes. On the loop.

#include <memory>

#include "app/app_settings.hpp"
#include "blob/blob.hpp"
#include "dictionaries/dictionaries.hpp"
#include "history/history.hpp"
#include "http/client.hpp"
#include "http/router.hpp"
#include "idempotency/idempotency.hpp"
#include "identity/access.hpp"
#include "jobs/jobs.hpp"
#include "limits/limits.hpp"
#include "pg/database.hpp"
#include "secrets/keyring.hpp"
#include "speech/meter.hpp"
#include "usage/journal.hpp"
#include "usage/shipper.hpp"
#include "vendors/vendors.hpp"
#include "voices/voices.hpp"

namespace vf::app {

class Ground {
public:
    // `threads` do what would hold the loop up.
    Ground(asio::io_context& loop, asio::thread_pool& threads, const AppSettings& settings,
           identity::Access& access);

    // The key file and the journal. Errors, for the operator.
    Result<void> Open();
    void AddRoutes(http::Router& router);
    // `database` is migrated. Throws UnavailableException when it goes away meanwhile: nothing has
    // begun then, and it may be called again.
    Task<void> Start(std::shared_ptr<pg::Database> database);
    // What long answers there are end now.
    void Drain();
    Task<void> Stop();

    const secrets::Keyring& keyring() const { return *keyring_; }
    // Null until Start.
    pg::Database* database() const { return database_.get(); }
    idempotency::Idempotency& idempotency() { return idempotency_; }
    dictionaries::Dictionaries& dictionaries() { return dictionaries_; }
    blob::Blobs& blobs() { return blobs_; }
    history::History& history() { return history_; }
    voices::VoiceSettings& voice_settings() { return voice_settings_; }
    vendors::Vendors& vendors() { return vendors_; }
    usage::Journal* journal() const { return journal_.get(); }
    // Filled by Start; nobody is admitted before.
    const speech::Metering& metering() const { return metering_; }

private:
    void OnAccessChange(std::string_view kind, std::string_view subject);

    asio::io_context& loop_;
    const AppSettings& settings_;
    identity::Access& access_;
    std::shared_ptr<const secrets::Keyring> keyring_;
    std::shared_ptr<pg::Database> database_;
    std::unique_ptr<usage::Journal> journal_;
    limits::Limits limits_;
    limits::Ledger ledger_;
    events::Events events_;
    http::HttpClient client_;
    blob::Blobs blobs_;
    idempotency::Idempotency idempotency_;
    jobs::Jobs jobs_;
    dictionaries::Dictionaries dictionaries_;
    history::History history_;
    voices::VoiceSettings voice_settings_;
    vendors::Vendors vendors_;
    std::unique_ptr<usage::Shipper> shipper_;
    speech::Metering metering_;
};

}  // namespace vf::app
