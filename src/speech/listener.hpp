#pragma once
// Finds in its audio what an engine does not tell of a segment: where words and phones lie. The
// times come once the segment is complete, behind its audio. On the loop.

#include <span>
#include <vector>

#include "base/task.hpp"
#include "engines/engines.hpp"
#include "text/compose.hpp"

namespace vf::speech {

class Listener {
public:
    // Listens when `wants_timing`, the voice tells no times and its language can be aligned.
    Listener(engines::Engines& engines, const text::Segment& segment, const engines::Voice& voice,
             bool wants_timing);

    bool listens() const { return listens_; }
    // The engine's samples, in order.
    void Hear(std::span<const std::int16_t> samples);
    // Words and phones in the "cmu" alphabet, counted in the engine's samples. None: the audio does
    // not fit the text well enough, or nobody is there to align it. Once, at the end; the listener
    // must stay until then.
    Task<std::vector<engines::TimingEvent>> Find();

    static constexpr const char* kAlphabet = "cmu";

private:
    engines::Engines& engines_;
    const text::Segment& segment_;
    const engines::Voice& voice_;
    bool listens_;
    std::string audio_;
};

}  // namespace vf::speech
