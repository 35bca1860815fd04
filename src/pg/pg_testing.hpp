#pragma once
// For tests of what needs a real PostgreSQL: a private cluster in a temporary folder, and a pool
// that lives for one coroutine.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "pg/blocking.hpp"
#include "pg/pg.hpp"
#include "pg/private_cluster.hpp"

namespace vf::pg {

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif
#else
inline constexpr bool kThreadSanitizer = false;
#endif

class TempDir {
public:
    TempDir() {
        std::string pattern = (std::filesystem::temp_directory_path() / "vf_pg_XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    ~TempDir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

// A cluster in a folder of its own, gone with the object. Start() again after Stop() finds the
// data.
class TestCluster {
public:
    TestCluster() : lock_(DataDirLock::Acquire(dir_.path()).value()) { Start(); }
    ~TestCluster() {
        Stop();
        std::error_code ignored;
        std::filesystem::remove_all(socket_dir_, ignored);
    }
    void Start() {
        auto started = PrivateCluster::Start(lock_, {});
        if (!started) throw std::runtime_error(started.error().message());
        cluster_ = std::move(started).value();
        const std::string& url = cluster_->url();
        socket_dir_ = url.substr(url.find("host=") + 5);
    }
    void Stop() { cluster_.reset(); }
    PrivateCluster& operator*() { return *cluster_; }
    PrivateCluster* operator->() { return cluster_.get(); }
    const DataDirLock& lock() const { return lock_; }
    const std::filesystem::path& dir() const { return lock_.data_dir(); }

private:
    TempDir dir_;
    DataDirLock lock_;
    std::unique_ptr<PrivateCluster> cluster_;
    std::string socket_dir_;
};

// One for all tests of a program that leave it as they found it.
inline TestCluster& SharedCluster() {
    static TestCluster cluster;
    return cluster;
}

// One parameter, made by a constructor: what a statement with co_await may contain.
struct IntParam : Params {
    explicit IntParam(std::int64_t value) { Int(value); }
};
struct TextParam : Params {
    explicit TextParam(std::string_view value) { Text(value); }
};

template <class Body>
Task<void> RunAndClose(Pool* pool, Body body) {
    constexpr std::chrono::seconds kLong{20};
    std::exception_ptr failure;
    try {
        co_await pool->WaitAvailable(kLong);
        co_await body(pool);
    } catch (...) {
        failure = std::current_exception();
    }
    pool->Close();
    if (failure) std::rethrow_exception(failure);
}

// Runs `body(Pool*)`, a coroutine without captures, with a pool that is connected.
template <class Body>
void WithPool(PoolOptions options, Body body) {
    asio::io_context loop;
    Pool pool(loop, std::move(options));
    RunTask(loop, RunAndClose(&pool, body));
}

inline PoolOptions OptionsFor(const std::string& url) {
    PoolOptions options;
    options.url = url;
    return options;
}

// What a query threw: its SQLSTATE, the code of DatabaseUnavailable, or "" when it succeeded.
inline Task<std::string> Outcome(Task<Rows> query) {
    try {
        co_await std::move(query);
    } catch (const QueryError& e) {
        co_return e.sqlstate();
    } catch (const DatabaseUnavailable& e) {
        co_return e.error.code();
    }
    co_return "";
}

}  // namespace vf::pg
