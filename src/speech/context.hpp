#pragma once
// Speaking one part of a longer text so that the parts, put together, sound like the whole.
//
// Where a part begins or ends inside a sentence, the engine is given the whole sentence and what
// does not belong to the part is cut out of the audio, at the borders of words. Where it begins or
// ends with a sentence, the pause between the two is put at the end of the earlier part.

#include "speech/plan.hpp"
#include "speech/speech.hpp"
#include "text/compose.hpp"

namespace vf::speech {

// Fills text, continues and goes_on_after of the plan from the request's text and what stands
// around it. Plain text only.
void ComposeInContext(const SpeechRequest& request, const text::ComposeOptions& options,
                      SpeechPlan& plan);

// Only what stands in [begin, end) of the composed text stays; positions count from `begin`.
void KeepPart(text::Composition& composition, std::size_t begin, std::size_t end);

}  // namespace vf::speech
