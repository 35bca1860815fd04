#include "speech/render.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "engines/engines.hpp"
#include "speech/chain.hpp"
#include "speech/meter.hpp"

namespace vf::speech {
namespace {

// The state of one rendering; shared with the DSP thread that works for it at the moment.
struct Rendering {
    std::shared_ptr<Speech> speech;
    std::shared_ptr<const SpeechPlan> plan;
    engines::Engines* engines;
    asio::thread_pool* dsp;
    std::shared_ptr<Chain> chain;
};

void AddEvents(Rendering& rendering, const text::Segment& segment,
               const std::vector<engines::TimingEvent>& events) {
    for (const engines::TimingEvent& event : events) {
        TimelineItem item;
        item.kind = event.kind == engines::TimingEvent::kWord ? TimelineItem::Kind::kWord
                                                              : TimelineItem::Kind::kPhoneme;
        const text::TextRange original = segment.Original(event.text_begin, event.text_end);
        item.text_begin = original.begin;
        item.text_end = original.end;
        item.start_seconds = rendering.chain->SecondsAt(event.start_sample);
        item.end_seconds = rendering.chain->SecondsAt(event.end_sample);
        item.label = event.label;
        rendering.speech->timeline.Add(std::move(item));
    }
}

// False when the reader is gone. Waiting for a slow reader holds no worker: the utterance buffers
// its segment and lets the worker go.
Task<bool> Send(Rendering& rendering, std::string bytes) {
    rendering.speech->samples = rendering.chain->samples();
    rendering.speech->bytes += bytes.size();
    if (bytes.empty()) co_return !rendering.speech->pipe->abandoned();
    co_return co_await rendering.speech->pipe->Write(std::move(bytes));
}

// Chain work goes to a DSP thread, except for what takes less time than going there and back: both
// ways together wake two threads, some 50 us on a busy machine.
template <class Work>
Task<std::string> Run(Rendering& rendering, std::size_t samples, Work work) {
    const auto most = static_cast<std::size_t>(rendering.plan->voice.sample_rate / 4);
    if (rendering.chain->is_light() && samples <= most) {
        co_return work();
    }
    co_return co_await Offload(*rendering.dsp, std::move(work));
}

// Before a segment of a stream enters the pipe, so that what a client can have received is never
// more than what is written down.
bool MarkSegment(Rendering& rendering, std::size_t index) {
    if (rendering.plan->whole || !rendering.speech->meter) return true;
    const Result<void> marked =
        rendering.speech->meter->Mark(*rendering.speech, rendering.plan->characters_through[index]);
    if (!marked) rendering.speech->pipe->Fail(marked.error());
    return marked.ok();
}

// One segment; false when nothing more shall be rendered (reader gone, or pipe failed).
Task<bool> RenderSegment(Rendering& rendering, std::size_t index) {
    const SpeechPlan& plan = *rendering.plan;
    const text::Segment& segment = plan.segments[index];
    engines::SegmentRequest request;
    request.voice = plan.voice.id;
    request.text = segment.text;
    request.speed = plan.engine_speed;
    request.pitch = plan.engine_pitch;
    Result<std::unique_ptr<engines::Utterance>> spoken =
        co_await rendering.engines->Speak(std::move(request));
    if (!spoken) {
        rendering.speech->pipe->Fail(std::move(spoken).error());
        co_return false;
    }
    // Destroyed with this frame: when the reader has gone, that cancels the worker's sentence.
    const std::unique_ptr<engines::Utterance> utterance = *std::move(spoken);
    std::shared_ptr<Chain> chain = rendering.chain;
    chain->StartSegment(segment);
    const auto speaks_since = std::chrono::steady_clock::now();
    bool is_marked = false;
    std::vector<engines::TimingEvent> events;
    for (;;) {
        Result<std::optional<engines::EngineChunk>> next = co_await utterance->Next();
        if (!next) {
            rendering.speech->pipe->Fail(std::move(next).error());
            co_return false;
        }
        if (!*next) break;
        if (!is_marked && !MarkSegment(rendering, index)) co_return false;
        is_marked = true;
        engines::EngineChunk chunk = std::move(**next);
        events.insert(events.end(), chunk.events.begin(), chunk.events.end());
        const std::size_t count = chunk.samples.size();
        auto work = [chain, samples = std::move(chunk.samples)] { return chain->Write(samples); };
        std::string bytes = co_await Run(rendering, count, std::move(work));
        const bool taken = co_await Send(rendering, std::move(bytes));
        if (!taken) {
            co_return false;
        }
    }
    rendering.speech->engine_time += std::chrono::steady_clock::now() - speaks_since;
    auto work = [chain] { return chain->EndSegment(); };
    std::string bytes = co_await Run(rendering, 0, std::move(work));
    AddEvents(rendering, segment, events);
    co_return co_await Send(rendering, std::move(bytes));
}

Task<void> RenderAll(Rendering& rendering) {
    Result<std::unique_ptr<Chain>> chain = Chain::Make(*rendering.plan);
    if (!chain) {
        rendering.speech->pipe->Fail(std::move(chain).error());
        co_return;
    }
    rendering.chain = *std::move(chain);
    for (std::size_t i = 0; i < rendering.plan->segments.size(); ++i) {
        const bool go_on = co_await RenderSegment(rendering, i);
        if (!go_on) co_return;
    }
    std::shared_ptr<Chain> last = rendering.chain;
    auto work = [last] { return last->Finish(); };
    std::string bytes = co_await Run(rendering, 0, std::move(work));
    Speech& speech = *rendering.speech;
    speech.samples = last->samples();
    speech.bytes += bytes.size();
    speech.exact_header = last->ExactHeader();
    speech.timeline.Close(speech.seconds());
    speech.pipe->WriteNow(std::move(bytes));
    speech.pipe->Finish();
}

}  // namespace

Task<void> Render(std::shared_ptr<Speech> speech, std::shared_ptr<const SpeechPlan> plan,
                  engines::Engines* engines, asio::thread_pool* dsp) {
    Rendering rendering{speech, std::move(plan), engines, dsp, nullptr};
    std::string failure;
    try {
        co_await RenderAll(rendering);
    } catch (const std::exception& e) {
        failure = e.what();
    }
    if (!failure.empty()) {
        log::Error("speech_failed", {{"operation", speech->operation.Wire()}, {"error", failure}});
        speech->pipe->Fail(
            Error(ErrorKind::kInternal, "internal_error", "The speech could not be rendered."));
    }
}

}  // namespace vf::speech
