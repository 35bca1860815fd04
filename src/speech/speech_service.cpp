#include "speech/speech_service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "engines/engines.hpp"
#include "engines/unknown_voices.hpp"
#include "speech/fallback.hpp"
#include "speech/live_speech.hpp"
#include "speech/plan.hpp"
#include "speech/render.hpp"

namespace vf::speech {
namespace {

const prometheus::Histogram::BucketBoundaries kDurations{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                                         1,     2.5,  5,     10,   30,  60};
const prometheus::Histogram::BucketBoundaries kAudioSeconds{0.5, 1, 2.5, 5, 10, 30, 60, 120, 300};

struct Metrics {
    prometheus::Family<prometheus::Counter>& requests =
        prometheus::BuildCounter()
            .Name("voiceflow_tts_requests_total")
            .Help("Speeches, by engine, format and how they ended.")
            .Register(metrics::Registry());
    prometheus::Family<prometheus::Histogram>& duration =
        prometheus::BuildHistogram()
            .Name("voiceflow_tts_request_duration_seconds")
            .Help("From the request to the last byte of its audio.")
            .Register(metrics::Registry());
    prometheus::Family<prometheus::Histogram>& first_byte =
        prometheus::BuildHistogram()
            .Name("voiceflow_tts_first_byte_seconds")
            .Help("From the request to the first byte of its audio.")
            .Register(metrics::Registry());
    prometheus::Family<prometheus::Histogram>& audio =
        prometheus::BuildHistogram()
            .Name("voiceflow_tts_audio_duration_seconds")
            .Help("Seconds of audio a speech has.")
            .Register(metrics::Registry());
    prometheus::Counter& characters = prometheus::BuildCounter()
                                          .Name("voiceflow_tts_characters_total")
                                          .Help("Characters of the texts that were spoken.")
                                          .Register(metrics::Registry())
                                          .Add({});
    prometheus::Gauge& at_work = prometheus::BuildGauge()
                                     .Name("voiceflow_tts_at_work")
                                     .Help("Speeches that are rendered or wait to be.")
                                     .Register(metrics::Registry())
                                     .Add({});
};

// Puts the exact header, known only at the end, over the one the encoder began with.
void PutHeader(const Speech& speech, std::string& body) {
    const std::string& header = speech.exact_header;
    if (header.size() <= body.size()) body.replace(0, header.size(), header);
}

// What a live speech's sentences are found by.
std::string SpokenLanguage(const SpeechRequest& request, const SpeechPlan& plan) {
    const bool is_named = !request.language.empty() && request.language != kAutoLanguage;
    if (is_named) return request.language;
    const std::vector<std::string>& languages = plan.voice().languages;
    return languages.empty() ? "en" : languages.front();
}

const char* Outcome(const BytePipe& pipe) {
    if (pipe.complete()) return "ok";
    return pipe.abandoned() ? "cancelled" : "failed";
}

// A voice that nobody knows while the team's own could not be read.
Result<void> CheckKnown(const SpeechRequest& request, const engines::Catalogue& catalogue) {
    if (request.own_voices != engines::UnknownVoices()) return {};
    const auto is_known = [&](const std::string& id) { return id.empty() || catalogue.Find(id); };
    const bool are_known =
        is_known(request.voice) && std::ranges::all_of(request.turns, is_known, &SpeechTurn::voice);
    if (are_known) return {};
    return Error(ErrorKind::kUnavailable, "voices_unavailable",
                 "The team's own voices cannot be read now. Try again in a moment.")
        .RetryAfter(std::chrono::seconds(1));
}

// A speech that may have to be spoken by another voice.
struct Reserve {
    SpeechRequest request;
    Fallback fallback;
};

}  // namespace

struct SpeechService::Impl {
    asio::io_context& loop;
    engines::Engines& engines;
    asio::thread_pool& dsp;
    SpeechOptions options;
    const Metering& metering;
    engines::VoiceSource* team_voices;
    Metrics metrics{};
    std::size_t at_work = 0;

    void Record(const Speech& speech, std::chrono::steady_clock::duration took) {
        const std::string format(audio::InfoOf(speech.format).name);
        metrics.requests
            .Add(
                {{"engine", speech.engine}, {"format", format}, {"outcome", Outcome(*speech.pipe)}})
            .Increment();
        if (!speech.pipe->complete()) return;
        metrics.duration.Add({{"engine", speech.engine}}, kDurations)
            .Observe(std::chrono::duration<double>(took).count());
        metrics.audio.Add({{"engine", speech.engine}}, kAudioSeconds).Observe(speech.seconds());
        metrics.characters.Increment(static_cast<double>(speech.characters));
    }

    bool IsFull() const { return at_work >= static_cast<std::size_t>(options.max_concurrent); }

    Result<void> IsOpen() const {
        if (!engines.ready()) {
            return Error(ErrorKind::kUnavailable, "engines_starting",
                         "No speech engine is ready yet. Try again in a moment.")
                .RetryAfter(std::chrono::seconds(1));
        }
        if (IsFull()) {
            return Error(ErrorKind::kUnavailable, "server_busy",
                         "The server has all the speech it can work on. Try again in a moment.")
                .RetryAfter(std::chrono::seconds(1));
        }
        return {};
    }

    std::shared_ptr<Speech> NewSpeech(const SpeechRequest& request, const SpeechPlan& plan) const {
        auto speech = std::make_shared<Speech>();
        speech->operation = request.operation.value_or(OperationId::New());
        speech->SpeakWith(plan.voice());
        speech->format = plan.format;
        speech->sample_rate = plan.sample_rate;
        speech->characters = plan.characters;
        speech->warnings = plan.warnings;
        speech->pipe = std::make_shared<BytePipe>(loop.get_executor(), options.pipe_bytes);
        return speech;
    }

    void Count(int change) {
        at_work += static_cast<std::size_t>(change);
        metrics.at_work.Set(static_cast<double>(at_work));
    }

    engines::VoiceView ViewOf(const SpeechRequest& request) const {
        return {engines.catalogue(), request.own_voices};
    }

    // Null: there is nobody who may speak instead.
    std::shared_ptr<Reserve> ReserveFor(const SpeechRequest& request,
                                        const SpeechPlan& plan) const {
        if (!request.own_voices || !request.turns.empty()) return nullptr;
        Fallback fallback(ViewOf(request), plan.voice(), plan.styles.front().language,
                          options.default_voice);
        if (fallback.is_empty()) return nullptr;
        return std::make_shared<Reserve>(Reserve{request, std::move(fallback)});
    }

    // The plan of the next voice that can have one. Null: the error stands.
    std::shared_ptr<const SpeechPlan> Instead(Speech& speech, Reserve* reserve,
                                              const Error& error) const {
        if (!reserve || speech.pipe->abandoned()) return nullptr;
        while (const std::optional<std::string> next = reserve->fallback.Next(error)) {
            reserve->request.voice = *next;
            Result<SpeechPlan> made = MakePlan(reserve->request, ViewOf(reserve->request), options);
            if (!made) continue;
            speech.SpeakInstead(made->voice(), error);
            return std::make_shared<const SpeechPlan>(*std::move(made));
        }
        return nullptr;
    }

    // As Instead, for a speech whose plans are made sentence by sentence.
    bool NextVoice(Speech& speech, Reserve* reserve, const Error& error) const {
        if (!reserve || speech.pipe->abandoned()) return false;
        while (const std::optional<std::string> next = reserve->fallback.Next(error)) {
            reserve->request.voice = *next;
            const Result<SpeechPlan> plan =
                MakePlanWithoutText(reserve->request, ViewOf(reserve->request), options);
            if (!plan) continue;
            speech.SpeakInstead(plan->voice(), error);
            return true;
        }
        return false;
    }

    static Task<void> Run(Impl* self, std::shared_ptr<Speech> speech,
                          std::shared_ptr<const SpeechPlan> plan,
                          std::shared_ptr<Reserve> reserve) {
        const auto started = std::chrono::steady_clock::now();
        self->Count(1);
        while (plan) {
            const std::optional<Error> refusal =
                co_await Render(speech, std::move(plan), &self->engines, &self->dsp);
            if (!refusal) break;
            plan = self->Instead(*speech, reserve.get(), *refusal);
            if (!plan) speech->pipe->Fail(*refusal);
        }
        self->Count(-1);
        self->Record(*speech, std::chrono::steady_clock::now() - started);
    }
};

SpeechService::SpeechService(asio::io_context& loop, engines::Engines& engines,
                             asio::thread_pool& dsp, const SpeechOptions& options,
                             const Metering& metering, engines::VoiceSource* team_voices)
    : impl_(std::make_unique<Impl>(Impl{loop, engines, dsp, options, metering, team_voices})) {}

SpeechService::~SpeechService() = default;

std::size_t SpeechService::at_work() const {
    return impl_->at_work;
}

Task<engines::VoiceView> SpeechService::Voices(TeamId team) {
    std::optional<engines::TeamVoicesPtr> own = engines::TeamVoicesPtr();
    if (impl_->team_voices) own = impl_->team_voices->TryLoad(team);
    if (!own) own = co_await impl_->team_voices->Load(team);
    co_return engines::VoiceView(impl_->engines.catalogue(), *std::move(own));
}

// A request brings its team's voices along, for the plans that are made of it.
Task<void> SpeechService::LoadVoices(SpeechRequest* request) {
    engines::VoiceSource* source = impl_->team_voices;
    if (!source || !request->caller.known()) co_return;
    std::optional<engines::TeamVoicesPtr> own = source->TryLoad(request->caller.team);
    if (!own) own = co_await source->Load(request->caller.team);
    request->own_voices = *std::move(own);
}

Task<Result<std::shared_ptr<Speech>>> SpeechService::Start(SpeechRequest request) {
    const Result<void> open = impl_->IsOpen();
    if (!open) co_return open.error();
    co_await LoadVoices(&request);
    const Result<void> known = CheckKnown(request, impl_->engines.catalogue());
    if (!known) co_return known.error();
    Result<SpeechPlan> made = MakePlan(request, impl_->ViewOf(request), impl_->options);
    if (!made) co_return std::move(made).error();
    auto plan = std::make_shared<const SpeechPlan>(*std::move(made));
    std::shared_ptr<Speech> speech = impl_->NewSpeech(request, *plan);
    Result<std::unique_ptr<Meter>> meter = co_await AdmitSpeech(impl_->metering, request, *speech);
    if (!meter) co_return std::move(meter).error();
    speech->meter = *std::move(meter);
    std::shared_ptr<Reserve> reserve = impl_->ReserveFor(request, *plan);
    Spawn(impl_->loop.get_executor(), Impl::Run(impl_.get(), speech, plan, std::move(reserve)),
          "speech");
    co_return speech;
}

Task<Result<std::unique_ptr<LiveSpeech>>> SpeechService::StartLive(SpeechRequest request,
                                                                   LivePolicy policy) {
    const Result<void> open = impl_->IsOpen();
    if (!open) co_return open.error();
    co_await LoadVoices(&request);
    const Result<void> known = CheckKnown(request, impl_->engines.catalogue());
    if (!known) co_return known.error();
    Result<SpeechPlan> plan = MakePlanWithoutText(request, impl_->ViewOf(request), impl_->options);
    if (!plan) co_return std::move(plan).error();
    std::shared_ptr<Speech> speech = impl_->NewSpeech(request, *plan);
    std::string language = SpokenLanguage(request, *plan);
    Impl* impl = impl_.get();
    LiveMeans means{impl->engines, impl->dsp, impl->options, impl->metering, {}, {}, {}, {}};
    means.begin_work = [impl] {
        if (impl->IsFull()) return false;
        impl->Count(1);
        return true;
    };
    means.instead = [impl, reserve = impl->ReserveFor(request, *plan)](Speech& refused,
                                                                       const Error& error) {
        return impl->NextVoice(refused, reserve.get(), error);
    };
    means.end_work = [impl] { impl->Count(-1); };
    const auto started = std::chrono::steady_clock::now();
    means.record = [impl, started](const Speech& done) {
        impl->Record(done, std::chrono::steady_clock::now() - started);
    };
    co_return MakeLiveSpeech(impl->loop.get_executor(), std::move(means), std::move(request),
                             std::move(policy), std::move(speech), std::move(language));
}

Task<Result<void>> SpeechService::WaitForAudio(std::shared_ptr<Speech> speech) {
    const auto started = std::chrono::steady_clock::now();
    co_await speech->pipe->WaitReady();
    if (speech->pipe->failed() && speech->pipe->queued_bytes() == 0) {
        co_return *speech->pipe->error();
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    impl_->metrics.first_byte.Add({{"engine", speech->engine}}, kDurations).Observe(took.count());
    co_return Result<void>();
}

std::optional<std::string> SpeechService::TakeIfComplete(Speech& speech) {
    if (!speech.pipe->complete()) return std::nullopt;
    std::string body = speech.pipe->TakeAll();
    PutHeader(speech, body);
    return body;
}

Task<Result<std::string>> SpeechService::Collect(std::shared_ptr<Speech> speech) {
    std::string body;
    for (;;) {
        std::optional<std::string> chunk = co_await speech->pipe->Read();
        if (!chunk) break;
        if (body.size() + chunk->size() > impl_->options.max_whole_bytes) {
            speech->pipe->Abandon();
            co_return Error(ErrorKind::kInvalid, "audio_too_long",
                            "The audio is too long for one whole reply. Use the streaming route, a "
                            "compressed format, or less text.");
        }
        body += *chunk;
    }
    if (speech->pipe->failed()) co_return *speech->pipe->error();
    if (!speech->pipe->complete()) {
        co_return Error(ErrorKind::kUnavailable, "cancelled", "The speech was cancelled.");
    }
    PutHeader(*speech, body);
    if (speech->meter) {
        const Result<void> marked = speech->meter->Mark(*speech, speech->characters);
        if (!marked) co_return marked.error();
    }
    co_return body;
}

}  // namespace vf::speech
