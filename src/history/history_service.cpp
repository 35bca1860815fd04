#include <algorithm>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/unavailable.hpp"
#include "history/history.hpp"
#include "history/history_store.hpp"
#include "history/seal.hpp"
#include "pg/database.hpp"
#include "secrets/keyring.hpp"
#include "text/names.hpp"

namespace vf::history {
namespace {

constexpr std::int64_t kSweepRows = 1'000;
constexpr std::int64_t kScanRows = 200;  // that a search decrypts at once

Error NotFound() {
    return {ErrorKind::kNotFound, "history_item_not_found",
            "There is no history item with this id; it may be deleted, or too old."};
}

prometheus::Counter& Count(const char* outcome) {
    static prometheus::Family<prometheus::Counter>& family =
        prometheus::BuildCounter()
            .Name("voiceflow_history_items_total")
            .Help("Speeches for the history, by what became of them.")
            .Register(metrics::Registry());
    return family.Add({{"outcome", outcome}});
}

}  // namespace

struct Core {
    Core(asio::io_context& loop_, blob::Blobs& blobs_, HistoryOptions options_)
        : loop(loop_), blobs(blobs_), options(options_), sweep(loop_.get_executor()),
          idle(loop_.get_executor()) {}

    struct Pending {
        TeamId team;
        HistoryId id;
        std::string request_id;
        std::string text;
    };

    pg::TeamDb Team(TeamId team) const {
        if (!database) {
            throw UnavailableException(DatabaseNotUp());
        }
        return database->Team(team);
    }
    bool Opened(store::ItemRow& row) const { return Open(*keyring, row.sealed, row.item); }

    asio::io_context& loop;
    blob::Blobs& blobs;
    HistoryOptions options;
    std::shared_ptr<pg::Database> database;
    std::shared_ptr<const secrets::Keyring> keyring;
    std::function<Clock::time_point()> now = [] { return Clock::now(); };
    std::vector<Pending> pending;  // what waits to be written
    std::uint64_t held = 0;        // bytes of audio in memory
    bool stopping = false;
    SteadyTimer sweep;
    SteadyTimer idle;
};

Recording::Recording(std::shared_ptr<Core> core) : core_(std::move(core)) {}

Recording::~Recording() {
    core_->held -= reserved_;
}

void Recording::Append(std::string_view bytes) {
    if (gave_up_) return;
    const HistoryOptions& options = core_->options;
    if (bytes_.size() + bytes.size() > options.max_audio ||
        core_->held + bytes.size() > options.max_pending) {
        gave_up_ = true;
        core_->held -= reserved_;
        reserved_ = 0;
        std::string().swap(bytes_);
        return;
    }
    core_->held += bytes.size();
    reserved_ += bytes.size();
    bytes_.append(bytes);
}

void Recording::ReplaceStart(std::string_view header) {
    if (!gave_up_ && header.size() <= bytes_.size()) bytes_.replace(0, header.size(), header);
}

History::History(asio::io_context& loop, blob::Blobs& blobs, HistoryOptions options)
    : core_(std::make_shared<Core>(loop, blobs, options)) {}

History::~History() = default;

namespace {

// Null: there was no room, or the store failed; the item is kept without audio then.
Task<std::optional<BlobId>> StoreAudio(std::shared_ptr<Core> core, Caller caller, Item item,
                                       std::string audio, Clock::time_point expires_at) {
    blob::PutOptions put;
    put.content_type = item.content_type;
    put.name = item.id.Wire() + "." + item.extension;
    put.expires_at = expires_at;
    put.live = item.live;
    if (caller.plan) put.storage_bytes = caller.plan->storage_bytes;
    Result<blob::BlobInfo> stored =
        co_await core->blobs.Put(caller.team, std::move(put), std::move(audio));
    if (stored) co_return stored->id;
    log::Warning("history_without_audio",
                 {{"team", caller.team.Wire()}, {"code", stored.error().code()}});
    co_return std::nullopt;
}

Task<void> Write(std::shared_ptr<Core> core, Caller caller, Item item, std::string audio) {
    const Clock::time_point expires_at = item.created_at + core->options.keep;
    std::string failure;
    try {
        pg::TeamDb db = core->Team(caller.team);
        if (!audio.empty()) {
            item.audio = co_await StoreAudio(core, caller, item, std::move(audio), expires_at);
        }
        std::string sealed = Seal(*core->keyring, item);
        co_await store::Insert(db, item, std::move(sealed), expires_at);
    } catch (const UnavailableException& e) {
        failure = e.error.code();
    } catch (const std::exception& e) {
        failure = e.what();
    }
    if (failure.empty()) {
        Count("kept").Increment();
    } else {
        Count("failed").Increment();
        log::Warning("history_not_written", {{"team", caller.team.Wire()}, {"error", failure}});
    }
}

Task<void> WriteAndForget(std::shared_ptr<Core> core, Caller caller, Item item,
                          std::unique_ptr<Recording> recording, std::string audio) {
    const HistoryId id = item.id;
    co_await Write(core, std::move(caller), std::move(item), std::move(audio));
    recording.reset();
    std::erase_if(core->pending, [id](const Core::Pending& one) { return one.id == id; });
    if (core->pending.empty()) core->idle.cancel();
}

Task<void> SweepForever(std::shared_ptr<Core> core, History* history) {
    for (;;) {
        core->sweep.expires_after(core->options.sweep_interval);
        co_await core->sweep.async_wait(kAwaitTuple);
        if (core->stopping) co_return;
        try {
            for (;;) {
                const bool is_more = co_await history->SweepOnce();
                if (!is_more || core->stopping) break;
            }
        } catch (const std::exception& e) {
            log::Warning("history_sweep_failed", {{"error", e.what()}});
        }
    }
}

}  // namespace

void History::Start(std::shared_ptr<pg::Database> database,
                    std::shared_ptr<const secrets::Keyring> keyring) {
    core_->keyring = std::move(keyring);
    core_->database = std::move(database);
    Spawn(core_->loop.get_executor(), SweepForever(core_, this), "history_sweep");
}

void History::Stop() {
    core_->stopping = true;
    core_->sweep.cancel();
}

Task<void> History::Drain(std::chrono::milliseconds timeout) {
    if (core_->pending.empty()) co_return;
    core_->idle.expires_after(timeout);
    co_await core_->idle.async_wait(kAwaitTuple);
}

std::unique_ptr<Recording> History::Record() const {
    if (core_->options.keep.count() == 0) return nullptr;
    return std::make_unique<Recording>(core_);
}

void History::Keep(Caller caller, Item item, std::unique_ptr<Recording> recording) {
    if (!recording || core_->stopping) return;
    if (core_->pending.size() >= static_cast<std::size_t>(core_->options.pending)) {
        Count("dropped").Increment();
        log::Warning("history_not_written",
                     {{"team", caller.team.Wire()}, {"error", "too many wait to be written"}});
        return;
    }
    item.created_at = std::chrono::floor<std::chrono::milliseconds>(core_->now());
    item.live = caller.live;
    std::string audio = std::move(recording->bytes_);
    core_->pending.push_back({caller.team, item.id, item.request_id, item.text});
    Spawn(core_->loop.get_executor(),
          WriteAndForget(core_, std::move(caller), std::move(item), std::move(recording),
                         std::move(audio)),
          "history_write");
}

Task<Result<Item>> History::Find(TeamId team, HistoryId id) {
    pg::TeamDb db = core_->Team(team);
    const Clock::time_point now = core_->now();
    std::optional<store::ItemRow> row = co_await store::Find(db, id, now);
    if (!row || !core_->Opened(*row)) co_return NotFound();
    co_return std::move(row->item);
}

// A page of rows at a time; with a search, until the page is full or kMaxScan were looked at.
Task<Page> History::List(TeamId team, Filter filter) {
    pg::TeamDb db = core_->Team(team);
    const Clock::time_point now = core_->now();
    const bool is_search = !filter.search.empty();
    const auto wanted = static_cast<std::size_t>(filter.limit);
    const std::string search = text::FoldCase(filter.search);
    filter.limit = is_search ? kScanRows : filter.limit + 1;
    Page page;
    std::int64_t scanned = 0;
    for (;;) {
        std::vector<store::ItemRow> rows = co_await store::List(db, filter, now);
        const bool is_end = rows.size() < static_cast<std::size_t>(filter.limit);
        for (store::ItemRow& row : rows) {
            if (page.items.size() == wanted) {
                page.has_more = true;
                co_return page;
            }
            ++scanned;
            filter.after = row.item.id;
            if (!core_->Opened(row)) continue;
            if (is_search && text::FoldCase(row.item.text).find(search) == std::string::npos)
                continue;
            page.items.push_back(std::move(row.item));
        }
        if (is_end) co_return page;
        if (scanned >= kMaxScan) {
            page.has_more = true;
            page.scanned_until = filter.after;
            co_return page;
        }
    }
}

Task<Result<void>> History::Delete(TeamId team, HistoryId id) {
    pg::TeamDb db = core_->Team(team);
    const Clock::time_point now = core_->now();
    const auto gone = co_await store::Delete(db, id, now);
    if (!gone) co_return NotFound();
    if (*gone) {
        const BlobId blob = **gone;
        const Result<void> deleted = co_await core_->blobs.Delete(team, blob);
        if (!deleted && deleted.error().kind() != ErrorKind::kNotFound) co_return deleted.error();
    }
    co_return Result<void>();
}

Task<Result<blob::BlobContent>> History::Audio(TeamId team, const Item& item) {
    if (item.audio) {
        const BlobId blob = *item.audio;
        Result<blob::BlobContent> content = co_await core_->blobs.Get(team, blob, std::nullopt);
        if (content || content.error().kind() != ErrorKind::kNotFound) co_return content;
    }
    co_return Error(ErrorKind::kNotFound, "history_audio_not_found",
                    "The audio of this history item is not there: there was no room for it when "
                    "it was spoken, or it was deleted.");
}

Task<std::vector<std::string>> History::TextsOfRequests(TeamId team, std::vector<std::string> ids) {
    std::map<std::string, std::string> texts;
    std::vector<std::string> stored;
    for (const std::string& id : ids) {
        const auto waiting = std::find_if(
            core_->pending.rbegin(), core_->pending.rend(),
            [&](const Core::Pending& one) { return one.team == team && one.request_id == id; });
        if (waiting != core_->pending.rend()) {
            texts[id] = waiting->text;
        } else {
            stored.push_back(id);
        }
    }
    if (!stored.empty()) {
        pg::TeamDb db = core_->Team(team);
        const Clock::time_point since = core_->now() - core_->options.stitch_for;
        const auto rows = co_await store::ByRequests(db, std::move(stored), since);
        for (const auto& [id, sealed] : rows) {
            Item item;
            if (Open(*core_->keyring, sealed, item)) texts[id] = std::move(item.text);
        }
    }
    std::vector<std::string> out;
    for (const std::string& id : ids) {
        const auto found = texts.find(id);
        if (found != texts.end()) out.push_back(found->second);
    }
    co_return out;
}

Task<bool> History::SweepOnce() {
    const std::shared_ptr<Core> core = core_;
    pg::SystemDb db = core->database->System("sweeps what is too old for the history");
    const Clock::time_point now = core->now();
    const std::int64_t gone = co_await store::DeleteExpired(db, now, kSweepRows);
    co_return gone >= kSweepRows;
}

const HistoryOptions& History::options() const {
    return core_->options;
}

void History::UseClockForTest(std::function<Clock::time_point()> clock) {
    core_->now = std::move(clock);
}

void DeclareSettings(SettingsSchema& schema, HistoryOptions& options) {
    using std::chrono::hours;
    using std::chrono::milliseconds;
    schema.Duration("history.keep", options.keep, milliseconds(0), hours(24 * 365),
                    {"168h",
                     "How long what was spoken over the ElevenLabs routes is kept for its "
                     "team; 0s: nothing is kept."});
    schema.Bytes("history.max_audio", options.max_audio, 0, 1ULL << 30U,
                 {"8MiB", "The largest audio that is kept; of longer ones the text only."});
    schema.Bytes(
        "history.max_pending", options.max_pending, 0, 16ULL << 30U,
        {"128MiB", "Memory for audio that is not stored yet; beyond it audio is left out."});
    schema.Integer("history.pending", options.pending, 1, 100'000,
                   {"1000", "How many speeches may wait to be written; more are not kept."});
    schema.Duration("history.sweep_interval", options.sweep_interval, milliseconds(100), hours(24),
                    {"5m", "How often what is too old is deleted."});
}

}  // namespace vf::history
