#include "speech/render.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/utf8.hpp"
#include "engines/engines.hpp"
#include "speech/listener.hpp"
#include "speech/meter.hpp"
#include "speech/segment_cut.hpp"
#include "text/phonemes.hpp"

namespace vf::speech {
namespace {

// In the voice's own alphabet; what it cannot say is spoken as it is written.
std::vector<engines::Pronunciation> PronunciationsOf(const text::Segment& segment,
                                                     const engines::Voice& voice) {
    std::vector<engines::Pronunciation> out;
    const auto alphabet = text::FindPhonemeAlphabet(voice.phoneme_alphabet);
    if (!alphabet) return out;
    for (const text::PhonemeSpan& span : segment.phonemes) {
        Result<std::string> phonemes = text::FromIpa(*alphabet, span.ipa);
        if (!phonemes) continue;
        out.push_back({static_cast<std::uint32_t>(span.begin), static_cast<std::uint32_t>(span.end),
                       *std::move(phonemes)});
    }
    return out;
}

// The text of another segment that is spoken by the same voice.
std::string TextBeside(const SpeechPlan& plan, std::size_t index, std::size_t other) {
    const std::vector<text::Segment>& segments = plan.text.segments;
    if (other >= segments.size() || segments[other].style != segments[index].style) return {};
    return segments[other].text;
}

}  // namespace

Renderer::Renderer(std::shared_ptr<Speech> speech, engines::Engines& engines,
                   asio::thread_pool& dsp)
    : speech_(std::move(speech)), engines_(engines), dsp_(dsp), timeline_(speech_->timeline),
      cancel_(std::make_shared<CancelFlag>()) {
    speech_->pipe->OnAbandon([cancel = cancel_] { cancel->Cancel(); });
}

engines::SegmentRequest Renderer::RequestOf(std::size_t index) const {
    const text::Segment& segment = plan_->text.segments[index];
    const StyleVoice& style = plan_->styles[segment.style];
    engines::SegmentRequest request;
    request.voice = style.voice.id;
    request.text = segment.text;
    request.speed = style.engine_speed;
    request.pitch = style.engine_pitch;
    request.pitch_range = style.engine_pitch_range;
    request.pronunciations = PronunciationsOf(segment, style.voice);
    request.seed = plan_->seed;
    request.wants_events = plan_->wants_timing || segment.heard.has_value();
    if (!style.voice.speaker) return request;
    request.language = style.language;
    const bool is_last = index + 1 == plan_->text.segments.size();
    request.previous_text =
        index == 0 ? plan_->previous_text : TextBeside(*plan_, index, index - 1);
    request.next_text = is_last ? plan_->next_text : TextBeside(*plan_, index, index + 1);
    request.expression = plan_->expression;
    request.cancel = cancel_;
    return request;
}

// Who else speaks is paid for what was sent, also when nobody hears it to its end.
void Renderer::CountCost(std::size_t index) {
    const text::Segment& segment = plan_->text.segments[index];
    const engines::Voice& voice = plan_->styles[segment.style].voice;
    if (voice.currency.empty()) return;
    if (speech_->vendor_currency.empty()) speech_->vendor_currency = voice.currency;
    if (speech_->vendor_currency != voice.currency) return;
    const auto characters = static_cast<std::int64_t>(Utf8Count(segment.text));
    speech_->vendor_micro += characters * voice.price_per_million;
}

Task<Result<void>> Renderer::Open(std::size_t index) {
    engines::SegmentRequest request = RequestOf(index);
    const StyleVoice& style = plan_->styles[plan_->text.segments[index].style];
    Opened opened;
    opened.index = index;
    Result<std::unique_ptr<engines::Utterance>> spoken;
    if (style.voice.speaker) {
        const std::shared_ptr<engines::Speaker> speaker = style.voice.speaker;
        spoken = co_await speaker->Speak(std::move(request));
    } else {
        spoken = co_await engines_.Speak(std::move(request));
    }
    if (!spoken) co_return std::move(spoken).error();
    opened.utterance = *std::move(spoken);
    opened.since = std::chrono::steady_clock::now();
    Result<std::optional<engines::EngineChunk>> first = co_await opened.utterance->Next();
    if (!first) co_return std::move(first).error();
    opened.first = *std::move(first);
    CountCost(index);
    opened_ = std::move(opened);
    co_return Result<void>();
}

// False when the reader is gone. Waiting for a slow reader holds no worker: the utterance buffers
// its segment and lets the worker go.
Task<bool> Renderer::Send(std::string bytes) {
    speech_->samples = chain_->samples();
    speech_->bytes += bytes.size();
    if (bytes.empty()) co_return !speech_->pipe->abandoned();
    speech_->progress.push_back({speech_->bytes, speech_->samples});
    co_return co_await speech_->pipe->Write(std::move(bytes));
}

// Chain work goes to a DSP thread, except for what takes less time than going there and back: both
// ways together wake two threads, some 50 us on a busy machine.
template <class Work>
Task<std::string> Renderer::Run(std::size_t samples, Work work) {
    const auto most = static_cast<std::size_t>(plan_->voice().sample_rate / 4);
    if (chain_->is_light() && samples <= most) {
        co_return work();
    }
    co_return co_await Offload(dsp_, std::move(work));
}

// Before a segment of a stream enters the pipe, so that what a client can have received is never
// more than what is written down.
bool Renderer::Mark(std::size_t index) {
    if (plan_->whole || !speech_->meter) return true;
    const Result<void> marked =
        speech_->meter->Mark(*speech_, characters_ + plan_->characters_through[index]);
    if (!marked) speech_->pipe->Fail(marked.error());
    return marked.ok();
}

void Renderer::TakeEvents() {
    if (!plan_->wants_timing || !chain_->knows_times()) return;
    for (const engines::TimingEvent& event : events_) {
        timeline_.Add(event, chain_->SecondsAt(event.start_sample),
                      chain_->SecondsAt(event.end_sample));
    }
    events_.clear();
    timeline_.Advance(chain_->joined_seconds());
}

Task<bool> Renderer::SpeakSegment(std::size_t index) {
    const text::Segment& segment = plan_->text.segments[index];
    const StyleVoice& style = plan_->styles[segment.style];
    if (!opened_.utterance) {
        const Result<void> open = co_await Open(index);
        if (!open) {
            speech_->pipe->Fail(open.error());
            co_return false;
        }
    }
    // Destroyed with this frame: when the reader has gone, that cancels the worker's sentence.
    Opened opened = std::exchange(opened_, {});
    std::shared_ptr<Chain> chain = chain_;
    chain->StartSegment(segment, style);
    Listener listener(engines_, segment, style.voice, plan_->wants_timing);
    if (plan_->wants_timing) {
        timeline_.StartSegment(
            segment, listener.listens() ? Listener::kAlphabet : style.voice.phoneme_alphabet);
    }
    events_.clear();
    SegmentCut cut(segment);
    bool is_marked = false;
    std::uint64_t engine_samples = 0;
    std::optional<engines::EngineChunk> heard = std::move(opened.first);
    for (;;) {
        const bool is_over = !heard;
        engines::EngineChunk chunk = is_over ? cut.Finish() : cut.Take(std::move(*heard));
        if (!is_over && !is_marked && !Mark(index)) co_return false;
        is_marked = true;
        if (is_over && chunk.samples.empty() && chunk.events.empty()) break;
        events_.insert(events_.end(), chunk.events.begin(), chunk.events.end());
        const std::size_t count = chunk.samples.size();
        engine_samples += count;
        listener.Hear(chunk.samples);
        auto work = [chain, samples = std::move(chunk.samples)] { return chain->Write(samples); };
        std::string bytes = co_await Run(count, std::move(work));
        TakeEvents();
        const bool taken = co_await Send(std::move(bytes));
        if (!taken) co_return false;
        if (is_over) break;
        Result<std::optional<engines::EngineChunk>> next = co_await opened.utterance->Next();
        if (!next) {
            speech_->pipe->Fail(std::move(next).error());
            co_return false;
        }
        heard = *std::move(next);
    }
    speech_->engine_time += std::chrono::steady_clock::now() - opened.since;
    auto work = [chain] { return chain->EndSegment(); };
    std::string bytes = co_await Run(0, std::move(work));
    if (listener.listens()) {
        // What is there already need not wait.
        const bool taken = co_await Send(std::move(bytes));
        if (!taken) co_return false;
        bytes.clear();
        events_ = co_await listener.Find();
        if (!events_.empty()) timeline_.SetAligned();
    }
    TakeEvents();
    if (plan_->wants_timing) {
        timeline_.EndSegment(chain->SecondsAt(0), chain->SecondsAt(engine_samples));
    }
    co_return co_await Send(std::move(bytes));
}

Task<bool> Renderer::Begin() {
    Result<std::unique_ptr<Chain>> chain = Chain::Make(*plan_);
    if (!chain) {
        speech_->pipe->Fail(std::move(chain).error());
        co_return false;
    }
    chain_ = *std::move(chain);
    if (plan_->text.lead.count() == 0) co_return true;
    std::shared_ptr<Chain> first = chain_;
    auto work = [first, lead = plan_->text.lead] { return first->LeadIn(lead); };
    std::string bytes = co_await Run(0, std::move(work));
    co_return co_await Send(std::move(bytes));
}

Task<bool> Renderer::Speak(std::shared_ptr<const SpeechPlan> plan, std::size_t base,
                           std::size_t characters) {
    plan_ = std::move(plan);
    characters_ = characters;
    if (!chain_) {
        // Before anything is sent, so that another voice can still take its place.
        const Result<void> open = co_await Open(0);
        if (!open) {
            refusal_ = open.error();
            co_return false;
        }
        const bool begun = co_await Begin();
        if (!begun) co_return false;
    }
    if (plan_->wants_timing) timeline_.AddText(plan_->text, base);
    for (std::size_t i = 0; i < plan_->text.segments.size(); ++i) {
        const bool go_on = co_await SpeakSegment(i);
        if (!go_on) co_return false;
    }
    co_return true;
}

Task<bool> Renderer::Rest() {
    std::shared_ptr<Chain> chain = chain_;
    auto work = [chain] { return chain->Rest(); };
    std::string bytes = co_await Run(0, std::move(work));
    co_return co_await Send(std::move(bytes));
}

Task<void> Renderer::Finish() {
    std::shared_ptr<Chain> last = chain_;
    auto work = [last, tail = plan_->text.tail] { return last->Finish(tail); };
    std::string bytes = co_await Run(0, std::move(work));
    Speech& speech = *speech_;
    speech.samples = last->samples();
    speech.bytes += bytes.size();
    speech.progress.push_back({speech.bytes, speech.samples});
    speech.exact_header = last->ExactHeader();
    speech.quality = last->quality();
    for (const text::SegmentMark& mark : plan_->text.tail_marks) {
        timeline_.AddMark(mark, speech.seconds());
    }
    timeline_.Close(speech.seconds());
    speech.pipe->WriteNow(std::move(bytes));
    speech.pipe->Finish();
}

void FailSpeech(Speech& speech, const std::string& why) {
    log::Error("speech_failed", {{"operation", speech.operation.Wire()}, {"error", why}});
    speech.pipe->Fail(
        Error(ErrorKind::kInternal, "internal_error", "The speech could not be rendered."));
}

Task<std::optional<Error>> Render(std::shared_ptr<Speech> speech,
                                  std::shared_ptr<const SpeechPlan> plan, engines::Engines* engines,
                                  asio::thread_pool* dsp) {
    Renderer renderer(speech, *engines, *dsp);
    std::string failure;
    std::optional<Error> refusal;
    try {
        const bool spoken = co_await renderer.Speak(std::move(plan));
        if (spoken) co_await renderer.Finish();
        refusal = renderer.TakeRefusal();
    } catch (const std::exception& e) {
        failure = e.what();
    }
    if (!failure.empty()) FailSpeech(*speech, failure);
    co_return refusal;
}

}  // namespace vf::speech
