#include "app/ground.hpp"

#include "app/database_setup.hpp"
#include "blob/blob_routes.hpp"
#include "dictionaries/dictionaries_routes.hpp"
#include "events/events_routes.hpp"
#include "exports/exports.hpp"
#include "jobs/jobs_routes.hpp"
#include "usage/usage_routes.hpp"
#include "vendors/vendors_routes.hpp"

namespace vf::app {
namespace {

// A row may wait this long for PostgreSQL at a stop; the next start ships what is left.
constexpr std::chrono::milliseconds kShipAtStop{2000};
// Speeches may wait so long for being written into the history; what is left then is not kept.
constexpr std::chrono::milliseconds kKeepAtStop{2000};

}  // namespace

Ground::Ground(asio::io_context& loop, asio::thread_pool& threads, const AppSettings& settings,
               identity::Access& access)
    : loop_(loop), settings_(settings), access_(access), limits_(loop, settings.limits),
      events_(loop, settings.events), client_(loop), blobs_(loop, client_, settings.blob),
      idempotency_(loop, settings.idempotency), jobs_(loop, threads, settings.jobs),
      dictionaries_(loop, threads, settings.dictionaries), history_(loop, blobs_, settings.history),
      vendors_(loop, settings.vendors) {
    events_.AddReader(events::MetricsReader());
    exports::AddHandler(jobs_, events_, settings.jobs.max_result);
}

Result<void> Ground::Open() {
    Result<std::shared_ptr<const secrets::Keyring>> keyring =
        secrets::Keyring::LoadOrMake(KeyFile(settings_));
    if (!keyring) return std::move(keyring).error();
    keyring_ = *std::move(keyring);
    const Result<void> blobs = blobs_.Open(keyring_, settings_.data_dir);
    if (!blobs) return blobs.error();
    usage::JournalOptions options;
    options.folder = std::filesystem::path(settings_.data_dir) / "journal";
    options.usage = settings_.usage;
    Result<std::unique_ptr<usage::Journal>> journal = usage::Journal::Open(std::move(options));
    if (!journal) return std::move(journal).error();
    journal_ = *std::move(journal);
    return {};
}

void Ground::AddRoutes(http::Router& router) {
    usage::AddRoutes(router, [this] { return database_.get(); }, access_.Guard(Scope::kUsageRead));
    events::AddRoutes(router, events_, access_.Guard(Scope::kAdminRead));
    blob::AddRoutes(router, blobs_, access_);
    jobs::AddRoutes(router, jobs_, access_.Guard(Scope::kSpeechRead),
                    access_.Guard(Scope::kSpeechWrite));
    exports::AddRoutes(router, jobs_, access_.Guard(Scope::kAdminWrite));
    dictionaries::AddRoutes(router, dictionaries_, access_);
    vendors::AddRoutes(router, vendors_, access_);
}

Task<void> Ground::Start(std::shared_ptr<pg::Database> database) {
    // First, since it can fail; what follows cannot.
    identity::OnAccessChange on_change = [this](std::string_view kind, std::string_view subject) {
        OnAccessChange(kind, subject);
    };
    co_await access_.Start(database, std::move(on_change));
    database_ = std::move(database);
    blobs_.Start(database_);
    limits_.Start(*database_, journal_->node());
    metering_ = {&limits_, journal_.get()};
    usage::OnIngest on_ingest = [this](pg::SystemTransaction& transaction,
                                       const std::vector<usage::IngestTotals>& totals) {
        return ledger_.OnIngest(transaction, totals);
    };
    shipper_ = std::make_unique<usage::Shipper>(loop_, *journal_, *database_, settings_.usage,
                                                std::move(on_ingest));
    shipper_->Start();
    events_.Start(*database_);
    jobs_.Start(*database_, keyring_);
    idempotency_.Start(*database_, blobs_, journal_->node());
    dictionaries_.Start(database_);
    history_.Start(database_, keyring_);
    voice_settings_.Start(database_);
    vendors_.Start(database_, keyring_);
}

void Ground::OnAccessChange(std::string_view kind, std::string_view subject) {
    const std::optional<Uuid> id = Uuid::Parse(subject);
    if (kind == "billing_accounts" && id) {
        limits_.PlanChanged(BillingAccountId{*id});
    } else if (kind == "spending_bounds" && id) {
        limits_.SpendingBoundChanged(*id);
    } else if (kind == "plans" || kind.empty()) {
        limits_.PlansChanged();
    }
}

void Ground::Drain() {
    events_.EndStreams();
}

Task<void> Ground::Stop() {
    if (!database_) co_return;
    co_await history_.Drain(kKeepAtStop);
    history_.Stop();
    co_await jobs_.Stop();
    co_await shipper_->Drain(kShipAtStop);
    co_await shipper_->Stop();
    co_await limits_.Stop();
    co_await events_.Stop();
    idempotency_.Stop();
    dictionaries_.Stop();
    voice_settings_.Stop();
    vendors_.Stop();
    blobs_.Stop();
    co_await access_.Stop();
    database_->Close();
}

}  // namespace vf::app
