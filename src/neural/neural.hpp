#pragma once
// Neural models beside a running server: looks at the folder of installed models now and then and
// keeps the engines in step, so that a model that is installed or removed comes or goes without a
// restart. Loop thread only; reading and hashing go to a thread pool.

#include <chrono>
#include <filesystem>
#include <memory>

#include "base/settings.hpp"
#include "base/task.hpp"
#include "engines/engines.hpp"

namespace vf::neural {

struct ModelOptions {
    std::uint64_t max_bytes = 4ULL << 30;
    std::chrono::milliseconds poll_interval{1'000};
};
// Section "models". `options` must outlive `schema`.
void DeclareSettings(SettingsSchema& schema, ModelOptions& options);

class Models {
public:
    // `slow` and `engines` must outlive the loop's running.
    Models(asio::io_context& loop, asio::thread_pool& slow, engines::Engines& engines,
           const std::filesystem::path& data_dir, ModelOptions options);
    ~Models();
    Models(const Models&) = delete;
    Models& operator=(const Models&) = delete;

    // Looks for the first time and waits until what is there has been loaded or given up; goes on
    // looking until Stop(). Before a model is given to the engines, all of its files are compared
    // with its manifest's SHA-256; a damaged one is told in the log and left out.
    Task<void> Start();
    void Stop();

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace vf::neural
