#include "engines/engines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "base/utf8.hpp"
#include "engines/job.hpp"
#include "engines/pool.hpp"
#include "engines/quarantine.hpp"
#include "engines/spawn_plans.hpp"

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
    SpawnPlan plan = PlanForEngine(options_);
    for (std::string& name : SplitNames(options_.enable)) {
        plan.program = WorkerProgram(options_, name);
        pools_.push_back(std::make_shared<Pool>(loop_, options_, std::move(name), "", plan,
                                                catalogue_, *quarantine_));
    }
    if (!options_.alignment) return;
    const EngineOptions own = OptionsForAligner(options_);
    plan = PlanForEngine(own);
    plan.program = WorkerProgram(own, kAligner);
    if (access(plan.program.c_str(), X_OK) != 0) return;
    aligner_ = std::make_unique<Pool>(loop_, own, kAligner, "", plan, catalogue_, *quarantine_);
}

Engines::~Engines() = default;

Task<void> Engines::Start() {
    const auto deadline = Job::Clock::now() + options_.start_timeout;
    const std::vector<std::shared_ptr<Pool>> pools = pools_;
    for (const auto& pool : pools) pool->Start();
    for (const auto& pool : pools) co_await pool->WaitSettled(deadline);
}

Task<void> Engines::Stop() {
    stopping_ = true;
    const std::vector<std::shared_ptr<Pool>> pools = pools_;
    for (const auto& pool : pools) co_await pool->Stop();
    if (aligner_) co_await aligner_->Stop();
}

void Engines::AddModel(const ModelSpec& model) {
    if (stopping_) return;
    pools_.push_back(std::make_shared<Pool>(loop_, OptionsForModel(options_), kModelEngine,
                                            model.id, PlanForModel(options_, model.folder),
                                            catalogue_, *quarantine_));
    pools_.back()->Start();
}

void Engines::RemoveModel(const std::string& id) {
    for (const auto& pool : pools_) {
        if (pool->model() != id || id.empty() || pool->retired()) continue;
        pool->Retire();
        Spawn(loop_.get_executor(), Drain(alive_, this, pool), "drain_model");
    }
}

// Requests that began with the model's voices come back for each of their sentences, so the pool
// stays for as long as one may take.
Task<void> Engines::Drain(std::weak_ptr<bool> alive, Engines* self, std::shared_ptr<Pool> pool) {
    const std::chrono::milliseconds rest = pool->options().segment_timeout;
    co_await Sleep(rest);
    if (alive.expired()) co_return;
    co_await pool->Stop();
    if (!alive.expired()) std::erase(self->pools_, pool);
}

Task<void> Engines::WaitModels() {
    const auto deadline = Job::Clock::now() + options_.model_start_timeout;
    const std::vector<std::shared_ptr<Pool>> pools = pools_;
    for (const auto& pool : pools) {
        const bool is_model = !pool->model().empty() && !pool->retired();
        if (is_model) co_await pool->WaitSettled(deadline);
    }
}

bool Engines::ready() const {
    return std::ranges::any_of(pools_, [](const auto& pool) { return pool->serves(); });
}

Pool* Engines::PoolOf(const Voice& voice) const {
    Pool* retired = nullptr;
    for (const auto& pool : pools_) {
        if (pool->engine() != voice.engine || pool->model() != voice.model) continue;
        if (!pool->retired()) return pool.get();
        retired = pool.get();
    }
    return retired;
}

Task<Result<std::unique_ptr<Utterance>>> Engines::Speak(SegmentRequest segment) {
    const Voice* voice = catalogue_.Find(segment.voice);
    if (voice == nullptr) voice = catalogue_.FindRetired(segment.voice);
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
    if (has_aligner_started_) all.push_back(aligner_->stats());
    return all;
}

std::vector<int> Engines::WorkerPidsForTest(const std::string& name) const {
    for (const auto& pool : pools_) {
        if (pool->name() == name) return pool->WorkerPids();
    }
    if (aligner_ && name == kAligner) return aligner_->WorkerPids();
    return {};
}

}  // namespace vf::engines
