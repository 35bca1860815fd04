#pragma once
// Tries a model in a worker that is thrown away: does it load, does it speak?

#include <string>
#include <vector>

#include "base/result.hpp"
#include "engines/worker_process.hpp"
#include "neural/manifest.hpp"

namespace vf::neural {

struct ProbeReport {
    double load_seconds = 0;
    double speak_seconds = 0;  // until the sentence was there
    double audio_seconds = 0;
    std::vector<float> samples;  // of the sentence
};

// Blocks until it is known, for at most `timeout` for each of loading and speaking. `plan` starts
// the worker of the folder in which the model lies. Errors: kInvalid model_refused, whose message
// is what the worker printed or how it ended; kUnavailable spawn_failed.
Result<ProbeReport> Probe(const engines::SpawnPlan& plan, const Manifest& manifest,
                          std::chrono::milliseconds timeout);

}  // namespace vf::neural
