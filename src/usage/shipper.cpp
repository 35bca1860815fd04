#include "usage/shipper.hpp"

#include <algorithm>
#include <set>

#include "base/log.hpp"
#include "usage/batch_reader.hpp"
#include "usage/ingest_store.hpp"
#include "usage/usage_metrics.hpp"

namespace vf::usage {
namespace {

constexpr std::chrono::milliseconds kFirstPause{250};
constexpr std::chrono::milliseconds kLongestPause{10'000};
constexpr std::chrono::milliseconds kDrainPoll{10};

// A batch with what goes to the database made of it.
struct Ready {
    Batch batch;
    std::vector<IngestPart> parts;
};

Month ThisMonth() {
    return MonthOf(
        std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now()));
}

}  // namespace

// Shared with its coroutine, which may outlive the Shipper by the statement in flight.
struct Shipper::Impl : std::enable_shared_from_this<Shipper::Impl> {
    Impl(asio::io_context& l, Journal& j, pg::Database& d, UsageOptions o, OnIngest hook)
        : loop(l.get_executor()), journal(j), database(d), options(o), on_ingest(std::move(hook)),
          metrics(UsageMetrics::Get()), reader(j.folder(), j.node(), j.first_own_segment()),
          wake(loop) {}

    Executor loop;
    Journal& journal;
    pg::Database& database;
    const UsageOptions options;
    const OnIngest on_ingest;
    UsageMetrics& metrics;
    asio::thread_pool thread{1};
    BatchReader reader;  // of `thread` while a piece of work runs there
    SteadyTimer wake;
    std::int64_t waiting = 0;  // records written since the last wake-up
    bool is_armed = false;     // the ship interval runs
    bool is_running = false;
    bool hurry = false;  // Drain does not wait for others
    bool stopping = false;
    std::uint64_t rows_shipped = 0;
    JournalPosition shipped;
    std::set<Month> months;  // whose partitions are there

    void OnWritten();
    Task<void> WaitForRows();
    Task<void> Pause(std::chrono::milliseconds duration);
    Task<Ready> Read();
    Task<void> EnsureMonths(const Ready& ready);
    Task<std::uint64_t> Insert(const Ready& ready);
    Task<bool> TryShip(const Ready& ready);
    Task<bool> ShipAll();
    static Task<void> Run(std::shared_ptr<Impl> self);
};

// Runs after every record: must cost next to nothing.
void Shipper::Impl::OnWritten() {
    ++waiting;
    if (is_armed && waiting < options.batch_rows) return;
    if (waiting == options.batch_rows) {
        wake.cancel();
        return;
    }
    if (!is_armed && is_running) {
        is_armed = true;
        wake.cancel();
    }
}

// Sleeps while nothing is written; then for the ship interval, or until a batch is full.
Task<void> Shipper::Impl::WaitForRows() {
    if (waiting == 0 && !stopping && !hurry) {
        is_armed = false;
        wake.expires_at(SteadyTimer::time_point::max());
        co_await wake.async_wait(kAwaitTuple);
    }
    if (waiting < options.batch_rows && !stopping && !hurry) {
        is_armed = true;
        wake.expires_after(options.ship_interval);
        co_await wake.async_wait(kAwaitTuple);
    }
    waiting = 0;
    is_armed = true;  // nobody needs to wake a shipper that works
}

Task<void> Shipper::Impl::Pause(std::chrono::milliseconds duration) {
    wake.expires_after(duration);
    co_await wake.async_wait(kAwaitTuple);
}

Task<Ready> Shipper::Impl::Read() {
    const JournalPosition end = journal.written();
    const auto most = static_cast<std::size_t>(options.batch_rows);
    auto work = [this, end, most] {
        Ready ready;
        ready.batch = reader.Next(end, most);
        ready.parts = EncodeRows(ready.batch.rows);
        return ready;
    };
    co_return co_await Offload(thread, std::move(work));
}

// Those of the batch, and the present and the next one ahead of time.
Task<void> Shipper::Impl::EnsureMonths(const Ready& ready) {
    std::set<Month> wanted{ThisMonth(), ThisMonth() + std::chrono::months(1)};
    for (const IngestPart& part : ready.parts) wanted.insert(part.month);
    for (const Month month : wanted) {
        if (months.contains(month)) continue;
        pg::SystemDb system = database.System("usage partitions");
        co_await EnsurePartition(system, month);
        months.insert(month);
    }
}

// How many rows were new.
Task<std::uint64_t> Shipper::Impl::Insert(const Ready& ready) {
    co_await EnsureMonths(ready);
    if (ready.parts.empty()) co_return 0;
    pg::SystemDb system = database.System("usage ingest");
    std::unique_ptr<pg::SystemTransaction> transaction = co_await system.Begin();
    std::vector<IngestTotals> totals;
    std::uint64_t rows = 0;
    for (const IngestPart& part : ready.parts) {
        Inserted inserted = co_await InsertRows(*transaction, part);
        totals.insert(totals.end(), inserted.totals.begin(), inserted.totals.end());
        rows += inserted.rows;
    }
    if (on_ingest && !totals.empty()) {
        co_await on_ingest(*transaction, totals);
    }
    co_await transaction->Commit();
    co_return rows;
}

// False: not this time. A commit whose answer was lost is tried again like any other; its rows are
// not new then, and nothing is counted twice.
Task<bool> Shipper::Impl::TryShip(const Ready& ready) {
    std::string reason;
    try {
        const std::uint64_t rows = co_await Insert(ready);
        rows_shipped += rows;
        metrics.shipped.Increment(static_cast<double>(rows));
        co_return true;
    } catch (const std::exception& e) {
        reason = e.what();
    }
    log::Warning("usage_not_shipped", {{"rows", ready.batch.rows.size()}, {"error", reason}});
    months.clear();  // the database may be another one when it is back
    co_return false;
}

// Until the writer is caught up with; false when it was stopped before, or the files cannot be
// read.
Task<bool> Shipper::Impl::ShipAll() {
    for (;;) {
        if (stopping) co_return false;
        Ready ready = co_await Read();
        std::chrono::milliseconds pause = kFirstPause;
        for (;;) {
            const bool is_done = co_await TryShip(ready);
            if (is_done) break;
            if (stopping) co_return false;
            co_await Pause(pause);
            if (stopping) co_return false;
            pause = std::min(2 * pause, kLongestPause);
        }
        auto release = [this] { reader.Release(); };
        co_await Offload(thread, std::move(release));
        journal.Shipped(ready.batch.report);
        shipped = ready.batch.report.position;
        if (ready.batch.is_last) co_return true;
    }
}

Task<void> Shipper::Impl::Run(std::shared_ptr<Impl> self) {
    for (;;) {
        std::string trouble;
        try {
            co_await self->ShipAll();
        } catch (const std::exception& e) {
            trouble = e.what();
        }
        if (self->stopping) break;
        if (!trouble.empty()) {
            log::Error("usage_journal_unreadable", {{"error", trouble}});
            co_await self->Pause(kLongestPause);
        } else {
            co_await self->WaitForRows();
        }
        if (self->stopping) break;
        self->journal.Flush();
    }
    self->is_running = false;
}

Shipper::Shipper(asio::io_context& loop, Journal& journal, pg::Database& database,
                 UsageOptions options, OnIngest on_ingest)
    : impl_(std::make_shared<Impl>(loop, journal, database, options, std::move(on_ingest))) {}

Shipper::~Shipper() {
    impl_->journal.OnWritten({});
    impl_->stopping = true;
    impl_->wake.cancel();
    impl_->thread.join();
}

void Shipper::Start() {
    Impl* impl = impl_.get();
    impl->is_running = true;
    impl->is_armed = true;
    impl->journal.OnWritten([impl] { impl->OnWritten(); });
    Spawn(impl->loop, Impl::Run(impl_), "usage_shipper");
}

Task<bool> Shipper::Drain(std::chrono::milliseconds timeout) {
    std::shared_ptr<Impl> impl = impl_;
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    const JournalPosition end = impl->journal.written();
    impl->hurry = true;
    while (impl->shipped < end && impl->is_running && std::chrono::steady_clock::now() < deadline) {
        impl->wake.cancel();
        co_await Sleep(kDrainPoll);
    }
    impl->hurry = false;
    co_return impl->shipped >= end;
}

Task<void> Shipper::Stop() {
    std::shared_ptr<Impl> impl = impl_;
    impl->stopping = true;
    while (impl->is_running) {
        impl->wake.cancel();
        co_await Sleep(kDrainPoll);
    }
}

std::uint64_t Shipper::rows_shipped() const {
    return impl_->rows_shipped;
}

}  // namespace vf::usage
