#pragma once
// How worker programs are started under the given settings.

#include <string>
#include <string_view>

#include "engines/engines.hpp"
#include "engines/worker_process.hpp"

namespace vf::engines {

// The engine whose workers load models.
inline constexpr const char* kModelEngine = "sherpa";

// The program that finds texts in audio.
inline constexpr const char* kAligner = "align";

// The absolute path of an engine's program.
std::string WorkerProgram(const EngineOptions& options, std::string_view engine);

// Limits and the user; the program has still to be set. Throws std::runtime_error when
// engines.worker_user names nobody.
SpawnPlan PlanForEngine(const EngineOptions& options);

// Everything for a worker that loads the model in `folder`. The cores are shared out among the
// model's workers.
SpawnPlan PlanForModel(const EngineOptions& options, const std::string& folder);

// `options` as they apply to the pool of one model: its own limits, and more patience, since an
// engine that cannot be interrupted within a sentence is dear to start again.
EngineOptions OptionsForModel(const EngineOptions& options);

// … and to the aligner's: its work is rare and long.
EngineOptions OptionsForAligner(const EngineOptions& options);

}  // namespace vf::engines
