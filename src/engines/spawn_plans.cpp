#include "engines/spawn_plans.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <thread>

namespace vf::engines {
namespace {

constexpr std::int64_t kModelRecycling = 100;  // times engines.recycle_after
constexpr std::chrono::milliseconds kModelCancelGrace{2'000};
constexpr std::chrono::milliseconds kAlignmentTime{300'000};
constexpr std::uint64_t kAlignmentMemory = 1ULL << 30U;

std::filesystem::path WorkerDir(const EngineOptions& options) {
    if (!options.worker_dir.empty()) return options.worker_dir;
    std::error_code ec;
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ec);
    return self.parent_path().parent_path() / "libexec" / "voiceflow";
}

int ThreadsOfModel(const EngineOptions& options) {
    const auto cores = static_cast<std::int64_t>(std::max(1U, std::thread::hardware_concurrency()));
    return static_cast<int>(std::max<std::int64_t>(1, cores / options.model_workers));
}

}  // namespace

std::string WorkerProgram(const EngineOptions& options, std::string_view engine) {
    return (WorkerDir(options) / ("voiceflow-worker-" + std::string(engine))).string();
}

SpawnPlan PlanForEngine(const EngineOptions& options) {
    SpawnPlan plan;
    plan.memory_limit = options.memory_limit;
    plan.cpu_seconds = static_cast<std::uint64_t>(options.segment_timeout.count()) / 1'000 + 1;
    if (geteuid() != 0) return plan;
    const passwd* user = getpwnam(options.worker_user.c_str());
    if (user == nullptr || user->pw_uid == 0) {
        throw std::runtime_error(fmt::format(
            "engines.worker_user: there is no unprivileged user \"{}\"", options.worker_user));
    }
    plan.uid = user->pw_uid;
    plan.gid = user->pw_gid;
    return plan;
}

SpawnPlan PlanForModel(const EngineOptions& options, const std::string& folder) {
    SpawnPlan plan = PlanForEngine(options);
    plan.program = WorkerProgram(options, kModelEngine);
    plan.model_folder = folder;
    // <prefix>/libexec/voiceflow has its libraries in <prefix>/lib/voiceflow.
    const std::filesystem::path prefix = WorkerDir(options).parent_path().parent_path();
    plan.library_folder = (prefix / "lib" / "voiceflow").string();
    plan.threads = ThreadsOfModel(options);
    plan.memory_limit = options.model_memory_limit;
    plan.cpu_seconds *= static_cast<std::uint64_t>(plan.threads);
    return plan;
}

EngineOptions OptionsForModel(const EngineOptions& options) {
    EngineOptions own = options;
    own.workers_per_engine = options.model_workers;
    own.start_timeout = options.model_start_timeout;
    own.first_chunk_timeout = options.segment_timeout;  // a sentence comes in one piece
    own.recycle_after = options.recycle_after * kModelRecycling;
    own.cancel_grace = std::max(options.cancel_grace, kModelCancelGrace);
    return own;
}

EngineOptions OptionsForAligner(const EngineOptions& options) {
    EngineOptions own = options;
    own.segment_timeout = std::max(options.segment_timeout, kAlignmentTime);
    own.segment_audio = options.alignment_audio;
    own.workers_per_engine = 1;
    own.memory_limit = std::max(options.memory_limit, kAlignmentMemory);
    return own;
}

}  // namespace vf::engines
