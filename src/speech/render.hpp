#pragma once
// Carries plans through engines and chain into a speech's pipe. On the loop; DSP and encoding run
// on the DSP threads.

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "base/cancel.hpp"
#include "base/task.hpp"
#include "engines/speaker.hpp"
#include "speech/chain.hpp"
#include "speech/plan.hpp"
#include "speech/speech.hpp"
#include "speech/timeline_builder.hpp"

namespace vf::engines {
class Engines;
}

namespace vf::speech {

// One audio, from one plan (Render) or from one after the other (live speeches).
class Renderer {
public:
    Renderer(std::shared_ptr<Speech> speech, engines::Engines& engines, asio::thread_pool& dsp);

    // Speaks the plan's segments. Its text stands at byte `base` of the whole, after `characters`
    // that were spoken before. False when nothing more shall be rendered: the reader is gone, or
    // the pipe has failed; or the first plan's first segment has not begun, which another plan may
    // be tried after (TakeRefusal).
    Task<bool> Speak(std::shared_ptr<const SpeechPlan> plan, std::size_t base = 0,
                     std::size_t characters = 0);
    // All that was said so far reaches the pipe. False as with Speak.
    Task<bool> Rest();
    // The encoder's last bytes; ends the pipe. After a plan at least.
    Task<void> Finish();
    bool has_begun() const { return chain_ != nullptr; }
    // Why the first segment could not begin, while nothing has been sent and the pipe is whole.
    std::optional<Error> TakeRefusal() { return std::exchange(refusal_, std::nullopt); }

private:
    Task<bool> Begin();
    // A segment whose first chunk is there.
    struct Opened {
        std::size_t index = 0;
        std::unique_ptr<engines::Utterance> utterance;
        std::optional<engines::EngineChunk> first;
        std::chrono::steady_clock::time_point since;
    };
    Task<Result<void>> Open(std::size_t index);
    engines::SegmentRequest RequestOf(std::size_t index) const;
    void CountCost(std::size_t index);
    Task<bool> SpeakSegment(std::size_t index);
    Task<bool> Send(std::string bytes);
    template <class Work>
    Task<std::string> Run(std::size_t samples, Work work);
    bool Mark(std::size_t index);
    void TakeEvents();

    std::shared_ptr<Speech> speech_;
    engines::Engines& engines_;
    asio::thread_pool& dsp_;
    TimelineBuilder timeline_;
    std::shared_ptr<const SpeechPlan> plan_;
    std::size_t characters_ = 0;
    std::shared_ptr<Chain> chain_;
    Opened opened_;
    std::optional<Error> refusal_;
    std::shared_ptr<CancelFlag> cancel_;        // the reader is gone
    std::vector<engines::TimingEvent> events_;  // of the segment, whose times are not known yet
};

// One plan, to the pipe's end: finished, failed, or abandoned by its reader. Only when its first
// segment could not begin, the pipe is left as it was and the reason is returned. Never throws.
Task<std::optional<Error>> Render(std::shared_ptr<Speech> speech,
                                  std::shared_ptr<const SpeechPlan> plan, engines::Engines* engines,
                                  asio::thread_pool* dsp);

// What went wrong where nothing should: logged, and told without its inside.
void FailSpeech(Speech& speech, const std::string& why);

}  // namespace vf::speech
