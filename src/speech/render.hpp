#pragma once
// Carries one plan through engines and chain into the speech's pipe. On the loop; DSP and encoding
// run on the DSP threads.

#include <memory>

#include "base/task.hpp"
#include "speech/plan.hpp"
#include "speech/speech.hpp"

namespace vf::engines {
class Engines;
}

namespace vf::speech {

// Ends the pipe in every case: finished, failed, or abandoned by its reader. Never throws.
Task<void> Render(std::shared_ptr<Speech> speech, std::shared_ptr<const SpeechPlan> plan,
                  engines::Engines* engines, asio::thread_pool* dsp);

}  // namespace vf::speech
