#include "engines/engines.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "base/utf8.hpp"
#include "engines/job.hpp"
#include "engines/pool.hpp"
#include "engines/quarantine.hpp"

namespace vf::engines {
namespace {

std::vector<std::string> SplitNames(std::string_view list) {
    std::vector<std::string> names;
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        std::string name(list.substr(0, comma));
        std::erase(name, ' ');
        const bool is_sound =
            !name.empty() && name.size() <= 32 && std::ranges::all_of(name, [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
            });
        if (!is_sound) {
            throw std::runtime_error(
                fmt::format("engines.enable: \"{}\" is not the name of an engine", name));
        }
        if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return names;
}

std::string WorkerDir(const EngineOptions& options) {
    if (!options.worker_dir.empty()) return options.worker_dir;
    std::error_code ec;
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ec);
    return (self.parent_path().parent_path() / "libexec" / "voiceflow").string();
}

SpawnPlan PlanFor(const EngineOptions& options) {
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

Error Invalid(std::string code, std::string message) {
    return Error(ErrorKind::kInvalid, std::move(code), std::move(message));
}

Result<void> CheckText(const std::string& text) {
    if (text.empty()) return Invalid("empty_text", "There is nothing to speak.");
    if (text.size() > kMaxTextBytes) {
        return Invalid("text_too_long",
                       fmt::format("One segment has at most {} bytes.", kMaxTextBytes));
    }
    if (Utf8FindInvalid(text)) return Invalid("invalid_utf8", "The text is not valid UTF-8.");
    if (text.find('\0') != std::string::npos) {
        return Invalid("invalid_text", "The text has a NUL character.");
    }
    return {};
}

// The caller's side of a job.
class WorkerUtterance final : public Utterance {
public:
    explicit WorkerUtterance(std::shared_ptr<Job> job) : job_(std::move(job)) {}
    ~WorkerUtterance() override { job_->Cancel(); }

    int sample_rate() const override { return job_->sample_rate(); }
    Task<Result<std::optional<EngineChunk>>> Next() override { return job_->Next(); }

private:
    std::shared_ptr<Job> job_;
};

}  // namespace

Engines::Engines(asio::io_context& loop, EngineOptions options)
    : loop_(loop), options_(std::move(options)),
      quarantine_(std::make_unique<Quarantine>(static_cast<std::size_t>(options_.quarantine_size),
                                               options_.quarantine_time)) {
    const std::string folder = WorkerDir(options_);
    SpawnPlan plan = PlanFor(options_);
    for (std::string& name : SplitNames(options_.enable)) {
        plan.program = folder + "/voiceflow-worker-" + name;
        pools_.push_back(std::make_unique<Pool>(loop_, options_, std::move(name), plan, catalogue_,
                                                *quarantine_));
    }
}

Engines::~Engines() = default;

Task<void> Engines::Start() {
    const auto deadline = Job::Clock::now() + options_.start_timeout;
    for (const auto& pool : pools_) pool->Start();
    for (const auto& pool : pools_) co_await pool->WaitSettled(deadline);
}

Task<void> Engines::Stop() {
    stopping_ = true;
    for (const auto& pool : pools_) co_await pool->Stop();
}

bool Engines::ready() const {
    return std::ranges::any_of(pools_, [](const auto& pool) { return pool->serves(); });
}

Pool* Engines::PoolOf(const Voice& voice) const {
    for (const auto& pool : pools_) {
        if (pool->name() == voice.engine) return pool.get();
    }
    return nullptr;
}

Task<Result<std::unique_ptr<Utterance>>> Engines::Speak(SegmentRequest segment) {
    const Voice* voice = catalogue_.Find(segment.voice);
    Pool* pool = voice == nullptr ? nullptr : PoolOf(*voice);
    if (pool == nullptr) {
        co_return Error(ErrorKind::kNotFound, "voice_not_found", "There is no such voice.");
    }
    Result<void> checked = CheckText(segment.text);
    if (!checked) co_return std::move(checked).error();
    if (segment.pronunciations.empty() || !voice->phoneme_alphabet.empty()) {
        checked = CheckPronunciations(segment.pronunciations, segment.text);
    } else {
        checked = Invalid("invalid_pronunciation", "This voice takes no phonemes.");
    }
    if (!checked) co_return std::move(checked).error();
    Request request{std::move(segment.voice),
                    std::move(segment.text),
                    std::clamp(segment.speed, voice->speed_min, voice->speed_max),
                    std::clamp(segment.pitch, voice->pitch_min, voice->pitch_max),
                    segment.wants_events,
                    std::clamp(segment.pitch_range, voice->pitch_range_min, voice->pitch_range_max),
                    std::move(segment.pronunciations),
                    segment.seed};
    auto job = std::make_shared<Job>(loop_.get_executor(), *pool, std::move(request),
                                     voice->sample_rate, options_.segment_buffer);
    // From here on, leaving this function in any way cancels the job.
    std::unique_ptr<Utterance> utterance = std::make_unique<WorkerUtterance>(job);
    Result<void> taken = pool->Submit(job);
    if (!taken) {
        Error refusal = std::move(taken).error();
        job->Fail(refusal);
        co_return refusal;
    }
    co_await job->WaitStarted();
    if (job->state() == Job::State::kFailed && job->attempts() == 0) co_return job->error();
    co_return std::move(utterance);
}

std::vector<EngineStats> Engines::stats() const {
    std::vector<EngineStats> all;
    for (const auto& pool : pools_) all.push_back(pool->stats());
    return all;
}

std::vector<int> Engines::WorkerPidsForTest(const std::string& engine) const {
    for (const auto& pool : pools_) {
        if (pool->name() == engine) return pool->WorkerPids();
    }
    return {};
}

}  // namespace vf::engines
