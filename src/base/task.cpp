#include "base/task.hpp"

#include "base/log.hpp"

namespace vf {

void Spawn(Executor executor, Task<void> task, std::string name) {
    asio::co_spawn(executor, std::move(task), [name = std::move(name)](std::exception_ptr error) {
        if (!error) return;
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& e) {
            log::Error("task_failed", {{"task", name}, {"error", e.what()}});
        } catch (...) {
            log::Error("task_failed", {{"task", name}, {"error", "unknown exception"}});
        }
    });
}

Task<void> Sleep(std::chrono::steady_clock::duration duration) {
    Executor executor = co_await asio::this_coro::executor;
    SteadyTimer timer(executor);
    timer.expires_after(duration);
    co_await timer.async_wait(kAwaitTuple);
}

}  // namespace vf
