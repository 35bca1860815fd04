#pragma once
// How many may store at once, and how many may wait for that. On the loop; the tasks that wait must
// end before it goes.

#include <chrono>
#include <deque>
#include <memory>
#include <utility>

#include "base/task.hpp"

namespace vf::blob {

class PutSlots {
public:
    PutSlots(std::int64_t at_once, std::int64_t waiting) : free_(at_once), room_(waiting) {}

    // False when too many wait, or none came free in time. First come, first served.
    Task<bool> Acquire(std::chrono::milliseconds patience) {
        if (free_ > 0) {
            --free_;
            co_return true;
        }
        if (room_ <= 0) co_return false;
        --room_;
        const Executor executor = co_await asio::this_coro::executor;
        auto waiter = std::make_shared<Waiter>(executor);
        waiter->timer.expires_after(patience);
        waiters_.push_back(waiter);
        co_await waiter->timer.async_wait(kAwaitTuple);
        ++room_;
        waiter->has_left = true;
        co_return waiter->has_slot;
    }

    void Release() {
        while (!waiters_.empty()) {
            const std::shared_ptr<Waiter> next = std::move(waiters_.front());
            waiters_.pop_front();
            if (next->has_left) continue;
            next->has_slot = true;
            next->timer.cancel();
            return;
        }
        ++free_;
    }

private:
    struct Waiter {
        explicit Waiter(Executor executor) : timer(executor) {}
        SteadyTimer timer;
        bool has_slot = false;
        bool has_left = false;
    };
    std::int64_t free_;
    std::int64_t room_;
    std::deque<std::shared_ptr<Waiter>> waiters_;
};

}  // namespace vf::blob
