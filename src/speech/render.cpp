#include "speech/render.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "engines/engines.hpp"
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

engines::SegmentRequest RequestOf(const text::Segment& segment, const SpeechPlan& plan) {
    const StyleVoice& style = plan.styles[segment.style];
    engines::SegmentRequest request;
    request.voice = style.voice.id;
    request.text = segment.text;
    request.speed = style.engine_speed;
    request.pitch = style.engine_pitch;
    request.pitch_range = style.engine_pitch_range;
    request.pronunciations = PronunciationsOf(segment, style.voice);
    request.seed = plan.seed;
    request.wants_events = plan.wants_timing || segment.heard.has_value();
    return request;
}

}  // namespace

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
    engines::SegmentRequest request = RequestOf(segment, *plan_);
    Result<std::unique_ptr<engines::Utterance>> spoken =
        co_await engines_.Speak(std::move(request));
    if (!spoken) {
        speech_->pipe->Fail(std::move(spoken).error());
        co_return false;
    }
    // Destroyed with this frame: when the reader has gone, that cancels the worker's sentence.
    const std::unique_ptr<engines::Utterance> utterance = *std::move(spoken);
    std::shared_ptr<Chain> chain = chain_;
    chain->StartSegment(segment, style);
    if (plan_->wants_timing) timeline_.StartSegment(segment, style.voice.phoneme_alphabet);
    events_.clear();
    const auto speaks_since = std::chrono::steady_clock::now();
    SegmentCut cut(segment);
    bool is_marked = false;
    std::uint64_t engine_samples = 0;
    for (bool is_over = false; !is_over;) {
        Result<std::optional<engines::EngineChunk>> next = co_await utterance->Next();
        if (!next) {
            speech_->pipe->Fail(std::move(next).error());
            co_return false;
        }
        is_over = !*next;
        engines::EngineChunk chunk = is_over ? cut.Finish() : cut.Take(std::move(**next));
        if (!is_over && !is_marked && !Mark(index)) co_return false;
        is_marked = true;
        if (is_over && chunk.samples.empty() && chunk.events.empty()) break;
        events_.insert(events_.end(), chunk.events.begin(), chunk.events.end());
        const std::size_t count = chunk.samples.size();
        engine_samples += count;
        auto work = [chain, samples = std::move(chunk.samples)] { return chain->Write(samples); };
        std::string bytes = co_await Run(count, std::move(work));
        TakeEvents();
        const bool taken = co_await Send(std::move(bytes));
        if (!taken) co_return false;
    }
    speech_->engine_time += std::chrono::steady_clock::now() - speaks_since;
    auto work = [chain] { return chain->EndSegment(); };
    std::string bytes = co_await Run(0, std::move(work));
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

Task<void> Render(std::shared_ptr<Speech> speech, std::shared_ptr<const SpeechPlan> plan,
                  engines::Engines* engines, asio::thread_pool* dsp) {
    Renderer renderer(speech, *engines, *dsp);
    std::string failure;
    try {
        const bool spoken = co_await renderer.Speak(std::move(plan));
        if (spoken) co_await renderer.Finish();
    } catch (const std::exception& e) {
        failure = e.what();
    }
    if (!failure.empty()) FailSpeech(*speech, failure);
}

}  // namespace vf::speech
