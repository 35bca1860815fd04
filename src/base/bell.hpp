#pragma once
// What one coroutine waits on for something to happen, or for a time to pass. A ring that comes
// while nobody waits is not lost: the next Wait() returns at once. On one loop, not thread-safe;
// must outlive the wait.

#include <chrono>

#include "base/task.hpp"

namespace vf {

class Bell {
public:
    explicit Bell(Executor executor) : timer_(executor) {}

    void Ring() {
        rung_ = true;
        timer_.cancel();
    }

    // True when it rang, false when `limit` has passed. At most one Wait() at a time.
    Task<bool> Wait(std::chrono::steady_clock::duration limit) {
        if (!rung_) {
            timer_.expires_after(limit);
            co_await timer_.async_wait(kAwaitTuple);
        }
        co_return std::exchange(rung_, false);
    }

private:
    SteadyTimer timer_;
    bool rung_ = false;
};

}  // namespace vf
