#pragma once
// Reads a vendor's streamed answer, cut anywhere, into samples and times of words. Pure.

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "engines/speaker.hpp"
#include "vendors/vendors.hpp"

namespace vf::vendors {

class AudioReader {
public:
    virtual ~AudioReader() = default;

    // What can be known from these bytes on top of those before. Errors are kUnavailable:
    // vendor_answer_unreadable, or what the vendor tells within the stream.
    virtual Result<engines::EngineChunk> Feed(std::string_view bytes) = 0;
    // The answer is complete. As Feed; an answer that ends in the middle of a message is
    // vendor_answer_cut.
    virtual Result<engines::EngineChunk> Finish() = 0;
};

// `text` is the segment's, which words are found in. `plain`: samples alone (s16le).
std::unique_ptr<AudioReader> MakeReader(Vendor vendor, std::string text, bool plain);

}  // namespace vf::vendors
