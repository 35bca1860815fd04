#include "usage/journal.hpp"

#include <deque>

#include "base/log.hpp"
#include "usage/journal_folder.hpp"
#include "usage/journal_keeper.hpp"
#include "usage/usage_metrics.hpp"

namespace vf::usage {
namespace {

using Trouble = JournalKeeper::Trouble;

// Ends that the disk refused, of operations that were in flight when it began to.
constexpr std::size_t kMaxPending = 10'000;
constexpr std::chrono::seconds kRetryAfter{5};

Error FullError(const char* what) {
    return Error(ErrorKind::kInsufficientStorage, "journal_full",
                 std::string("The usage journal has no room (") + what +
                     "), and nothing is done that cannot be accounted for. Try again later.")
        .RetryAfter(kRetryAfter);
}

Error FailedError() {
    return Error(ErrorKind::kUnavailable, "journal_failed",
                 "The usage journal cannot be written, and nothing is done that cannot be "
                 "accounted for. Try again later.")
        .RetryAfter(kRetryAfter);
}

}  // namespace

struct Journal::Impl {
    Impl(JournalOptions o, FolderLock held, FolderState state, FileCalls& calls,
         std::shared_ptr<SegmentFile> first)
        : options(std::move(o)), lock(std::move(held)), node(state.node), files(calls),
          metrics(UsageMetrics::Get()), first_own(first->header.sequence),
          torn_bytes(state.torn_bytes), unshipped(state.record_bytes),
          damaged_segments(state.damaged_files), current(first),
          keeper(options, files, node, first, first_own + 1, metrics.sync_seconds) {}

    JournalOptions options;
    FolderLock lock;
    NodeId node;
    FileCalls& files;
    UsageMetrics& metrics;
    std::uint64_t first_own;
    std::uint64_t torn_bytes;
    std::uint64_t unshipped;
    std::uint64_t damaged_records = 0;
    std::uint64_t damaged_segments;
    std::shared_ptr<SegmentFile> current;
    bool leave_current = false;  // it failed; go on in the next one
    bool empty_at_close = false;
    JournalPosition shipped;
    std::string frame;  // scratch
    std::deque<UsageRow> pending;
    std::function<void()> on_written;
    JournalKeeper keeper;  // the last: its thread ends first

    bool Rotate();
    bool WriteTo(SegmentFile& segment, RecordType type, const UsageRow& row);
    bool Append(RecordType type, const UsageRow& row);
    void FlushPending();
    Error TroubleError() const;
};

// Goes on in the next segment, when there is one.
bool Journal::Impl::Rotate() {
    std::shared_ptr<SegmentFile> next = keeper.TakeNext();
    if (!next) return false;
    current = std::move(next);
    leave_current = false;
    return true;
}

bool Journal::Impl::WriteTo(SegmentFile& segment, RecordType type, const UsageRow& row) {
    frame.clear();
    AppendFrame(frame, segment.seed, type, row);
    errno = 0;
    const ssize_t written = files.Write(segment.fd, frame.data(), frame.size(), segment.size);
    if (written != static_cast<ssize_t>(frame.size())) {
        const int error = written < 0 && errno != 0 ? errno : ENOSPC;
        if (written > 0) files.Truncate(segment.fd, segment.size);  // the part of a frame
        keeper.Report(error);
        leave_current = true;
        return false;
    }
    segment.size += frame.size();
    unshipped += frame.size();
    keeper.Written();
    return true;
}

bool Journal::Impl::Append(RecordType type, const UsageRow& row) {
    if (keeper.TakeSyncFailure()) leave_current = true;
    if (leave_current || current->size >= options.usage.segment_bytes) Rotate();
    if (!WriteTo(*current, type, row)) {
        if (!Rotate() || !WriteTo(*current, type, row)) return false;
    }
    metrics.journalled.Increment();
    metrics.unshipped_bytes.Set(static_cast<double>(unshipped));
    if (on_written) on_written();
    return true;
}

void Journal::Impl::FlushPending() {
    while (!pending.empty() && Append(RecordType::kEnd, pending.front())) pending.pop_front();
}

Error Journal::Impl::TroubleError() const {
    if (keeper.trouble() == Trouble::kFailed) return FailedError();
    return FullError("the disk is full");
}

Journal::Journal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Journal::~Journal() {
    Impl& j = *impl_;
    j.FlushPending();
    if (!j.pending.empty()) {
        log::Error("usage_ends_lost", {{"count", j.pending.size()}});
    }
    const bool is_empty = j.current->size == kSegmentHeaderBytes;
    if (is_empty || (j.empty_at_close && j.shipped == written())) {
        std::error_code ignored;
        std::filesystem::remove(SegmentPath(j.options.folder, j.current->header.sequence), ignored);
    }
}

Result<std::unique_ptr<Journal>> Journal::Open(JournalOptions options) {
    FileCalls& files = options.files != nullptr ? *options.files : FileCalls::System();
    Result<FolderLock> lock = FolderLock::Acquire(options.folder);
    if (!lock) return std::move(lock).error();
    Result<FolderState> state = PrepareFolder(options.folder);
    if (!state) return std::move(state).error();
    int error = 0;
    const SegmentHeader header{state->next_sequence, state->node};
    std::shared_ptr<SegmentFile> first =
        MakeSegment(files, options.folder, header, options.usage.segment_bytes, error);
    if (!first) return FolderError(options.folder, error);
    auto impl = std::make_unique<Impl>(std::move(options), *std::move(lock), *std::move(state),
                                       files, std::move(first));
    return std::unique_ptr<Journal>(new Journal(std::move(impl)));
}

Result<void> Journal::Accepting() {
    Impl& j = *impl_;
    if (!j.pending.empty()) j.FlushPending();
    if (j.keeper.trouble() != Trouble::kNone || !j.pending.empty()) return j.TroubleError();
    if (j.unshipped > j.options.usage.max_unshipped) {
        return FullError("too much of it is waiting for the database");
    }
    return {};
}

Result<void> Journal::Mark(const UsageRow& row) {
    if (!HasSensibleTime(row.operation)) {
        return Error(ErrorKind::kInternal, "journal_bad_row",
                     "The operation's id carries no sensible time; is the server's clock right?");
    }
    if (!impl_->Append(RecordType::kMark, row)) return impl_->TroubleError();
    return {};
}

void Journal::End(const UsageRow& row) {
    Impl& j = *impl_;
    if (!HasSensibleTime(row.operation)) {
        log::Error("usage_bad_row", {{"operation", row.operation.Wire()}});
        return;
    }
    if (!j.pending.empty()) j.FlushPending();
    if (j.pending.empty() && j.Append(RecordType::kEnd, row)) return;
    if (j.pending.size() < kMaxPending) {
        j.pending.push_back(row);
        return;
    }
    // Its last mark is what it will be charged by.
    log::Error("usage_end_lost", {{"operation", row.operation.Wire()}});
}

NodeId Journal::node() const {
    return impl_->node;
}

std::uint64_t Journal::unshipped_bytes() const {
    return impl_->unshipped;
}

std::uint64_t Journal::damaged_records() const {
    return impl_->damaged_records;
}

std::uint64_t Journal::damaged_segments() const {
    return impl_->damaged_segments;
}

std::uint64_t Journal::torn_bytes() const {
    return impl_->torn_bytes;
}

void Journal::OnWritten(std::function<void()> callback) {
    impl_->on_written = std::move(callback);
}

const std::filesystem::path& Journal::folder() const {
    return impl_->options.folder;
}

std::uint64_t Journal::first_own_segment() const {
    return impl_->first_own;
}

JournalPosition Journal::written() const {
    return {impl_->current->header.sequence, impl_->current->size};
}

void Journal::Flush() {
    impl_->FlushPending();
}

void Journal::Shipped(const ShippedReport& report) {
    Impl& j = *impl_;
    j.unshipped -= std::min(j.unshipped, report.bytes);
    j.metrics.unshipped_bytes.Set(static_cast<double>(j.unshipped));
    j.damaged_records += report.damaged_records;
    j.damaged_segments += report.damaged_segments;
    j.metrics.damaged.Increment(static_cast<double>(report.damaged_records));
    j.shipped = report.position;
    j.empty_at_close = report.nothing_open;
}

}  // namespace vf::usage
