#pragma once
// Behind SpeechService::StartLive; nobody else includes this.

#include <functional>
#include <memory>

#include "engines/engines.hpp"
#include "speech/live.hpp"
#include "speech/meter.hpp"
#include "speech/options.hpp"
#include "speech/plan.hpp"

namespace vf::speech {

// What a live speech works with; all of it outlives the loop's work.
struct LiveMeans {
    engines::Engines& engines;
    asio::thread_pool& dsp;
    const SpeechOptions& options;
    const Metering& metering;
    // Called when work on a part begins and ends; false: the server has too much to do.
    std::function<bool()> begin_work;
    std::function<void()> end_work;
    std::function<void(const Speech&)> record;  // it is over
    // The voice could not begin: true when the speech has another one now.
    std::function<bool(Speech&, const Error&)> instead;
};

std::unique_ptr<LiveSpeech> MakeLiveSpeech(Executor loop, LiveMeans means, SpeechRequest request,
                                           LivePolicy policy, std::shared_ptr<Speech> speech,
                                           std::string language);

}  // namespace vf::speech
