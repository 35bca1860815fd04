#pragma once
// Tells work in progress that nobody waits for its result any more. Owned together by the one who
// may cancel (the HTTP connection) and by whatever works; used on one loop, not thread-safe.

#include <functional>
#include <utility>
#include <vector>

namespace vf {

class CancelFlag {
public:
    bool cancelled() const { return cancelled_; }

    // Calls every callback once, in the order in which they were set. Later calls do nothing.
    void Cancel() {
        if (cancelled_) return;
        cancelled_ = true;
        for (const auto& callback : std::exchange(callbacks_, {})) callback();
    }

    // Calls `callback` at once when cancelled already.
    void OnCancel(std::function<void()> callback) {
        if (cancelled_) {
            callback();
        } else {
            callbacks_.push_back(std::move(callback));
        }
    }

private:
    bool cancelled_ = false;
    std::vector<std::function<void()>> callbacks_;
};

}  // namespace vf
