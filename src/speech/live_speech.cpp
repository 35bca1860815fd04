#include "speech/live_speech.hpp"

#include <fmt/format.h>

#include <deque>

#include "base/log.hpp"
#include "base/utf8.hpp"
#include "speech/context.hpp"
#include "speech/live_text.hpp"
#include "speech/render.hpp"

namespace vf::speech {
namespace {

struct Flushed {
    std::size_t end;  // bytes of the text
    std::function<void()> call;
};

// Shared by the dialect's handle and the coroutine that speaks.
struct State {
    State(Executor loop, LiveMeans with, SpeechRequest first, LivePolicy policy,
          std::shared_ptr<Speech> owner, std::string language)
        : means(std::move(with)), request(std::move(first)), speech(std::move(owner)),
          text(std::move(policy), std::move(language), request.markup != Markup::kPlain),
          changed(loop) {}

    LiveMeans means;
    SpeechRequest request;
    std::shared_ptr<Speech> speech;
    LiveText text;
    std::deque<LiveText::Part> parts;  // to be spoken
    std::deque<Flushed> flushed;
    std::size_t appended = 0;   // characters
    std::size_t spoken = 0;     // characters of what was spoken
    std::size_t spoken_to = 0;  // bytes of the text
    bool ended = false;
    bool cancelled = false;
    bool is_generating = false;
    SteadyTimer changed;  // never expires; cancelled to wake the coroutine

    void Wake() { changed.cancel(); }
    void Queue(LiveText::Part part) {
        if (part.empty()) return;
        parts.push_back(part);
        Wake();
    }
    bool is_over() const {
        return cancelled || speech->pipe->abandoned() || speech->pipe->failed();
    }
    void CallFlushed() {
        while (!flushed.empty() && flushed.front().end <= spoken_to) {
            const auto call = std::move(flushed.front().call);
            flushed.pop_front();
            if (call) call();
        }
    }
};

// What stood before decides how a part that comes later is joined.
text::Pause PauseAfter(std::string_view spoken) {
    while (!spoken.empty() && (spoken.back() == ' ' || spoken.back() == '\n')) {
        spoken.remove_suffix(1);
    }
    if (spoken.empty()) return text::Pause::kNone;
    constexpr std::string_view kEnds = ".!?:\"')]";
    const bool is_wide = static_cast<unsigned char>(spoken.back()) >= 0x80;
    if (is_wide || kEnds.find(spoken.back()) != std::string_view::npos)
        return text::Pause::kSentence;
    constexpr std::string_view kClauses = ",;";
    return kClauses.find(spoken.back()) != std::string_view::npos ? text::Pause::kClause
                                                                  : text::Pause::kNone;
}

// The plan of a part: its text alone, in the sound that was chosen at the start. An error with the
// code text_not_speakable is none: there is nothing to say.
Result<SpeechPlan> PlanOf(State& state, LiveText::Part part) {
    SpeechRequest request = state.request;
    request.text = state.text.all().substr(part.begin, part.end - part.begin);
    request.voice = state.speech->voice;
    // A part of a document has no root of its own.
    constexpr std::string_view kOpen = "<speak>";
    const bool lacks_root =
        request.markup == Markup::kSsml && request.text.find("<speak") == std::string::npos;
    if (lacks_root) request.text = fmt::format("{}{}</speak>", kOpen, request.text);
    request.max_characters = std::max(request.max_characters, request.text.size());
    Result<SpeechPlan> plan = MakePlan(
        request, {state.means.engines.catalogue(), request.own_voices}, state.means.options);
    if (plan && lacks_root)
        KeepPart(plan->text, kOpen.size(), kOpen.size() + part.end - part.begin);
    if (plan && state.spoken_to > 0) {
        text::Segment& first = plan->text.segments.front();
        first.before = PauseAfter(std::string_view(state.text.all()).substr(0, part.begin));
        if (plan->text.lead.count() > 0) first.pause = plan->text.lead;
        plan->text.lead = {};
    }
    return plan;
}

// Whether the speech may go on with so many characters; its meter is there afterwards.
Task<Result<void>> AdmitPart(std::shared_ptr<State> state, std::size_t characters) {
    Speech& speech = *state->speech;
    const SpeechRequest& request = state->request;
    if (speech.meter) {
        if (!speech.meter->is_resting()) speech.meter->Rest(speech, state->spoken);
        co_return co_await AdmitMore(state->means.metering, request, speech, characters);
    }
    const std::size_t before = speech.characters;
    speech.characters = characters;
    Result<std::unique_ptr<Meter>> meter =
        co_await AdmitSpeech(state->means.metering, request, speech);
    speech.characters = before;
    if (!meter) co_return meter.error();
    speech.meter = *std::move(meter);
    co_return Result<void>();
}

// Speaks a plan of the part, by whoever can. False when nothing more shall be spoken.
Task<bool> SpeakPlan(std::shared_ptr<State> state, Renderer* renderer, LiveText::Part part,
                     SpeechPlan first) {
    Speech& speech = *state->speech;
    const std::size_t base = part.begin;
    const std::size_t before = state->spoken;
    Result<SpeechPlan> made = std::move(first);
    for (;;) {
        auto plan = std::make_shared<const SpeechPlan>(*std::move(made));
        const bool go_on = co_await renderer->Speak(plan, base, before);
        const std::optional<Error> refusal = renderer->TakeRefusal();
        if (!refusal) co_return go_on;
        const bool has_other = state->means.instead && state->means.instead(speech, *refusal);
        if (!has_other) {
            speech.pipe->Fail(*refusal);
            co_return false;
        }
        made = PlanOf(*state, part);
        if (!made) {
            speech.pipe->Fail(made.error());
            co_return false;
        }
    }
}

// False when nothing more shall be spoken.
Task<bool> SpeakPart(std::shared_ptr<State> state, Renderer* renderer, LiveText::Part part) {
    Speech& speech = *state->speech;
    Result<SpeechPlan> made = PlanOf(*state, part);
    const bool is_silent = !made && made.error().code() == "text_not_speakable";
    if (is_silent) co_return true;
    if (!made) {
        speech.pipe->Fail(made.error());
        co_return false;
    }
    const Result<void> admitted = co_await AdmitPart(state, made->characters);
    if (!admitted) {
        speech.pipe->Fail(admitted.error());
        co_return false;
    }
    for (const std::string& warning : made->warnings) speech.warnings.push_back(warning);
    const std::size_t characters = made->characters;
    speech.characters += characters;
    const bool go_on = co_await SpeakPlan(state, renderer, part, *std::move(made));
    state->spoken += characters;
    co_return go_on;
}

Task<bool> SpeakParts(std::shared_ptr<State> state, Renderer* renderer) {
    while (!state->parts.empty() && !state->is_over()) {
        const LiveText::Part part = state->parts.front();
        state->parts.pop_front();
        const bool go_on = co_await SpeakPart(state, renderer, part);
        if (!go_on) co_return false;
        state->spoken_to = part.end;
        if (state->parts.empty() && !state->ended && renderer->has_begun()) {
            const bool rested = co_await renderer->Rest();
            if (!rested) co_return false;
        }
        if (!state->parts.empty() || !state->ended) state->CallFlushed();
    }
    co_return !state->is_over();
}

Task<void> SpeakAll(std::shared_ptr<State> state, Renderer* renderer) {
    Speech& speech = *state->speech;
    for (;;) {
        while (state->parts.empty() && !state->ended && !state->is_over()) {
            state->changed.expires_at(std::chrono::steady_clock::time_point::max());
            co_await state->changed.async_wait(kAwaitTuple);
        }
        if (state->is_over()) co_return;
        if (state->parts.empty()) break;
        if (!state->means.begin_work()) {
            speech.pipe->Fail(
                Error(ErrorKind::kUnavailable, "server_busy",
                      "The server has all the speech it can work on. Try again in a moment.")
                    .RetryAfter(std::chrono::seconds(1)));
            co_return;
        }
        state->is_generating = true;
        const bool go_on = co_await SpeakParts(state, renderer);
        state->is_generating = false;
        state->means.end_work();
        if (!go_on) co_return;
        if (speech.meter && !state->ended) speech.meter->Rest(speech, state->spoken);
    }
    if (renderer->has_begun()) {
        co_await renderer->Finish();
    } else {
        speech.pipe->Finish();
    }
    state->CallFlushed();
}

Task<void> Run(std::shared_ptr<State> state) {
    Renderer renderer(state->speech, state->means.engines, state->means.dsp);
    std::string failure;
    try {
        co_await SpeakAll(state, &renderer);
    } catch (const std::exception& e) {
        failure = e.what();
    }
    if (!failure.empty()) {
        if (state->is_generating) state->means.end_work();
        state->is_generating = false;
        FailSpeech(*state->speech, failure);
    }
    state->means.record(*state->speech);
}

class Live final : public LiveSpeech {
public:
    explicit Live(std::shared_ptr<State> state) : state_(std::move(state)) {}
    ~Live() override {
        if (!state_->ended) Live::Cancel();
    }

    Result<void> Append(std::string_view text) override {
        State& state = *state_;
        if (state.speech->pipe->failed()) return *state.speech->pipe->error();
        if (const auto bad = Utf8FindInvalid(text)) {
            return Error(ErrorKind::kInvalid, "invalid_utf8",
                         fmt::format("\"text\" is not valid UTF-8 (byte {}).", *bad));
        }
        const std::size_t sum = state.appended + Utf8Count(text);
        if (sum > state.request.max_characters) {
            return Error(ErrorKind::kInvalid, "text_too_long",
                         fmt::format("The texts have {} characters in sum; at most {} are spoken "
                                     "in one context. Open another one.",
                                     sum, state.request.max_characters));
        }
        state.appended = sum;
        state.text.Append(text);
        state.Queue(state.text.Take());
        return {};
    }

    void Trigger() override { state_->Queue(state_->text.TakeTriggered()); }

    void Flush(std::function<void()> spoken) override {
        State& state = *state_;
        state.Queue(state.text.TakeAll());
        state.flushed.push_back({state.text.all().size(), std::move(spoken)});
        if (state.parts.empty() && !state.is_generating) {
            state.spoken_to = state.text.all().size();
            state.CallFlushed();
        }
    }

    void End() override {
        state_->Queue(state_->text.TakeAll());
        state_->ended = true;
        state_->Wake();
    }

    void Cancel() override {
        state_->cancelled = true;
        state_->ended = true;
        state_->speech->pipe->Abandon();
        state_->Wake();
    }

    bool is_generating() const override { return state_->is_generating || !state_->parts.empty(); }
    bool has_ended() const override { return state_->ended; }
    std::size_t waiting() const override { return state_->text.waiting(); }
    const std::string& text() const override { return state_->text.all(); }
    const std::shared_ptr<Speech>& speech() const override { return state_->speech; }

private:
    std::shared_ptr<State> state_;
};

}  // namespace

std::unique_ptr<LiveSpeech> MakeLiveSpeech(Executor loop, LiveMeans means, SpeechRequest request,
                                           LivePolicy policy, std::shared_ptr<Speech> speech,
                                           std::string language) {
    auto state = std::make_shared<State>(loop, std::move(means), std::move(request),
                                         std::move(policy), std::move(speech), std::move(language));
    // A reader that goes away ends the waiting.
    state->speech->pipe->OnAbandon([weak = std::weak_ptr<State>(state)] {
        if (const auto held = weak.lock()) held->Wake();
    });
    Spawn(loop, Run(state), "live_speech");
    return std::make_unique<Live>(std::move(state));
}

}  // namespace vf::speech
