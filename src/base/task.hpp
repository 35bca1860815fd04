#pragma once
// The coroutine type of the server and the few helpers every module needs around it.
//
// One io_context runs on one thread ("the loop"); every Task runs there unless its comment says
// otherwise. CPU work that would hold the loop longer than about a millisecond goes through
// Offload() to a thread pool and comes back to the loop.
// The rules for writing coroutines stand in CONTRIBUTING.md; scripts/lint checks them.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace vf {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

// The concrete executor: faster than any_io_executor, and work on a wrong thread is a type error.
using Executor = asio::io_context::executor_type;

template <class T = void>
using Task = asio::awaitable<T, Executor>;

using SteadyTimer =
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>, Executor>;

// Completion tokens: kAwait throws on error, kAwaitTuple returns (error_code, ...).
inline constexpr asio::use_awaitable_t<Executor> kAwait{};
inline constexpr asio::as_tuple_t<asio::use_awaitable_t<Executor>> kAwaitTuple{
    asio::use_awaitable_t<Executor>{}};

// Starts `task` on the loop and lets go of it. An exception that leaves it is logged under `name`
// and swallowed: one failed background job must not stop the server.
void Spawn(Executor executor, Task<void> task, std::string name);

// Waits for `duration` on the loop.
Task<void> Sleep(std::chrono::steady_clock::duration duration);

namespace detail {
template <class Fn>
struct OffloadState {
    using Value = std::invoke_result_t<Fn&>;
    Fn fn;
    std::exception_ptr error;
    std::optional<std::conditional_t<std::is_void_v<Value>, std::monostate, Value>> value;
};
}  // namespace detail

// Runs `fn` on `pool` and resumes the caller on its own loop with the value (or the exception).
// `fn` must not touch anything owned by the loop. Not interruptible: keep the pieces short.
template <class Fn>
Task<std::invoke_result_t<Fn&>> Offload(asio::thread_pool& pool, Fn fn) {
    using Value = std::invoke_result_t<Fn&>;
    auto state = std::make_shared<detail::OffloadState<Fn>>(
        detail::OffloadState<Fn>{std::move(fn), nullptr, std::nullopt});
    Executor loop = co_await asio::this_coro::executor;
    auto start = [](auto handler, asio::thread_pool* pool_, Executor loop_, auto state_) {
        auto work = [handler = std::move(handler), loop_, state_]() mutable {
            try {
                if constexpr (std::is_void_v<Value>) {
                    state_->fn();
                    state_->value.emplace();
                } else {
                    state_->value.emplace(state_->fn());
                }
            } catch (...) {
                state_->error = std::current_exception();
            }
            asio::post(loop_, std::move(handler));
        };
        asio::post(*pool_, std::move(work));
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
        start, kAwait, &pool, loop, state);
    if (state->error) {
        std::rethrow_exception(state->error);
    }
    if constexpr (!std::is_void_v<Value>) {
        co_return std::move(*state->value);
    }
}

// Runs one task to its end on a loop of its own: for tests and one-shot commands.
template <class T>
T RunTask(asio::io_context& loop, Task<T> task) {
    std::exception_ptr failure;
    if constexpr (std::is_void_v<T>) {
        asio::co_spawn(loop, std::move(task), [&](std::exception_ptr e) { failure = e; });
        loop.restart();
        loop.run();
        if (failure) std::rethrow_exception(failure);
    } else {
        std::optional<T> result;
        asio::co_spawn(loop, std::move(task), [&](std::exception_ptr e, T value) {
            failure = e;
            if (!e) result.emplace(std::move(value));
        });
        loop.restart();
        loop.run();
        if (failure) std::rethrow_exception(failure);
        return std::move(*result);
    }
}

}  // namespace vf
