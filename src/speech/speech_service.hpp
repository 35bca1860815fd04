#pragma once
// Starts speeches and renders them. One instance, on the loop; the engines and the DSP threads must
// outlive it.

#include <memory>
#include <string>

#include "base/cancel.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "engines/team_voices.hpp"
#include "speech/live.hpp"
#include "speech/meter.hpp"
#include "speech/options.hpp"
#include "speech/speech.hpp"

namespace vf::engines {
class Engines;
}

namespace vf::speech {

struct SpeechPlan;
inline constexpr Metering kUnmetered{};

class SpeechService {
public:
    // `metering` may be filled later, before the first request. `team_voices`: null: nobody has
    // voices of their own.
    SpeechService(asio::io_context& loop, engines::Engines& engines, asio::thread_pool& dsp,
                  const SpeechOptions& options, const Metering& metering = kUnmetered,
                  engines::VoiceSource* team_voices = nullptr);
    ~SpeechService();

    // All voices that a team may speak with. Never throws.
    Task<engines::VoiceView> Voices(TeamId team);

    // Checks the request against catalogue, plan and budgets and starts to render it. The pipe
    // fills from then on; abandoning it stops the work. Where another voice may take the place of
    // one that cannot begin (speech/fallback.hpp), the speech and its warnings say so. Errors:
    // those of MakePlan and AdmitSpeech, and kUnavailable "engines_starting" or "server_busy".
    Task<Result<std::shared_ptr<Speech>>> Start(SpeechRequest request);

    // A speech whose text comes later (request.text is empty, markup applies to each sentence that
    // is whole). Admitted when the first text is spoken, so an open one costs nothing. Errors: as
    // Start, as far as they can be known without text.
    Task<Result<std::unique_ptr<LiveSpeech>>> StartLive(SpeechRequest request, LivePolicy policy);

    // Waits for the whole audio, writes down what it costs and returns it with exact sizes in its
    // header. Errors: whatever
    // the rendering met, and kInvalid "audio_too_long" beyond the configured bound.
    Task<Result<std::string>> Collect(std::shared_ptr<Speech> speech);

    // Waits until there is audio to send or it is known that there will be none.
    Task<Result<void>> WaitForAudio(std::shared_ptr<Speech> speech);

    // Makes a streamed reply's header exact when all of it is there already; returns the body then.
    std::optional<std::string> TakeIfComplete(Speech& speech);

    std::size_t at_work() const;

private:
    Task<void> LoadVoices(SpeechRequest* request);

    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace vf::speech
