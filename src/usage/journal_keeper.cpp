#include "usage/journal_keeper.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/log.hpp"

namespace vf::usage {

JournalKeeper::JournalKeeper(const JournalOptions& options, FileCalls& files, NodeId node,
                             std::shared_ptr<SegmentFile> current, std::uint64_t sequence,
                             prometheus::Histogram& sync_seconds)
    : options_(options), files_(files), node_(node), sync_seconds_(sync_seconds),
      current_(std::move(current)), sequence_(sequence), thread_([this] { Run(); }) {}

JournalKeeper::~JournalKeeper() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void JournalKeeper::Wake() {
    // The lock makes sure that the thread either sees what changed or is already waiting.
    {
        const std::lock_guard lock(mutex_);
    }
    changed_.notify_one();
}

std::shared_ptr<SegmentFile> JournalKeeper::TakeNext() {
    std::shared_ptr<SegmentFile> taken;
    {
        const std::lock_guard lock(mutex_);
        if (!next_) return nullptr;
        sealed_.push_back(std::move(current_));
        current_ = std::move(next_);
        next_ = nullptr;
        taken = current_;
        dirty_.store(true, std::memory_order_release);
    }
    changed_.notify_one();
    return taken;
}

void JournalKeeper::Report(int error) {
    const bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    {
        const std::lock_guard lock(mutex_);
        trouble_.store(is_full ? Trouble::kFull : Trouble::kFailed, std::memory_order_release);
        retry_at_ = Clock::now() + options_.retry_interval;
    }
    log::Error("usage_journal_write_failed", {{"error", std::strerror(error)}});
    changed_.notify_one();
}

void JournalKeeper::Discard(std::shared_ptr<SegmentFile> segment) const {
    if (segment) ::unlink(SegmentPath(options_.folder, segment->header.sequence).c_str());
}

void JournalKeeper::MakeNext(std::unique_lock<std::mutex>& lock) {
    const SegmentHeader header{sequence_++, node_};
    lock.unlock();
    int error = 0;
    std::shared_ptr<SegmentFile> made =
        MakeSegment(files_, options_.folder, header, options_.usage.segment_bytes, error);
    lock.lock();
    if (made) {
        next_ = std::move(made);
        if (trouble() != Trouble::kNone) log::Info("usage_journal_recovered");
        trouble_.store(Trouble::kNone, std::memory_order_release);
        return;
    }
    const bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    if (trouble() == Trouble::kNone) {
        log::Error("usage_journal_allocation_failed", {{"error", std::strerror(error)}});
    }
    trouble_.store(is_full ? Trouble::kFull : Trouble::kFailed, std::memory_order_release);
    retry_at_ = Clock::now() + options_.retry_interval;
}

void JournalKeeper::SyncNow(std::unique_lock<std::mutex>& lock) {
    dirty_.store(false, std::memory_order_release);
    std::vector<std::shared_ptr<SegmentFile>> closing = std::move(sealed_);
    sealed_.clear();
    const std::shared_ptr<SegmentFile> writing = current_;
    lock.unlock();
    int error = 0;
    const auto start = Clock::now();
    for (const auto& segment : closing) {
        // Gives back what was allocated and not used; nobody writes here any longer.
        files_.Truncate(segment->fd, segment->size);
        if (files_.Sync(segment->fd) != 0) error = errno;
    }
    if (files_.Sync(writing->fd) != 0) error = errno;
    sync_seconds_.Observe(std::chrono::duration<double>(Clock::now() - start).count());
    closing.clear();
    lock.lock();
    if (error == 0) return;
    // The kernel may have dropped what it could not write: go on in a new file once one works.
    log::Error("usage_journal_sync_failed", {{"error", std::strerror(error)}});
    Discard(std::move(next_));
    next_ = nullptr;
    trouble_.store(Trouble::kFailed, std::memory_order_release);
    retry_at_ = Clock::now() + options_.retry_interval;
    sync_failed_.store(true, std::memory_order_release);
}

void JournalKeeper::Run() {
    std::unique_lock lock(mutex_);
    Clock::time_point synced_at{};
    for (;;) {
        const auto now = Clock::now();
        const bool is_dirty = dirty_.load(std::memory_order_acquire);
        // In trouble, a segment that is ready waits for its turn: only a new one is proof.
        const bool wants_next = !next_ || trouble() != Trouble::kNone;
        const auto sync_at = synced_at + options_.usage.sync_interval;
        if (stop_) break;
        if (wants_next && now >= retry_at_) {
            Discard(std::move(next_));
            next_ = nullptr;
            MakeNext(lock);
        } else if (is_dirty && now >= sync_at) {
            SyncNow(lock);
            synced_at = Clock::now();
        } else if (wants_next || is_dirty) {
            Clock::time_point until = Clock::time_point::max();
            if (wants_next) until = retry_at_;
            if (is_dirty) until = std::min(until, sync_at);
            changed_.wait_until(lock, until);
        } else {
            changed_.wait(lock);
        }
    }
    if (dirty_.load(std::memory_order_acquire) || !sealed_.empty()) SyncNow(lock);
    Discard(std::move(next_));
    next_ = nullptr;
}

}  // namespace vf::usage
