#pragma once
// The journal's own thread: syncs what was written at most every sync_interval, allocates the next
// segment ahead, and finds out when a full or failing disk is well again.

#include <prometheus/histogram.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "usage/journal.hpp"
#include "usage/segment.hpp"

namespace vf::usage {

class JournalKeeper {
public:
    enum class Trouble : int { kNone, kFull, kFailed };

    // `sequence` is that of the segment that comes after `current`.
    JournalKeeper(const JournalOptions& options, FileCalls& files, NodeId node,
                  std::shared_ptr<SegmentFile> current, std::uint64_t sequence,
                  prometheus::Histogram& sync_seconds);
    // Syncs everything; removes the segment that was allocated ahead.
    ~JournalKeeper();
    JournalKeeper(const JournalKeeper&) = delete;
    JournalKeeper& operator=(const JournalKeeper&) = delete;

    // The rest is for the loop.
    void Written() {
        if (!dirty_.exchange(true, std::memory_order_release)) Wake();
    }
    // The segment to go on with; null while there is none. The former one is closed once synced.
    std::shared_ptr<SegmentFile> TakeNext();
    // A write failed with `error`: Trouble until a new segment could be made.
    void Report(int error);
    Trouble trouble() const { return trouble_.load(std::memory_order_acquire); }
    // True once after a sync failed: the present segment is not to be written any longer.
    bool TakeSyncFailure() { return sync_failed_.exchange(false, std::memory_order_acq_rel); }

private:
    using Clock = std::chrono::steady_clock;

    void Run();
    void Wake();
    void MakeNext(std::unique_lock<std::mutex>& lock);
    void SyncNow(std::unique_lock<std::mutex>& lock);
    void Discard(std::shared_ptr<SegmentFile> segment) const;

    const JournalOptions options_;
    FileCalls& files_;
    const NodeId node_;
    prometheus::Histogram& sync_seconds_;
    std::atomic<bool> dirty_{false};
    std::atomic<bool> sync_failed_{false};
    std::atomic<Trouble> trouble_{Trouble::kNone};

    std::mutex mutex_;  // of everything below, but for the thread
    std::condition_variable changed_;
    std::shared_ptr<SegmentFile> current_;
    std::vector<std::shared_ptr<SegmentFile>> sealed_;  // written to the end, not yet synced
    std::shared_ptr<SegmentFile> next_;
    std::uint64_t sequence_;
    Clock::time_point retry_at_{};
    bool stop_ = false;
    std::thread thread_;
};

}  // namespace vf::usage
