#include "speech/speech.hpp"

#include <fmt/format.h>

#include "speech/meter.hpp"

namespace vf::speech {

Speech::Speech() = default;

Speech::~Speech() {
    // Nobody took it to a reply: its error was the answer, or the client left before.
    if (!meter) return;
    const bool has_failed = pipe && pipe->failed();
    const bool is_gone = pipe && pipe->abandoned();
    constexpr int kClientClosedRequest = 499;
    meter->End(*this, is_gone ? usage::Delivery::kAborted : usage::Delivery::kFailed,
               has_failed ? pipe->error()->status()
               : is_gone  ? kClientClosedRequest
                          : 500);
}

void Speech::SpeakWith(const engines::Voice& own) {
    voice = own.id;
    engine = own.engine;
    deployment = own.deployment;
}

void Speech::SpeakInstead(const engines::Voice& other, const Error& why) {
    warnings.push_back(fmt::format("the voice {} could not speak ({}), {} speaks instead", voice,
                                   why.code(), other.id));
    SpeakWith(other);
}

void Speech::Delivered(bool is_whole) {
    if (!meter) return;
    const bool has_failed = pipe && pipe->failed();
    meter->End(*this,
               is_whole     ? usage::Delivery::kComplete
               : has_failed ? usage::Delivery::kFailed
                            : usage::Delivery::kAborted,
               200);
}

}  // namespace vf::speech
