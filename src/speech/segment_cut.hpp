#pragma once
// Cuts the part that is to be heard out of a segment that was spoken with what stands around it
// (text::Segment::heard), at the borders of words. Holds audio back until it is known where they
// are. On the loop.

#include <optional>
#include <vector>

#include "engines/engines.hpp"
#include "text/split.hpp"

namespace vf::speech {

class SegmentCut {
public:
    // Everything passes when nothing is to be cut.
    explicit SegmentCut(const text::Segment& segment);

    // What became known to be heard; its events count from the first sample that is.
    engines::EngineChunk Take(engines::EngineChunk chunk);
    // The segment is over.
    engines::EngineChunk Finish();

private:
    engines::EngineChunk Release(std::uint64_t until);
    void Learn(const engines::TimingEvent& event);

    std::optional<text::TextRange> heard_;
    std::size_t text_size_;
    std::optional<std::uint64_t> first_;  // sample
    std::optional<std::uint64_t> last_;   // the sample behind
    std::uint64_t known_to_ = 0;          // words are known up to here
    std::vector<std::int16_t> held_;
    std::uint64_t held_from_ = 0;  // sample of held_.front()
    std::vector<engines::TimingEvent> events_;
};

}  // namespace vf::speech
