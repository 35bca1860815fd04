#pragma once
// The timeline of a speech as the native routes and sockets write it (docs/streaming.md).

#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "speech/timed_reader.hpp"

namespace vf::native {

// Turns bytes of a text into characters (code points); the text may grow.
class CharacterIndex {
public:
    CharacterIndex() = default;
    explicit CharacterIndex(std::string_view text) { Extend(text); }
    // `text` is what was there before and more behind it, whole characters.
    void Extend(std::string_view text);
    std::size_t At(std::size_t byte) const;

private:
    std::vector<std::uint32_t> begins_;  // byte of each character
    std::size_t end_ = 0;                // bytes of the text
};

// {"type":"audio","audio":"<base64>","start":0.0,"end":0.2,"words":[…],…}: lists without entries
// are left out. "start" and "end" are seconds on the whole audio's clock. Entries of words,
// phonemes and characters say where they stand in the caller's text: "text_begin" and "text_end" in
// characters, "byte_begin" and "byte_end" in bytes.
json::object ChunkJson(const speech::TimedChunk& chunk, const CharacterIndex& index);

// {"type":"done",…}
json::object DoneJson(const speech::Speech& speech);

}  // namespace vf::native
